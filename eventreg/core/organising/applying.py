"""Apply event files: change an event, or create it, to match its file."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.core import audit, outbox
from eventreg.core.audit import Action, Actor
from eventreg.core.event.definition import Definition, dump, leaves
from eventreg.core.event.events import definition
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.registration import seats, waitlist
from eventreg.core.staff import sessions


@dataclass(frozen=True)
class Applied:
    """The result of applying a file. ``changes`` are (key, before, after); there are none if the
    event is new, or if the file is the same as before. ``seats`` is the counter afterwards."""

    event: Event
    created: bool
    changes: Sequence[tuple[str, str, str]]
    seats: seats.SeatCount


def _columns(definition: Definition) -> dict[str, Any]:
    """The columns of ``events``: the values that rules need, and the whole definition as JSON."""
    check_in_opens = definition.aware(definition.check_in_opens)
    line = definition.phone_line
    return {
        "slug": definition.slug,
        "timezone": definition.timezone,
        "starts_at": definition.aware(definition.starts_at),
        "ends_at": definition.aware(definition.ends_at),
        "registration_opens_at": definition.aware(definition.registration.opens_at),
        "registration_closes_at": definition.aware(definition.registration.closes_at)
        or check_in_opens,
        "check_in_opens_at": check_in_opens,
        "check_in_closes_at": definition.aware(definition.check_in_closes),
        "max_party": definition.max_party,
        "max_per_phone": definition.max_per_phone,
        "waitlist_open": definition.waitlist.open,
        "waitlist_size": definition.waitlist.size,
        "held_seats": line.held_seats if line else 0,
        "held_until": (definition.aware(line.held_until) or check_in_opens) if line else None,
        "notice": definition.notice.kind if definition.notice else None,
        "definition": dump(definition),
    }


def _flat(stored: str | None) -> dict[str, str]:
    """A stored definition as values by key path, without the keys that have no value."""
    given = leaves(json.loads(stored)) if stored else ()
    return {path: str(value) for path, value in given if value is not None}


def facts(definition: Definition) -> dict[str, str]:
    """Every fact of the definition as text, by the path of its key."""
    return _flat(dump(definition))


def _changes(before: str | None, after: str) -> Sequence[tuple[str, str, str]]:
    """Every key whose value differs, with both values; a missing key has an empty value."""
    old, new = _flat(before), _flat(after)
    keys = list(new) + [key for key in old if key not in new]
    return [
        (key, old.get(key, ""), new.get(key, "")) for key in keys if old.get(key) != new.get(key)
    ]


def draft(definition: Definition) -> Event:
    """The event that a definition would make, for a preview; it is not stored."""
    return Event(version=0, check_in_opened_at=None, **_columns(definition))


def differences(event: Event | None, definition: Definition) -> Sequence[tuple[str, str, str]]:
    """What applying a definition would change, as (key, before, after). A new event has no
    changes."""
    return _changes(event.definition, dump(definition)) if event else ()


def apply(session: Session, definition: Definition, *, by: Actor, now: datetime) -> Applied:
    """Change an event, or create it, to match its file.

    Nobody loses a seat by it, and seats that come free go to waiting parties. If the notice of an
    event changes, it is owed to all its registrations. Staff who are signed in may stay signed in
    longer (``sessions.extend_for_events``). Applying the same file again changes nothing.
    """
    columns = _columns(definition)
    event = session.scalar(select(Event).where(Event.slug == definition.slug))
    if event:
        # The counter first, as everywhere that locks both rows. With it locked, no one registers
        # while the event changes.
        seats.lock(session, event.id, now=now)
        session.refresh(event, with_for_update={"key_share": True})
    changes = _changes(event.definition if event else None, columns["definition"])
    if event and not changes:
        return Applied(event, False, (), seats.count(session, event.id, now=now))
    created, held_before, notice_before = event is None, 0, ("", "")
    if event is None:
        event = Event(version=0, check_in_opened_at=None)
        session.add(event)
    else:
        held_before, notice_before = event.held_seats, _notice(event)
    for column, value in columns.items():
        setattr(event, column, value)
    event.version += 1
    event.stamp = secrets.token_hex(16)
    event.applied_at = now
    session.flush()
    if created:
        session.add(EventSeats(event_id=event.id, capacity=0))
        session.flush()
    sessions.extend_for_events(session, now=now)
    counted = _settle(session, event, definition, held_before, by=by, now=now)
    if not created and _notice(event) != notice_before:
        outbox.announce(session, event, now=now)
    return Applied(event, created, () if created else changes, counted)


def _notice(event: Event) -> tuple[str, str]:
    """Kind and text of the event's notice, for comparing; empty if it has none."""
    notice = definition(event).notice
    return (notice.kind, str(notice.text)) if notice else ("", "")


def _settle(
    session: Session,
    event: Event,
    definition: Definition,
    held_before: int,
    *,
    by: Actor,
    now: datetime,
) -> seats.SeatCount:
    """Set capacity and held seats to what the file says, and promote waiting parties that fit now.

    Held seats that are used up stay used up, unless the file changes their number.
    """
    before = seats.count_held(session, event.id)
    held = before if event.held_seats == held_before else event.held_seats
    counted = seats.set_capacity(session, event.id, definition.capacity, held=held, now=now)
    audit.record(
        session,
        Action.EVENT_APPLIED,
        by,
        now=now,
        event_id=event.id,
        version=event.version,
        capacity=definition.capacity,
        over=counted.over,
        held=held - before,
    )
    return waitlist.promote(session, event, counted, now=now)
