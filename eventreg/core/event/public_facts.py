"""What other programs may know of an event: the facts of its public page, as plain values."""

from datetime import datetime
from typing import Any

from eventreg.core.event import events
from eventreg.core.event.definition import Place
from eventreg.core.event.field_types import Words
from eventreg.core.models.event import Event


def of(event: Event, language: str, *, seats_left: int, now: datetime) -> dict[str, Any]:
    """The facts in ``zh`` or ``en``, ready for JSON. Times are ISO texts with the event's offset;
    what the event file does not say is ``None``."""
    definition = events.definition(event)
    line = definition.phone_line
    return {
        "slug": event.slug,
        "title": definition.title.in_(language),
        "summary": _said(definition.summary, language),
        "phase": events.phase(event, now).value,
        "starts_at": _time(event, event.starts_at),
        "ends_at": _time(event, event.ends_at),
        "check_in_opens_at": _time(event, event.check_in_opens_at),
        "check_in_closes_at": _time(event, event.check_in_closes_at),
        "registration_opens_at": _time(event, event.registration_opens_at),
        "registration_closes_at": _time(event, event.registration_closes_at),
        "place": _place(definition.place, language),
        "phone": line.shown if line else None,
        "capacity": definition.capacity,
        "seats_left": seats_left,
        "notice": _said(definition.notice.text, language) if definition.notice else None,
        "changed_at": _time(event, event.applied_at),
    }


def _place(place: Place, language: str) -> dict[str, str | None]:
    return {
        "name": place.name.in_(language),
        "address": _said(place.address, language),
        "transport": _said(place.transport, language),
        "access": _said(place.access, language),
        "map": place.map,
    }


def _said(words: Words | None, language: str) -> str | None:
    return words.in_(language) if words else None


def _time(event: Event, moment: datetime | None) -> str | None:
    return moment.astimezone(events.zone(event)).isoformat() if moment else None
