"""The facts of an event in words: what a key of the event file is called, and its value as people
write it. No page shows a key or a value as it is stored."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from datetime import time as dt_time

from flask import g

from eventreg import i18n
from eventreg.core.organising import drafts
from eventreg.web.language import say

_LANGUAGE = re.compile(r"\.(zh|en)$")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?")
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2})?")
_SWITCH = {"True": "yes_word", "False": "no_word"}
_TABLES = {
    "notice": "notice_label",
    "check_in": "group_door",
    "registration": "group_door",
    "waitlist": "group_seats",
    "phone_line": "group_telephone",
    "day_phone": "group_telephone",
    "calls": "group_telephone",
    "privacy": "group_site",
}
"""What a table is called that has no group of its own in the form."""
_EXPECTED = (
    (r"is missing", "expected_missing"),
    (r"must be after ([\w.]+)", "expected_after"),
    (r"must be at least max_party", "expected_at_least_party"),
    (r"must be at most capacity", "expected_at_most_capacity"),
    (r"must be a local (?:date-)?time.*", "expected_time"),
    (r"must be a date.*", "expected_time"),
    (r"must be in a year from (\d+) to (\d+)", "expected_year"),
    (r"must be a text in both languages.*", "expected_both"),
    (r"must be a number that can be rung.*", "expected_phone"),
    (r"must be (?:a valid )?integer.*", "expected_number"),
    (r"must be greater than or equal to (\d+)", "expected_at_least"),
    (r"must be less than or equal to (\d+)", "expected_at_most"),
    (r"must begin with https://.*", "expected_https"),
)
"""What is expected, as ``event_file`` says it, and the sentence that says so on a page."""


def label(path: str) -> str:
    """What the fact of this key is called: 时间安排 2 · 开始, 标题（中文）."""
    found = _LANGUAGE.search(path)
    language = _in_brackets(i18n.OWN_NAMES[found[1]]) if found else ""
    first, *rest = _LANGUAGE.sub("", path).split(".")
    if first in drafts.LISTS:
        place = f" {int(rest[0]) + 1}" if rest and rest[0].isdecimal() else ""
        named = f"{say(f'group_{first}')}{place}"
        key = f"field_{first}_{rest[-1]}" if len(rest) > 1 else ""
        return f"{named} · {say(key)}{language}" if key else named
    keys = [step for step in (first, *rest) if not step.isdecimal()]
    return _name("_".join(keys)) + language


def _name(key: str) -> str:
    """The name of a key or of a whole table. A key that event files do not have has none."""
    for sentence in (f"field_{key}", _TABLES.get(key, f"group_{key}"), "event_file"):
        with suppress(LookupError):
            return say(sentence)
    raise LookupError(key)


def _in_brackets(words: str) -> str:
    return say("bracket_open") + words + say("bracket_close")


def value(path: str, stored: str) -> str:
    """The value of a key as people write it; empty if it has none."""
    if not stored or stored in _SWITCH:
        return say(_SWITCH[stored]) if stored else ""
    if path == "notice.kind":
        return say(f"notice_{stored.replace('-', '_')}")
    if path.endswith(".picture"):
        return say(f"picture_{stored}")
    if path.startswith("phone_line.weekdays."):
        return i18n.weekday(g.language, int(stored))
    if _MOMENT.fullmatch(stored):
        moment = datetime.fromisoformat(stored)
        return f"{i18n.day(g.language, moment.date(), today=g.now.date())} {i18n.time(moment)}"
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", stored):
        day = datetime.fromisoformat(stored).date()
        return i18n.day(g.language, day, today=g.now.date())
    return i18n.time(dt_time.fromisoformat(stored)) if _TIME.fullmatch(stored) else stored


def expectation(expected: str) -> str:
    """What must be corrected in a fact, in the language of the page. ``expected`` is what
    ``event_file`` says; what it says rarely becomes a general request."""
    for pattern, key in _EXPECTED:
        found = re.fullmatch(pattern, expected)
        if found and key == "expected_after":
            return say(key, other=label(found[1]))
        if found:
            return say(key, **{f"limit_{n}": one for n, one in enumerate(found.groups(), 1)})
    return say("check_this")


@dataclass(frozen=True)
class Mistake:
    """A mistake in the form: the key of the fact, its name, and what is expected."""

    path: str
    label: str
    expected: str


def mistake(told: str) -> Mistake:
    """A mistake in words; ``told`` is the path and what is expected, as ``event_file`` says it."""
    path, _, expected = told.partition(": ")
    return Mistake(path, label(path), expectation(expected))


def warning(told: str) -> tuple[str, str]:
    """A warning about the words of a fact, as its name and a sentence; ``told`` is the line of
    ``event_file.warnings``."""
    path, _, rest = told.removeprefix(": ").partition(": ")
    word = rest.split("'")[1] if "'" in rest else rest
    return label(path), say("warn_width" if "full-width" in rest else "warn_word", word=word)
