"""Drafts: events that an organiser writes or changes in a form, and copies of older events.

A form field has the path of its key in the event file as its name, so a mistake found in the file
can be shown at the field.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from eventreg.core.audit import Actor
from eventreg.core.errors import EventUnknown, SlugTaken
from eventreg.core.event import event_file, events
from eventreg.core.event.definition import Definition
from eventreg.core.event.key_paths import put, value_at
from eventreg.core.organising import applying
from eventreg.core.organising.applying import Applied
from eventreg.core.values.notices import NoticeKind


class Kind(StrEnum):
    """The kind of value that a field holds. A text has two inputs, one for each language."""

    TEXT = "text"
    LINE = "line"
    NUMBER = "number"
    TIME = "time"
    MOMENT = "moment"
    SWITCH = "switch"
    PICTURE = "picture"


@dataclass(frozen=True)
class Field:
    """One key of the event file, as a field of the form."""

    path: str
    kind: Kind


def _fields(kind: Kind, *paths: str) -> tuple[Field, ...]:
    return tuple(Field(path, kind) for path in paths)


FACTS: Mapping[str, Sequence[Field]] = {
    "when": (
        *_fields(Kind.TIME, "check_in.opens_at", "check_in.closes_at", "check_in.release_at"),
        *_fields(Kind.MOMENT, "registration.opens_at", "registration.closes_at"),
    ),
    "seats": (
        *_fields(Kind.NUMBER, "capacity", "max_party", "max_per_phone"),
        *_fields(Kind.SWITCH, "waitlist.open"),
        *_fields(Kind.NUMBER, "waitlist.size", "waitlist.reach_within_hours", "gift.stock"),
    ),
    "words": _fields(Kind.TEXT, "title", "title_breaks", "theme", "summary", "health_note"),
    "place": (
        *_fields(Kind.TEXT, "place.name", "place.address", "place.transport", "place.access"),
        *_fields(Kind.LINE, "place.map"),
    ),
    "speaker": _fields(
        Kind.TEXT, "speaker.name", "speaker.post", "speaker.institution", "speaker.about"
    ),
    "gift": (*_fields(Kind.TEXT, "gift.text"), *_fields(Kind.SWITCH, "gift.at_check_in")),
    "telephone": (
        *_fields(Kind.LINE, "phone_line.number", "phone_line.area_code", "phone_line.calls_from"),
        *_fields(Kind.TIME, "phone_line.opens", "phone_line.closes"),
        *_fields(Kind.NUMBER, "phone_line.held_seats"),
        *_fields(Kind.MOMENT, "phone_line.held_until"),
        *_fields(Kind.LINE, "day_phone.number"),
        *_fields(Kind.TIME, "day_phone.from", "day_phone.until", "calls.opens", "calls.closes"),
    ),
    "site": (
        *_fields(Kind.TEXT, "site.short_name", "site.legal_name", "site.filing"),
        *_fields(Kind.NUMBER, "privacy.keep_days"),
        *_fields(Kind.TEXT, "privacy.server"),
    ),
}
"""The fields of the form that are not in lists, by group."""
LISTS: Mapping[str, Sequence[Field]] = {
    "agenda": (*_fields(Kind.TIME, "at", "until"), *_fields(Kind.TEXT, "text")),
    "topics": (*_fields(Kind.PICTURE, "picture"), *_fields(Kind.TEXT, "text")),
    "asked": _fields(Kind.TEXT, "text"),
    "bring": _fields(Kind.TEXT, "text"),
    "promises": _fields(Kind.TEXT, "text"),
    "hosts": _fields(Kind.TEXT, "name"),
}
"""The lists of the form, with the fields of one row."""
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


def values(definition: Definition) -> dict[str, str]:
    """The values of an event's form, by field name: those in the file, and the defaults of numbers
    and switches."""
    raw = event_file.raw_of(definition)
    found = {
        "date": f"{definition.starts_at:%Y-%m-%d}",
        "starts": f"{definition.starts_at:%H:%M}",
        "ends": f"{definition.local(definition.ends_at):%H:%M}",
        "waitlist.open": "yes" if definition.waitlist.open else "",
    }
    for field in (one for group in FACTS.values() for one in group):
        if field.path != "waitlist.open":
            found |= _shown(field, field.path, value_at(raw, field.path))
    # Keys with a default may be missing in the file; the form shows what is in force.
    found |= {
        "capacity": str(definition.capacity),
        "max_party": str(definition.max_party),
        "max_per_phone": str(definition.max_per_phone),
        "waitlist.size": str(definition.waitlist.size),
        "waitlist.reach_within_hours": str(definition.waitlist.reach_within_hours),
        "privacy.keep_days": str(definition.privacy.keep_days),
    }
    for name, fields in LISTS.items():
        for place, item in enumerate(raw.get(name, ())):
            for field in fields:
                found |= _shown(field, f"{name}.{place}.{field.path}", value_at(item, field.path))
    return found


def _shown(field: Field, path: str, value: Any) -> dict[str, str]:
    """The inputs of one field with their values; none if the key has no value."""
    if value is None:
        return {}
    if field.kind is Kind.SWITCH:
        return {path: "yes" if value else ""}
    if field.kind is Kind.TEXT:
        return {f"{path}.zh": value["zh"], f"{path}.en": value["en"]}
    if isinstance(value, dt.datetime):
        return {path: f"{value:%H:%M}" if field.kind is Kind.TIME else f"{value:%Y-%m-%dT%H:%M}"}
    return {path: f"{value:%H:%M}" if isinstance(value, dt.time) else str(value)}


def rows_of(typed: Mapping[str, str], name: str) -> Sequence[int]:
    """The rows of a list that the form shows: those that have a field, and one more for a new
    item."""
    row = re.compile(rf"{name}\.(0|[1-9]\d{{0,4}})\.", re.ASCII)
    places = {int(found[1]) for key in typed if (found := row.match(key))}
    return [*sorted(places), max(places, default=-1) + 1]


def merged(definition: Definition, typed: Mapping[str, str]) -> dict[str, Any]:
    """The event file's content with the values of the form. Keys that the form does not have stay.
    An empty field removes its key.

    A value that cannot be read stays as it was typed; the check of the whole file then refuses it.
    """
    raw = event_file.raw_of(definition)
    day = typed.get("date", "").strip()
    for key, name in (("starts_at", "starts"), ("ends_at", "ends")):
        raw[key] = _parsed(Kind.MOMENT, f"{day}T{typed.get(name, '').strip()}")
    if isinstance(raw["ends_at"], dt.datetime):
        raw["ends_at"] = raw["ends_at"].time()
    for field in (one for group in FACTS.values() for one in group):
        put(raw, field.path, _read(field, field.path, typed))
    for name, fields in LISTS.items():
        items = [
            {field.path: _read(field, f"{name}.{place}.{field.path}", typed) for field in fields}
            for place in rows_of(typed, name)
        ]
        given = [{key: value for key, value in item.items() if value is not None} for item in items]
        # A row with nothing but a picture counts as empty.
        raw[name] = [item for item in given if set(item) - {"picture"}]
    return {key: value for key, value in raw.items() if value not in ({}, [])}


def _read(field: Field, path: str, typed: Mapping[str, str]) -> Any:
    """The value that was typed into one field, or ``None`` if it was left empty. A switch that
    is off counts as empty, unless it is on by default."""
    if field.kind is Kind.SWITCH:
        is_on = typed.get(path) == "yes"
        return is_on if is_on or path == "waitlist.open" else None
    if field.kind is Kind.TEXT:
        both = {lang: typed.get(f"{path}.{lang}", "").strip() for lang in ("zh", "en")}
        return {lang: words for lang, words in both.items() if words} or None
    text = typed.get(path, "").strip()
    return _parsed(field.kind, text) if text else None


def _parsed(kind: Kind, text: str) -> Any:
    """The text as a value of that kind, or the text itself if it is none."""
    with suppress(ValueError):
        if kind is Kind.NUMBER and text.isascii():
            return int(text)
        if kind is Kind.TIME:
            return dt.time.fromisoformat(text)
        if kind is Kind.MOMENT:
            return dt.datetime.fromisoformat(text)
    return text


def slug_for(slug: str, day: dt.date) -> str:
    """The slug for a copy of an event on another day: may-5-singing becomes june-2-singing."""
    begins = f"{_MONTHS[day.month - 1]}-{day.day}"
    rest = re.sub(rf"^({'|'.join(_MONTHS)})-\d{{1,2}}-?", "", slug)
    rest = re.sub(r"-?\d{4}-\d{2}-\d{2}$", "", rest)
    return f"{begins}-{rest}"[:80].strip("-") if rest else begins


def copy(definition: Definition, slug: str, day: dt.date) -> Definition:
    """The same event on another day: its dates move along, but not the open and closed days of the
    phone line; its notice is removed. Raises ``DefinitionInvalid`` if a date or the slug is then
    wrong."""
    raw = event_file.raw_of(definition)
    raw.pop("notice", None)
    moved = _moved(raw, day - definition.starts_at.date())
    return event_file.of_raw({**moved, "slug": slug})


def _moved(value: Any, by: dt.timedelta) -> Any:
    """The value with every moment inside it moved; open and closed days of the phone line
    stay."""
    if isinstance(value, dict):
        return {
            key: inner if key in {"closed_on", "open_on"} else _moved(inner, by)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_moved(inner, by) for inner in value]
    return value + by if isinstance(value, dt.datetime) else value


def create(session: Session, definition: Definition, *, by: Actor, now: dt.datetime) -> Applied:
    """Create a new event; refuses with ``SlugTaken`` if another event has its slug."""
    with suppress(EventUnknown):
        events.get(session, definition.slug)
        raise SlugTaken
    return applying.apply(session, definition, by=by, now=now)


def with_notice(
    definition: Definition, kind: NoticeKind | None, text: Mapping[str, str] | None = None
) -> Definition:
    """The event with another notice; without one if ``kind`` is ``None``. Raises
    ``DefinitionInvalid`` if the text lacks a language."""
    raw = event_file.raw_of(definition)
    raw.pop("notice", None)
    if kind is not None:
        raw["notice"] = {"kind": kind, "text": dict(text or {})}
    return event_file.of_raw(raw)


def with_registration(definition: Definition, closes_at: dt.datetime | None) -> Definition:
    """The event with registration open until ``closes_at``, a time in the event's zone; ``None``
    means until check-in opens. The time at which registration opens is removed."""
    raw = event_file.raw_of(definition)
    raw["registration"] = (
        {"closes_at": closes_at.replace(tzinfo=None, microsecond=0)} if closes_at else {}
    )
    return event_file.of_raw(raw)
