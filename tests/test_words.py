"""The texts of both languages: complete, consistent, short, and with good contrast."""

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from eventreg.core.event import event_file
from eventreg.core.event.copy_check import forbidden_words, half_width
from eventreg.i18n import LANGUAGES
from tests.support.factories import ROOT, SHIPPED, toml

HAN = re.compile(r"[\u3400-\u9fff]")
AGREED = {
    "check_heading": ("还差一步：请核对", "One more step: check your details"),
    "check_explained": (
        "按“确认报名”，才算报好。",
        "Your seat is booked when you press “Book this seat”.",
    ),
    "ticket_heading": ("报名成功", "Your seat is booked"),
    "ticket_whose_code": ("的签到码", "’s check-in code"),
    "ticket_any_way": (
        "到了报姓名就行；报签到码、给我们看二维码，也可以。",
        "Just give your name at the door; the code or the QR code work too.",
    ),
    "keep_explained": (
        "把这一页截图，或者抄下签到码。忘了也没关系。",
        "Take a screenshot, or write the code down. It is all right to forget it.",
    ),
    "ticket_nothing_else": (
        "已经报好了，您不用再做别的。",
        "You are booked. There is nothing else to do.",
    ),
    "cancel_ask": ("要退掉这个名额吗？", "Give up this seat?"),
    "cancel_what_happens": ("退掉以后，座位会安排给其他人。", "Somebody else will get it."),
    "keep_seat": ("保留名额", "Keep my seat"),
    "give_up": ("退掉名额", "Give up my seat"),
    "cancelled_heading": ("报名已取消。谢谢您告诉我们", "Cancelled. Thank you for telling us"),
    "waitlisted_position": (
        "您排在候补第 {position} 位。",
        "You are number {position} on the waiting list.",
    ),
    "waitlisted_call": (
        "有了空位，我们会打 {number} 告诉您。",
        "If a seat becomes free we will phone {number}.",
    ),
    "waitlisted_no_call": (
        "没接到电话，也可以当天到现场等，但不一定有座位。",
        "No call? You may still come and wait, but a seat is not certain.",
    ),
    "already_heading": ("您已经报过名了，不用再报", "You are already registered"),
    "already_explained": (
        "也可能是家人替您报的。",
        "Perhaps somebody in your family did it for you. There is no need to book again.",
    ),
    "title_problem": ("请改一下：", "Please correct: "),
    "phone_hint": (
        "填打得通的号码，家人的也可以。有变动，我们打这个电话",
        "A number that reaches you; a relative's will do. We call it if anything changes",
    ),
    "phone_wrong": ("这个号码好像不对，请再看一看", "This number looks wrong. Please check it"),
    "phone_missing": ("请填写电话号码", "Enter a phone number"),
    "phone_mobile_length": (
        "手机号要有 11 位数字，现在是 {count} 位",
        "A mobile number has 11 digits. This one has {count}",
    ),
    "name_missing": ("请填写参加人的姓名", "Enter the name of the person who will attend"),
    "closed_closed": ("网上报名已经结束", "Online registration has closed"),
    "trust_no_papers": (
        "报名不用填身份证号、银行卡号、验证码。",
        "You don't need an ID number, a bank card or a text-message code to register.",
    ),
    "tell_them": ("替别人报名，请先告诉对方。", "Registering somebody else? Tell them first."),
    "find_not_needed": (
        "签到码忘了也没关系，到场报姓名就行。",
        "It is all right to forget the code: just give your name at the door.",
    ),
    "full_split": ("一位先留座，另一位候补", "One seat now, the other waits"),
    "full_all_wait": ("两位一起候补", "Both wait"),
    "closed_come_anyway": (
        "也可以直接来现场，有空位就安排。",
        "You may also just come: if a seat is free, it is yours.",
    ),
    "calls_now": ("现在是接听时间", "Calls are answered now"),
    "calls_later": (
        "现在不是接听时间，请在{when} 以后打",
        "Nobody is answering now. Please call after {when}.",
    ),
    "trouble_later": (
        "如果刚才正在报名，请过几分钟再打开看看，不会重复报名。",
        "If you were registering, open this page again in a few minutes. You will not be "
        "registered twice.",
    ),
}
"""Sentences that were agreed upon with an editor and an organiser."""


