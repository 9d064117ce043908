"""Pages for screen readers: Chinese inside English is marked, and labels are only on elements that
may have one."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from flask import Flask, Response, request_finished

from eventreg.web import lang_attributes
from tests.support.factories import ROOT, SHIPPED, House
from tests.support.pages import get
from tests.web.test_every_page import walk_door, walk_public, walk_staff

EVENT = """
slug = "small"
capacity = 5
timezone = "Asia/Shanghai"
starts_at = 2030-06-10T09:00:00
ends_at = 11:00:00
title = { zh = "书法课", en = "Calligraphy (书法)" }
theme = { zh = "永字八法", en = "The eight strokes of 永" }
summary = { zh = "一起写字。", en = "We write 永、和 & <both>." }
health_note = { zh = "慢慢写。", en = "Slowly: 慢慢写" }
[check_in]
opens_at = 08:45:00
closes_at = 09:00:00
[[agenda]]
at = 09:00:00
text = { zh = "磨墨", en = "Ink (磨墨)" }
[[asked]]
text = { zh = "要带笔吗？", en = "Do I bring a 毛笔?" }
[[bring]]
text = { zh = "毛笔", en = "A 毛笔" }
[[promises]]
text = { zh = "不收费", en = "Free (不收费)" }
[place]
name = { zh = "图书馆", en = "Library 图书馆" }
address = { zh = "兴宁桥西 1 号", en = "1 West of 兴宁桥" }
transport = { zh = "公交兴宁桥站", en = "Bus stop Xingning Bridge (兴宁桥)" }
access = { zh = "有电梯", en = "Lift (电梯)" }
[speaker]
name = "王羲之"
post = { zh = "书法家", en = "书法家" }
institution = { zh = "兰亭", en = "兰亭 Pavilion" }
about = { zh = "写得好", en = "Wrote 兰亭集序" }
[[hosts]]
name = "书法协会"
[gift]
text = { zh = "一支笔", en = "A 毛笔" }
[notice]
kind = "moved"
text = { zh = "改到图书馆。", en = "Moved to the 图书馆." }
[site]
short_name = "书法报名"
legal_name = "宁波书法协会"
filing = "浙ICP备1号"
[phone_line]
number = "87654321"
area_code = "0574"
calls_from = "宁波"
"""
HAN = re.compile("[\u3400-\u9fff]")


class Aloud(HTMLParser):
    """The texts of a page with their languages. Titles and form values can have only one."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._within: list[tuple[str, str]] = []
        self.mistaken: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter an element, unless it is a void one."""
        if tag not in {
            "meta",
            "link",
            "br",
            "img",
            "input",
            "hr",
            "wbr",
            "col",
            "source",
            "path",
            "circle",
            "rect",
        }:
            before = self._within[-1][1] if self._within else ""
            self._within.append((tag, dict(attrs).get("lang") or before))

    def handle_endtag(self, tag: str) -> None:
        """Leave it, and all elements left open inside it."""
        if any(name == tag for name, _ in self._within):
            while self._within.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Note Chinese text inside English."""
        inside = {name for name, _ in self._within}
        if (
            HAN.search(data)
            and self._within[-1][1] == "en"
            and not inside & {"title", "textarea", "option", "style", "script"}
        ):
            self.mistaken.append(data.strip())


@pytest.fixture
def pages(house: House) -> Iterator[dict[str, str]]:
    """All pages in English, of an event whose English texts contain Chinese."""
    seen: dict[str, str] = {}

    def note(_app: Flask, response: Response, **_: object) -> None:
        if response.mimetype == "text/html" and not response.direct_passthrough:
            seen[str(len(seen))] = response.get_data(as_text=True)

    house.apply(EVENT)
    house.hire()
    with request_finished.connected_to(note, house.app):
        walk_public(house, "en")
        walk_staff(house, "en")
        walk_door(house, "en")
    yield seen


def test_chinese_in_every_english_page_is_marked(pages: dict[str, str]) -> None:
    english = [page for page in pages.values() if '<html lang="en"' in page]
    assert len(english) > 60
    mistaken = {text for page in english for text in Aloud(page).mistaken}
    assert mistaken == set()
    marked = "".join(english)
    for run in ("兴宁桥", "兰亭集序", "张桂芳", "浙"):
        assert f'<span lang="zh-Hans">{run}' in marked


def test_the_bus_stop_of_the_shipped_event_is_marked_as_chinese(house: House) -> None:
    house.apply(SHIPPED.read_text(encoding="utf-8"))
    guest, path = house.client(), "events/june-10-self-care"
    assert '(<span lang="zh-Hans">兴宁桥</span>)' in get(guest, f"/en/{path}").html
    assert "<span lang=" not in get(guest, f"/zh/{path}").html, "a Chinese page stays unchanged"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<p>浙ICP备 1 号, not", '<p><span lang="zh-Hans">浙ICP备 1 号</span>, not'),
        ("<p>near 兴宁桥, west", '<p>near <span lang="zh-Hans">兴宁桥</span>, west'),
        (
            "<p>永、和 &amp; <b>兰</b>",
            '<p><span lang="zh-Hans">永、和</span> &amp; <b><span lang="zh-Hans">兰</span></b>',
        ),
        ('<p title="兰">x</p><!-- 兰 -->', '<p title="兰">x</p><!-- 兰 -->'),
        (
            "<title>兰</title><textarea>兰</textarea><option>兰</option>",
            "<title>兰</title><textarea>兰</textarea><option>兰</option>",
        ),
        (
            '<div lang="zh-Hans"><div>兰</div>亭</div>兰',
            '<div lang="zh-Hans"><div>兰</div>亭</div><span lang="zh-Hans">兰</span>',
        ),
        (
            "<script>'兰'</script><svg><title>兰</title></svg>",
            "<script>'兰'</script><svg><title>兰</title></svg>",
        ),
    ],
)
def test_only_text_is_marked(page: str, said: str) -> None:
    assert lang_attributes.marked(page) == said


NAMELESS = set(
    "abbr b bdi bdo br caption cite code data del dfn div em i ins kbd label legend mark p pre q "
    "rp rt ruby s samp small span "
    "strong sub sup time u var dt dd li".split()
)
"""Elements whose role may not have a label (ARIA in HTML), and list items, whose label hardly any
screen reader reads."""
NO_NAME = {
    "caption",
    "code",
    "deletion",
    "emphasis",
    "generic",
    "insertion",
    "none",
    "paragraph",
    "presentation",
    "strong",
}


class Labels(HTMLParser):
    """Finds labels on elements that may not have one."""

    def __init__(self, template: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.feed(
            re.sub(
                r"\{%.*?%\}|\{#.*?#\}",
                "",
                re.sub(r"\{\{.*?\}\}", "x", template, flags=re.S),
                flags=re.S,
            )
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Check one tag."""
        given = dict(attrs)
        named = {"aria-label", "aria-labelledby", "aria-roledescription"} & given.keys()
        role = given.get("role")
        if named and ((role is None and tag in NAMELESS) or role in NO_NAME):
            self.wrong.append(f"<{tag}> {sorted(named)}")


def test_no_template_labels_an_element_without_a_role() -> None:
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in sorted((ROOT / "templates").rglob("*.html"))
        if (found := Labels(path.read_text(encoding="utf-8")).wrong)
    }
    assert wrong == {}
    assert Labels('<p lang="zh" aria-label="{{ t("x") }}">').wrong == ["<p> ['aria-label']"], (
        "the finder works"
    )
