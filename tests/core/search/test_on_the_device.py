"""A device finds the same people as the server, in the same order, and with few keys."""

import hashlib
import random
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from eventreg.core.desk import search
from eventreg.core.desk.attendee_list import Selection
from eventreg.core.models.registration import Attendee
from eventreg.core.values import names, readings, traditional
from eventreg.storage.session import reading
from tests.core.search.tries import LIKE_THE_ISSUE, OUR_OWN, PEOPLE
from tests.support.door.modules import asked, page_with
from tests.support.factories import House, toml

pytestmark = pytest.mark.browser
SHOWN = 3
"""Rows that a volunteer sees without scrolling."""
MORE = "w wa wang 王 wu hu he chen zh xy 秀 阿 o ou a j jo qqqq 葛朗台 zhang g w jianguo 胡".split()
SURNAMES = (
    "陈王张徐李周吴胡朱沈林郑何黄叶俞毛史杨邬戴冯任孙董金应竺励忻谢许葛严邵曹顾傅童虞柴裘".strip()
)
GIVEN = "桂芳 建国 秀英 美康 水康 阿根 国强 玉兰 翠花 志明 菊英 宝娣 惠珍 阿毛 福根 丽君 根娣 文斌 "
GIVEN_MORE = (
    "明德 秋月 素芬 月仙 永强 小妹 阿兴 美凤 秀珍 凤英 杏花 定国 阿彩 雪琴 素珍 彩娥 来发 信国"
)


def listed(house: House) -> list[dict[str, Any]]:
    """The people as the device has them."""
    rows = search.search(reading(), house.event(), Selection()).rows
    chosen = select(Attendee.public_id, Attendee.search_key)
    keys = dict(reading().execute(chosen).all())
    return [
        {
            "attendee": row.public_id,
            "name": row.name,
            "pinyin": row.reading,
            "code": row.code,
            "tail": row.phone_tail,
            "state": row.state,
            "keys": keys[row.public_id].split(),
        }
        for row in rows
    ]


def of_server(house: House, query: str) -> tuple[list[str], list[str]]:
    """The first names that the server's search finds, and those that sound alike."""
    asked_for = Selection(query=query, at_door=True, area_code="0574")
    found = search.search(reading(), house.event(), asked_for)
    return [row.name for row in found.rows][:SHOWN], [row.name for row in found.near][:SHOWN]


def of_device(page: Page, people: list[dict[str, Any]], query: str) -> tuple[list[str], list[str]]:
    """The same on the device."""
    found = asked(page, "find", people, query)
    return (
        [one["name"] for one in found["rows"]][:SHOWN],
        [one["name"] for one in found["near"]][:SHOWN],
    )


def test_the_device_finds_whom_the_server_finds(house: House, browser: Browser) -> None:
    house.apply(toml(capacity=100))
    for place, name in enumerate(PEOPLE):
        phone = "13800005678" if not place else f"139000{10000 + place * 37}"
        house.register(name.replace("_", " "), phone=phone)
    people = listed(house)
    code = next(one["code"] for one in people if one["name"] == "张桂芳")
    page = page_with(browser, "search.js")
    tried = [one.replace("CODE", code) for one in [*LIKE_THE_ISSUE, *OUR_OWN, *MORE]]
    differ = {
        query: (there, here)
        for query in tried
        for there, here in [(of_server(house, query), of_device(page, people, query))]
        if there != here
    }
    assert not differ, differ
    missed = asked(page, "find", people, "qqqq")
    assert (missed["how"], missed["rows"]) == ("none", [])
    assert asked(page, "find", people, "王秀瑛")["how"] == "sounds-like"
    bare = [{**one, "keys": [], "pinyin": ""} for one in people]
    found = [one["name"] for one in asked(page, "find", bare, "zgf")["rows"]]
    assert found == ["张桂芳"], "somebody who walked in has no keys of the server yet"
    a_ticket_is_known_however_it_is_read(page)


