"""The facts of an event for its pages: its definition, phase, seats and telephone line."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from flask import g

from eventreg import i18n
from eventreg.core.errors import Busy, EventUnknown
from eventreg.core.event import events, phone_hours
from eventreg.core.event.definition import PhoneLine
from eventreg.core.event.events import Phase
from eventreg.core.models.event import Event
from eventreg.core.registration import availability, waitlist
from eventreg.core.registration.availability import Glance
from eventreg.core.registration.seats import SeatCount
from eventreg.core.values import phones
from eventreg.storage.session import db, reading, reading_already, write


@dataclass(frozen=True)
class DayCalls:
    """The telephone number of the day of the event: as shown, as dialled, its hours, and whether it
    is answered now."""

    shown: str
    dial: str
    hours: str
    answered: bool


@dataclass(frozen=True)
class Moment:
    """What the time decides on the pages of an event. Two moments that are equal make the same
    page."""

    today: date
    phase: Phase
    calls_answered: bool
    calls_open: datetime | None
    day_phone: tuple[bool, bool]
    """Whether the number of the day is shown, and whether it is answered."""


@dataclass(frozen=True)
class Calls:
    """The telephone line at this moment: whether it is answered, and if not, when it opens next.

    From the evening before, also the number of the day, if there is one.
    """

    line: PhoneLine
    answered: bool
    opens: datetime | None
    on_the_day: DayCalls | None


def check_language(lang: str) -> None:
    """Raise ``EventUnknown`` if the URL names a language that we do not have."""
    if lang not in i18n.LANGUAGES:
        raise EventUnknown(lang)


def calls(event: Event) -> Calls | None:
    """The telephone line of the event; ``None`` if it has none."""
    line = events.definition(event).phone_line
    if line is None:
        return None
    local = g.now.astimezone(events.zone(event))
    return Calls(
        line,
        phone_hours.is_answered(line, local),
        phone_hours.next_opening(line, local),
        _on_the_day(event, local),
    )


def _on_the_day(event: Event, local: datetime) -> DayCalls | None:
    definition, zone = events.definition(event), events.zone(event)
    phone, starts = definition.day_phone, event.starts_at.astimezone(zone)
    if phone is None or not phone_hours.is_for_today(local, starts, event.ends_at):
        return None
    first, last = (i18n.time(hour) if hour else "" for hour in (phone.from_, phone.until))
    hours = f"{first}–{last}" if first or last else ""
    area = definition.phone_line.area_code if definition.phone_line else None
    answered = phone_hours.day_phone_is_answered(phone, local, starts)
    dial = phones.dial(phone.number, area)
    return DayCalls(phones.shown(dial), dial, hours, answered)


def glance(slug: str) -> Glance:
    """The event of that slug, which is not to be changed, and its seat counter, read with one cheap
    query. Raises ``EventUnknown``."""
    return availability.at(db.engine, reading_already(), slug, now=g.now)


def seats_now(event: Event, counted: SeatCount | None = None) -> SeatCount:
    """The seat counter. If held seats have come free by now, this first gives them to the waiting
    list, unless the database is busy."""
    counted = counted or glance(event.slug).counted
    if not counted.waiting or not waitlist.is_due(reading(), event, counted, now=g.now):
        return counted
    now, slug = g.now, event.slug
    with suppress(Busy):
        return write(lambda session: waitlist.settle(session, events.get(session, slug), now=now))
    return counted


def area_code(event: Event) -> str | None:
    """The area code that local callers leave out, if the event names one."""
    line = events.definition(event).phone_line
    return line.area_code if line else None


def about(event: Event) -> dict[str, Any]:
    """The values for the templates of every page about an event."""
    definition, zone = events.definition(event), events.zone(event)
    return {
        "event": event,
        "definition": definition,
        "zone": zone,
        "release_at": events.announced_release(event),
    }


def facts(event: Event) -> dict[str, Any]:
    """The values for the templates of public pages: also the telephone line and the phase."""
    return {**about(event), "calls": calls(event), "phase": events.phase(event, g.now)}


def moment(event: Event) -> Moment:
    """What the time of this request decides about an event, as ``glance`` returns it."""
    return _moment_of_second(event, int(g.now.timestamp()))


@lru_cache(maxsize=64)
def _moment_of_second(event: Event, _second: int) -> Moment:
    """The same for each request of this second, since phases and telephone hours change on full
    seconds."""
    line = calls(event)
    on_the_day = line.on_the_day if line else None
    return Moment(
        today=g.now.astimezone(events.zone(event)).date(),
        phase=events.phase(event, g.now),
        calls_answered=bool(line and line.answered),
        calls_open=line.opens if line else None,
        day_phone=(on_the_day is not None, bool(on_the_day and on_the_day.answered)),
    )


def of_the_next(coming: Sequence[Event]) -> dict[str, Any]:
    """The facts of the next event, for the telephone number on a page without an event; empty if
    there is none."""
    return facts(coming[0]) if coming else {}