def catalogue(language: str) -> Catalog:
    """The catalogue of one language."""
    with (ROOT / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


CATALOGUES = {language: catalogue(language) for language in LANGUAGES}


def key_of(message: Message) -> str:
    """The key of a message, with or without a plural."""
    return message.id if isinstance(message.id, str) else message.id[0]


def forms_of(message: Message) -> list[str]:
    """Every form of a message."""
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def sentences(language: str) -> dict[str, list[str]]:
    """The forms of every message, by key."""
    return {key_of(message): forms_of(message) for message in CATALOGUES[language] if message.id}


def placeholders(text: str) -> set[str]:
    """The names of the placeholders in a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_catalogues_have_the_same_keys_and_placeholders() -> None:
    chinese, english = sentences("zh"), sentences("en")
    assert chinese.keys() == english.keys()
    for key in chinese:
        in_chinese = set().union(*map(placeholders, chinese[key]))
        in_english = set().union(*map(placeholders, english[key]))
        # "one seat" needs no number, and only Chinese names the half of the day
        optional = {"count", "half"}
        assert in_chinese - optional == in_english - optional, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_or_fuzzy(language: str) -> None:
    for message in CATALOGUES[language]:
        if message.id:
            assert not message.fuzzy
            for text in forms_of(message):
                assert text, key_of(message)


def texts(language: str) -> Iterator[tuple[str, str]]:
    """Every text in a language, with its place: from the catalogue, the mails and the shipped
    event."""
    for key, forms in sentences(language).items():
        yield from ((key, text) for text in forms)
    for path in sorted((ROOT / "templates" / "mail").rglob(f"*.{language}.txt")):
        yield path.name, path.read_text(encoding="utf-8")
    shipped = event_file.parse(SHIPPED.read_text(encoding="utf-8"))
    yield from ((path, text) for path, text in shipped.texts() if path.endswith(f".{language}"))


def test_chinese_has_full_width_punctuation_and_no_exclamation_marks() -> None:
    for where, text in texts("zh"):
        assert half_width(re.sub(r"\{[{%].*?[%}]\}", "", text)) == [], where
        assert "！" not in text, where
        assert "你" not in text.replace("您", ""), where


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_promises_a_cure_or_puts_pressure_on_people(language: str) -> None:
    for where, text in texts(language):
        assert forbidden_words(text) == [], where


def test_sentences_are_short() -> None:
    for key, forms in sentences("zh").items():
        for text in forms:
            assert len(HAN.findall(text)) <= 40, key
            assert all(len(HAN.findall(one)) <= 24 for one in re.split("[。？；]", text)), key
    for key, forms in sentences("en").items():
        for text in forms:
            assert all(len(one.split()) <= 20 for one in re.split(r"[.?!:;]", text)), key


def test_the_agreed_sentences_are_in_both_catalogues() -> None:
    chinese, english = sentences("zh"), sentences("en")
    for key, (zh, en) in AGREED.items():
        assert (chinese[key], english[key]) == ([zh], [en]), key


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("时间:9 点", ["间:"]),
        ("好吗?", ["吗?"]),
        ("(签到)", ["(签", "到)"]),
        ("来,坐", ["来,"]),
        ("完.", ["完."]),
        ("时间：9:00，票 A4。", []),
        ("公交车到“兴宁桥”站", []),
        ("example.org 的网页", []),
    ],
)
def test_half_width_punctuation_is_found(text: str, found: list[str]) -> None:
    assert half_width(text) == found


def test_an_event_file_is_warned_of_half_width_punctuation_and_forbidden_words() -> None:
    file = toml().replace('zh = "书法课"', 'zh = "书法课,包治百病"')
    warned = event_file.warnings(event_file.parse(file))
    assert len(warned) == 2
    assert all("title.zh" in line for line in warned)


def test_documents_and_pages_have_one_term_for_how_long_names_are_kept() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    told = [path.read_text() for path in documents]
    told += [form for forms in sentences("en").values() for form in forms]
    assert not [one for one in told if re.search(r"keeping\s+time", one, re.I)]
    assert "| retention period |" in (ROOT / "docs" / "glossary.md").read_text()


def keys_used() -> set[str]:
    """Every key in code and templates, and the first part, such as ``closed_``, of keys that they
    compose."""
    found: set[str] = set()
    for path in [*(ROOT / "eventreg").rglob("*.py"), *(ROOT / "templates").rglob("*.*")]:
        text = path.read_text()
        for pattern in (r'"([a-z][a-z_]{2,})"', r"f\"([a-z]+_)\{", r'"([a-z_]+_)" ~'):
            found |= set(re.findall(pattern, text))
    return found


def test_every_sentence_is_used() -> None:
    used = keys_used()
    stems = tuple(key for key in used if key.endswith("_"))
    unused = [key for key in sentences("zh") if key not in used and not key.startswith(stems)]
    assert unused == []


def test_colours_have_enough_contrast_in_both_themes() -> None:
    css = (ROOT / "static" / "tokens.css").read_text()
    light, dark, *_ = css.split("@media (prefers-color-scheme: dark)")
    for theme in (light, dark.split("@media print")[0]):
        token = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]+);", theme))
        token.setdefault("on-brand", "#fff")
        for text in ("ink", "ink-2", "brand"):
            for ground in ("paper", "card", "tint"):
                assert contrast(token[text], token[ground]) >= 7, (text, ground)
        for colour in ("amber", "red", "green"):
            assert contrast(token[colour], token[f"{colour}-wash"]) >= 7
        assert contrast(token["on-brand"], token["brand"]) >= 7
        for ground in ("paper", "card", "tint"):
            assert contrast(token["line"], token[ground]) >= 3, ground


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_style_sheets_use_only_tokens_for_colour() -> None:
    for name in ("public/public.css", "staff/staff.css"):
        css = Path(ROOT / "static" / name).read_text()
        outside = [
            line
            for line in css.splitlines()
            if re.search(r"#[0-9a-f]{3,6}\b", line) and ".panel" not in line
        ]
        assert outside == [], (
            "only the door's panels have colours of their own, which are the same in both themes"
        )