def a_ticket_is_known_however_it_is_read(page: Page) -> None:
    """By its address, by its 26 characters, in small letters; and what is none is told apart."""
    token = "0123456789ABCDEFGHJKMNPQRS"
    digest = hashlib.sha256(token.encode()).hexdigest()[:24]
    ours = "https://door.example"
    kinds = {
        f"{ours}/T/{token}": "ticket",
        f"HTTPS://DOOR.EXAMPLE/T/{token}": "ticket",
        f"{ours}/T/{token}?lang=zh": "ticket",
        token: "ticket",
        token.lower().replace("0", "o").replace("1", "l"): "ticket",
        f"{ours}/T/{token[:-1]}": "damaged",
        f"{ours}/zh/": "foreign",
        f"https://other.example/T/{token}": "foreign",
        token[:-1]: "typed",
        "张桂芳": "typed",
        "5678": "typed",
    }
    read = {text: asked(page, "scanned", text, ours) for text in kinds}
    assert {text: one["kind"] for text, one in read.items()} == kinds
    assert {one["digest"] for one in read.values() if one["kind"] == "ticket"} == {digest}


def test_what_a_device_knows_of_readings_is_what_the_server_knows(browser: Browser) -> None:
    page = page_with(browser, "sounds.js")
    assert asked(page, "simplified", "歐陽淑芬諸葛陳張劉鳳") == traditional.simplified(
        "歐陽淑芬諸葛陳張劉鳳"
    )
    characters = sorted({c for c in "".join(PEOPLE) if names.has_han(c)} | set(SURNAMES))
    read = {c: asked(page, "givenRead", traditional.simplified(c)) for c in characters}
    wrong = {
        c: known
        for c, known in read.items()
        if known and known != readings.of_given_name(traditional.simplified(c))
    }
    assert not wrong
    assert sum(known is not None for known in read.values()) > 0.95 * len(read)
    for name in ("单玉兰", "欧阳秀英", "曾秀英", "尉迟敏", "俞阿兴"):
        surname, given = readings.syllables(name)
        assert asked(page, "nameRead", name) == [surname, "".join(given)], name


def crowd(size: int, seed: int) -> list[dict[str, Any]]:
    """That many people with the names and codes of a Ningbo crowd; couples share a number."""
    chance = random.Random(seed)
    usual = [*SURNAMES[:12] * 4, *SURNAMES]
    given = (GIVEN + GIVEN_MORE).split()
    codes = chance.sample(range(1000, 9999) if size < 100 else range(10_000, 99_999), size)
    people = []
    for place in range(size):
        name = names.parse(chance.choice(usual) + chance.choice(given))
        people.append(
            {
                "attendee": f"{place:032x}",
                "name": name.typed,
                "pinyin": name.sort_key.rpartition(" ")[0],
                "code": str(codes[place]),
                "tail": f"{chance.randrange(10_000):04}",
                "state": "confirmed",
                "keys": name.search_key.split(),
            }
        )
    return people


_KEYS = """([people, ways]) => people.map((person, at) => {
  let least = 99;
  for (const way of ways[at]) for (let keys = 1; keys <= way.length && keys + 1 < least; keys++) {
    const rows = module.find(people, way.slice(0, keys)).rows;
    if (rows.slice(0, 3).some(one => one.attendee === person.attendee)) least = keys + 1; }
  return least; })"""


@pytest.mark.parametrize("size", [50, 500])
def test_nobody_costs_more_than_five_keys(browser: Browser, size: int) -> None:
    """Keys until the person stands among the first three, and one to check in: by the initials,
    then by the code."""
    people = crowd(size, seed=14)
    page = page_with(browser, "search.js")
    by_code = page.evaluate(_KEYS, [people, [[one["code"]] for one in people]])
    by_name = page.evaluate(_KEYS, [people, [_said(one) for one in people]])
    best = [min(pair) for pair in zip(by_code, by_name, strict=True)]
    # The figures are for people to read.
    print(f"{size}: {sum(best) / size:.2f} keys, at most {max(best)}")  # noqa: T201
    print(f"{size}: by name {sum(k <= 5 for k in by_name) / size:.0%} within five")  # noqa: T201
    assert max(best) <= 5
    assert max(by_code) <= 5


def _said(person: dict[str, Any]) -> Sequence[str]:
    syllables = person["pinyin"].split()
    return ["".join(s[0] for s in syllables), "".join(syllables)]
