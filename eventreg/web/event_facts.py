"""What pages about an event say: its facts, its phase, and whether now is a time to call."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g

from eventreg import i18n
from eventreg.core.errors import Busy, EventUnknown
from eventreg.core.event import events, phone_hours
from eventreg.core.event.definition import PhoneLine
from eventreg.core.models.event import Event
from eventreg.core.registration import availability, waitlist
from eventreg.core.registration.availability import Glance
from eventreg.core.registration.seats import SeatCount
from eventreg.core.values import phones
from eventreg.storage.session import db, reading, reading_already, write
from eventreg.web.language import hour, say


@dataclass(frozen=True)
class DayCalls:
    """The number of the day: as it is shown and dialled, its hours, and whether now is one of
    them."""

    shown: str
    dial: str
    hours: str
    answered: bool


@dataclass(frozen=True)
class Calls:
    """The telephone line at this moment: whether it is a time for calls, and if not, when the next
    one begins; and from the evening before, the number of the day, if there is one."""

    line: PhoneLine
    answered: bool
    opens: datetime | None
    on_the_day: DayCalls | None


def check_language(lang: str) -> None:
    """An address in a language that we do not speak does not exist."""
    if lang not in i18n.LANGUAGES:
        raise EventUnknown(lang)


def calls(event: Event) -> Calls | None:
    """What to say about the telephone, where the event has a line."""
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


def look(slug: str) -> Glance:
    """The event of that slug and its counter, at the least cost; only for reading."""
    return availability.at(db.engine, reading_already(), slug, now=g.now)


def seats_now(event: Event, counted: SeatCount | None = None) -> SeatCount:
    """The counter. Where seats held until now have come free by the clock, the waiting get them
    first."""
    counted = counted or look(event.slug).counted
    if not counted.waiting or not waitlist.is_due(reading(), event, counted, now=g.now):
        return counted
    now, slug = g.now, event.slug
    with suppress(Busy):
        return write(lambda session: waitlist.settle(session, events.get(session, slug), now=now))
    return counted


def area_code(event: Event) -> str | None:
    """The area code that local callers leave out."""
    line = events.definition(event).phone_line
    return line.area_code if line else None


def about(event: Event) -> dict[str, Any]:
    """For the templates of every page about an event."""
    definition, zone = events.definition(event), events.zone(event)
    return {
        "event": event,
        "definition": definition,
        "zone": zone,
        "release_notice": _release_notice(event),
    }


def _release_notice(event: Event) -> str:
    """That seats of people who have not come are given away, and when; nothing where they are
    not."""
    definition, zone = events.definition(event), events.zone(event)
    release = definition.aware(definition.check_in.release_at)
    if release is None:
        return ""
    return say(
        "release_notice", start=hour(event.check_in_closes_at, zone), release=hour(release, zone)
    )


def facts(event: Event) -> dict[str, Any]:
    """For the templates of public pages: also the telephone, and what the moment means."""
    return {**about(event), "calls": calls(event), "phase": events.phase(event, g.now)}


def of_the_next(coming: Sequence[Event]) -> dict[str, Any]:
    """The facts of the event that is next, for the telephone number on a page that has no event of
    its own."""
    return facts(coming[0]) if coming else {}
