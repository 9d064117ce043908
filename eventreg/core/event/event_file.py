"""Read an event file: TOML in, a validated definition out. Reports up to 200 mistakes at once, each
with the path of its key and what was expected."""

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from typing import Any

from pydantic import ValidationError

from eventreg.core.errors import FieldRefused
from eventreg.core.event.copy_check import forbidden_words, half_width
from eventreg.core.event.definition import Definition
from eventreg.core.event.field_types import WRITTEN
from eventreg.core.event.key_paths import value_at
from eventreg.core.values import phones

LONGEST = 256 * 1024
"""In characters. The shipped event file has 3,000."""
_MOST_VALUES = 5_000
"""Tables, lists and values in all. The shipped event file has about 100."""
_DEEPEST = 6
"""Levels of tables and lists: ``agenda.0.text.zh`` is three below the file's own."""
_MOST_TOLD = 200
_TAKEN = "new"
"""``/staff/events/new`` is a page of its own, so no event may have this slug."""
_TOO_DEEP = f"must have tables and lists at most {_DEEPEST} deep"


class DefinitionInvalid(Exception):
    """The event file has mistakes. Each of ``mistakes`` is a line with the key path and what was
    expected. ``parse`` puts the name of the file in front."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


_EXPECTED = {
    "missing": "is missing",
    "extra_forbidden": "is not a key of event files",
    "datetime_type": "must be a local date-time, such as 2030-01-31T09:00:00",
    "time_type": "must be a local time, such as 09:00:00",
    "date_type": "must be a date, such as 2030-01-31",
    "string_pattern_mismatch": "must match {pattern}",
    "Words": 'must be a text in both languages: {{ zh = "…", en = "…" }}',
}


_BRANCH = re.compile(r"datetime|time|function-after\[.*\]")
"""How pydantic names the two branches of "date-time or time" in the path of a key."""


def _mistakes(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Each mistake once, as path and expectation; the branches of "date-time or time" are one
    mistake."""
    seen = set()
    for fault in error.errors(include_url=False):
        path = ".".join(str(step) for step in fault["loc"] if not _BRANCH.fullmatch(str(step)))
        if path not in seen:
            seen.add(path)
            yield path, _expected(fault["type"], fault["msg"], fault.get("ctx", {}))


def _expected(kind: str, said: str, context: dict[str, Any]) -> str:
    if context.get("class_name") == "Words":
        kind = "Words"
    ours = _EXPECTED.get(kind)
    return (
        ours.format(**context)
        if ours
        else said.removeprefix("Value error, ").replace("Input should be", "must be")
    )


class _Raw:
    """The TOML before validation. Rules between keys are checked on it, so that they are reported
    together with the other mistakes."""

    def __init__(self, toml: dict[str, Any]) -> None:
        self._toml = toml

    def get(self, path: str, kind: type | tuple[type, ...]) -> Any:
        """The value at ``path`` if it has that type, else ``None``."""
        value = value_at(self._toml, path)
        return value if isinstance(value, kind) and not isinstance(value, bool) else None

    def local(self, path: str) -> dt.datetime | None:
        """The local date-time at ``path``."""
        return self.on_the_day(self.get(path, (dt.datetime, dt.time)))

    def on_the_day(self, moment: object) -> dt.datetime | None:
        """The moment as a local date-time. A bare time is on the day of the event."""
        starts = self.get("starts_at", dt.datetime)
        if isinstance(moment, dt.time) and starts:
            moment = dt.datetime.combine(starts.date(), moment)
        return moment if isinstance(moment, dt.datetime) and not moment.tzinfo else None

    def agenda(self) -> list[dict[str, Any]]:
        """The items of the agenda that are tables."""
        return [item for item in self.get("agenda", list) or [] if isinstance(item, dict)]


def _impossible(raw: _Raw) -> Iterator[tuple[str, str]]:
    """Values that contradict each other, a slug that is one of our own pages, and telephone numbers
    that cannot be dialled."""
    yield from _out_of_order(raw)
    if raw.get("slug", str) == _TAKEN:
        yield "slug", f'must not be "{_TAKEN}", which is the address of the page for a new event'
    capacity, held = raw.get("capacity", int), raw.get("phone_line.held_seats", int)
    if capacity is not None and held is not None and held > capacity:
        yield "phone_line.held_seats", "must be at most capacity"
    if (raw.get("max_per_phone", int) or 4) < (raw.get("max_party", int) or 2):
        yield "max_per_phone", "must be at least max_party"
    for line in ("phone_line", "day_phone"):
        number = raw.get(f"{line}.number", str)
        if number is not None and not _can_be_rung(number, raw.get("phone_line.area_code", str)):
            yield (
                f"{line}.number",
                "must be a number that can be rung, with phone_line.area_code where it needs one",
            )


