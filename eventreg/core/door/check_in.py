"""Check-in at the door: each arrival is a row, an undo marks it and keeps it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import (
    AttendeeCancelled,
    AttendeeUnknown,
    AttendeeWaiting,
    OutsideCheckInWindow,
)
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import identity
from eventreg.core.registration.arrivals import standing


@dataclass(frozen=True)
class Outcome:
    """What the door learns: whose arrival it is, whether it is new, and whether it counts as
    late."""

    check_in_id: int
    attendee: str
    registration_id: int
    name: str
    fresh: bool
    arrived_at: datetime
    late: bool
    undone: bool = False


def _arrival(session: Session, event: Event, check_in_id: int) -> tuple[Attendee, CheckIn]:
    """An arrival at this event, whether it stands or was undone, and whose it is."""
    arrival = session.get(CheckIn, check_in_id)
    if arrival is None or arrival.event_id != event.id:
        raise AttendeeUnknown
    return session.get_one(Attendee, arrival.attendee_id), arrival


def _outcome(person: Attendee, arrival: CheckIn, fresh: bool) -> Outcome:
    return Outcome(
        arrival.id,
        person.public_id,
        person.registration_id,
        person.name,
        fresh,
        arrival.arrived_at,
        arrival.late,
        arrival.undone_at is not None,
    )


def check_in(
    session: Session,
    event: Event,
    attendee: str,
    *,
    anyway: bool,
    by: Actor,
    now: datetime,
    by_paper: bool = False,
) -> Outcome:
    """Record the arrival of one person. Somebody who is in stays in, with the time of the first
    arrival. ``by_paper``: typed back from the list, and then neither early nor late.

    Refuses with ``AttendeeUnknown``, ``AttendeeCancelled``, ``AttendeeWaiting`` and, before the
    window unless ``anyway``, ``OutsideCheckInWindow``.
    """
    person = identity.attendee(session, event, attendee)
    already = standing(session, person.id)
    if already is not None:
        return _outcome(person, already, fresh=False)
    if person.cancelled_at is not None:
        raise AttendeeCancelled(person.public_id, person.name, person.cancelled_at)
    if person.code is None:
        raise AttendeeWaiting(person.public_id, person.name)
    early = now < event.check_in_opens_at
    if early and not anyway and not events.check_in_is_open(event, now):
        raise OutsideCheckInWindow(person.public_id, person.name, event.check_in_opens_at)
    if by.staff_id is None:
        raise ValueError("a check-in is made by a staff member")
    arrival = CheckIn(
        event_id=event.id,
        attendee_id=person.id,
        arrived_at=now,
        recorded_at=now,
        by_staff_id=by.staff_id,
        early=early and not by_paper,
        late=now >= event.check_in_closes_at and not by_paper,
        by_paper=by_paper,
    )
    session.add(arrival)
    session.flush()
    _record(session, Action.CHECKED_IN, person, by, now)
    return _outcome(person, arrival, fresh=True)


def undo(
    session: Session,
    event: Event,
    check_in_id: int,
    attendee: str = "",
    *,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Withdraw an arrival; the row stays, marked. Doing it twice is doing it once.
    ``AttendeeUnknown`` if there is no such arrival at this event, or if it is not that of
    ``attendee``, where one is named."""
    person, arrival = _arrival(session, event, check_in_id)
    if attendee and attendee != person.public_id:
        raise AttendeeUnknown
    fresh = arrival.undone_at is None
    if fresh:
        arrival.undone_at, arrival.undone_by_staff_id = now, by.staff_id
        session.flush()
        _record(session, Action.CHECK_IN_UNDONE, person, by, now)
    return _outcome(person, arrival, fresh=fresh)


def _record(session: Session, action: Action, person: Attendee, by: Actor, now: datetime) -> None:
    audit.record(
        session,
        action,
        by,
        now=now,
        event_id=person.event_id,
        registration_id=person.registration_id,
        attendee_id=person.id,
        place=person.place,
    )


def outcome(session: Session, event: Event, check_in_id: int, *, fresh: bool) -> Outcome:
    """The outcome of an earlier check-in or undo, for the page that follows it."""
    return _outcome(*_arrival(session, event, check_in_id), fresh)