def _out_of_order(raw: _Raw) -> Iterator[tuple[str, str]]:
    later_than = {
        "ends_at": "starts_at",
        "registration.closes_at": "registration.opens_at",
        "check_in.closes_at": "check_in.opens_at",
        "check_in.release_at": "check_in.opens_at",
    }
    for later, earlier in later_than.items():
        first, second = raw.local(earlier), raw.local(later)
        if first and second and second <= first:
            yield later, f"must be after {earlier}"
    for earlier, later, table in (
        ("opens", "closes", "phone_line"),
        ("opens", "closes", "calls"),
        ("from", "until", "day_phone"),
    ):
        begin, end = raw.get(f"{table}.{earlier}", dt.time), raw.get(f"{table}.{later}", dt.time)
        if begin and end and end <= begin:
            yield f"{table}.{later}", f"must be after {table}.{earlier}"
    for place, item in enumerate(raw.agenda()):
        at, until = raw.on_the_day(item.get("at")), raw.on_the_day(item.get("until"))
        if at and until and until <= at:
            yield f"agenda.{place}.until", f"must be after agenda.{place}.at"


def _can_be_rung(number: str, area_code: str | None) -> bool:
    try:
        phones.parse(number, area_code)
    except FieldRefused:
        return False
    return True


def parse(toml: str, file: str = "event file") -> Definition:
    """The definition in a TOML text. Raises ``DefinitionInvalid`` with the first 200 mistakes and
    the number of the others. ``file`` is the name to put before each.

    A short TOML text can take unlimited time and memory: use ``event_reader`` for a text that was
    uploaded.
    """
    try:
        return of_raw(_tables(toml))
    except DefinitionInvalid as invalid:
        told = [f"{file}: {mistake}" for mistake in _first(invalid.mistakes)]
        raise DefinitionInvalid(told) from invalid


def _tables(toml: str) -> dict[str, Any]:
    """The tables of the text. Raises ``DefinitionInvalid`` if it is not TOML, too large or too
    deep."""
    if len(toml) > LONGEST:
        raise DefinitionInvalid([f"must have at most {LONGEST} characters"])
    try:
        raw = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:  # its text names the line
        raise DefinitionInvalid([f"not TOML: {error}"]) from error
    except RecursionError as error:
        raise DefinitionInvalid([_TOO_DEEP]) from error
    except ValueError as error:  # Python reads numbers of up to 4,300 digits
        raise DefinitionInvalid(["a number in it has too many digits"]) from error
    _check_size(raw)
    return raw


def _check_size(raw: dict[str, Any]) -> None:
    """Raise ``DefinitionInvalid`` if there are too many values or too many levels.

    Goes through one level after the other: a recursive walk could itself become too deep.
    """
    level: list[dict[str, Any] | list[Any]] = [raw]
    values = 0
    for _ in range(_DEEPEST):
        held = [table.values() if isinstance(table, dict) else table for table in level]
        inner = list(chain.from_iterable(held))
        values += len(inner)
        if values > _MOST_VALUES:
            raise DefinitionInvalid([f"must have at most {_MOST_VALUES} values"])
        level = [value for value in inner if isinstance(value, dict | list)]
    if level:
        raise DefinitionInvalid([_TOO_DEEP])


def _first(mistakes: list[str]) -> list[str]:
    """The first mistakes, and how many more there are."""
    more = len(mistakes) - _MOST_TOLD
    return [*mistakes[:_MOST_TOLD], f"and {more} more mistakes"] if more > 0 else mistakes


def of_raw(raw: dict[str, Any]) -> Definition:
    """The definition in these tables. Raises ``DefinitionInvalid`` with every mistake, each
    beginning with its path."""
    mistakes = []
    try:
        definition = Definition.model_validate(raw, context=WRITTEN)
    except ValidationError as error:
        mistakes = list(_mistakes(error))
    known = {path for path, _ in mistakes}
    mistakes += [mistake for mistake in _impossible(_Raw(raw)) if mistake[0] not in known]
    if mistakes:
        raise DefinitionInvalid([f"{path}: {expected}" for path, expected in mistakes])
    return definition


def write(definition: Definition) -> str:
    """Write the definition as an event file. Leaves out default values; comments of the original
    file are lost."""
    import tomli_w  # noqa: PLC0415 - loaded only to download or edit a file

    return tomli_w.dumps(raw_of(definition))


def raw_of(definition: Definition) -> dict[str, Any]:
    """The definition as the tables of an event file, without default values."""
    raw = definition.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
    return {key: value for key, value in raw.items() if value not in ((), {})}


def warnings(definition: Definition, file: str = "event file") -> list[str]:
    """Words and punctuation that the event file should not use, each with its path. They are
    warnings: the organiser decides."""
    found = []
    for path, words in definition.texts():
        for word in forbidden_words(words):
            found.append(f"{file}: {path}: {word!r} promises a cure or pushes; choose another word")
        if path.endswith(".zh"):
            found += [
                f"{file}: {path}: {sign!r}: Chinese wants full-width punctuation"
                for sign in half_width(words)
            ]
    return found
