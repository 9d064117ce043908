"""Cancellations: give back the seats or waiting places of a whole party, or of some of its people.

Seats that come free go to waiting parties in the same transaction.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session

from eventreg.core import audit, outbox
from eventreg.core.audit import REGISTRANT, Action, Actor
from eventreg.core.errors import (
    AlreadyCancelled,
    AttendeeUnknown,
    CheckedInAlready,
    TooLateToCancel,
)
from eventreg.core.models.event import Event
from eventreg.core.models.outbox import MessageKind
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import arrivals, seats, waitlist
from eventreg.core.registration.seats import SeatCount

_people = select(Attendee.id).where(Attendee.registration_id == bindparam("registration"))
_leave = (
    update(Attendee)
    .where(
        Attendee.registration_id == bindparam("registration"),
        Attendee.id.in_(bindparam("people", expanding=True)),
        LIVE,
    )
    .values(cancelled_at=bindparam("at", type_=Registration.created_at.type))
    .returning(Attendee.id)
    .execution_options(synchronize_session="fetch")
)
_remain = select(exists(_people.where(LIVE)))
_state = select(Registration.state, Registration.email).where(
    Registration.id == bindparam("registration")
)
_grow_version = (
    update(Registration)
    .where(Registration.id == bindparam("registration"))
    .values(version=Registration.version + 1)
    .execution_options(synchronize_session="fetch")
)


def cancel(
    session: Session,
    event: Event,
    registration: Registration,
    people: Collection[int] = (),
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Give back the seats, or waiting places, of these attendees; without ``people``, of all. If
    nobody of the party remains, the registration is cancelled and its owed messages are withdrawn;
    a mail about it is owed, unless the registrant cancelled.

    Locks the counter first, so simultaneous cancellations of one party happen once: the second is
    refused with ``AlreadyCancelled``. Also refuses with ``AttendeeUnknown`` and, for a registrant
    but not for staff, with ``TooLateToCancel`` and ``CheckedInAlready``.
    """
    counted = seats.lock(session, event.id, now=now)
    chosen = _chosen(session, registration, people)
    state, email = session.execute(_state, {"registration": registration.id}).one()
    if by == REGISTRANT and now >= event.starts_at and state != RegistrationState.CANCELLED:
        raise TooLateToCancel
    leaving = _leave_event(session, registration, chosen, by=by, now=now)
    was_waiting = state == RegistrationState.WAITLISTED
    action = Action.WAITLIST_LEFT if was_waiting else Action.SEATS_RELEASED
    _record(session, event, action, registration.id, leaving, by=by, now=now)
    if session.execute(_remain, {"registration": registration.id}).scalar_one():
        session.execute(_grow_version, {"registration": registration.id})
    else:
        _close(session, registration.id, now=now)
        to = None if by == REGISTRANT else email
        kind = MessageKind.CANCELLED
        outbox.enqueue(session, event, registration.id, kind, email=to, now=now)
    waiting, taken = (-len(leaving), 0) if was_waiting else (0, -len(leaving))
    counted = seats.move(session, event.id, counted, taken=taken, waiting=waiting)
    waitlist.promote(session, event, counted, now=now)


def release(
    session: Session,
    event: Event,
    counted: SeatCount,
    people: Sequence[Attendee],
    *,
    by: Actor,
    now: datetime,
) -> SeatCount:
    """Give away the seats of these people, who have a seat and did not come. They are cancelled for
    that reason: they count as no-shows, are sent no mail, and undoing is not offered; the door may
    give them a seat again (``core.door.restoring``).

    The counter must be locked, as ``counted``, and so must be the people's rows. Returns the
    counter; the caller promotes.
    """
    by_party = sorted(people, key=lambda person: (person.registration_id, person.id))
    for registration_id, party in groupby(by_party, key=lambda person: person.registration_id):
        leaving = list(party)
        for person in leaving:
            person.cancelled_at = person.released_at = now
        session.flush()
        gone, action = [person.id for person in leaving], Action.SEATS_RELEASED
        _record(session, event, action, registration_id, gone, by=by, now=now, released=True)
        if session.execute(_remain, {"registration": registration_id}).scalar_one():
            session.execute(_grow_version, {"registration": registration_id})
        else:
            _close(session, registration_id, now=now)
    return seats.move(session, event.id, counted, taken=-len(people))


def _record(
    session: Session,
    event: Event,
    action: Action,
    registration_id: int,
    leaving: Sequence[int],
    *,
    by: Actor,
    now: datetime,
    **details: bool,
) -> None:
    audit.record(
        session,
        action,
        by,
        now=now,
        event_id=event.id,
        registration_id=registration_id,
        seats=len(leaving),
        attendees=leaving,
        **details,
    )


def _chosen(session: Session, registration: Registration, people: Collection[int]) -> set[int]:
    """The attendees to cancel; all of them must belong to the registration."""
    members = set(session.scalars(_people, {"registration": registration.id}))
    chosen = set(people) or members
    if not chosen <= members:
        raise AttendeeUnknown
    return chosen


def _leave_event(
    session: Session, registration: Registration, chosen: set[int], *, by: Actor, now: datetime
) -> list[int]:
    """Mark these attendees as cancelled. Returns those who were not cancelled before.
    Raises ``AlreadyCancelled`` if there are none, and as ``cancel`` says."""
    leaving = session.scalars(
        _leave, {"registration": registration.id, "people": list(chosen), "at": now}
    ).all()
    if not leaving:
        raise AlreadyCancelled
    if by == REGISTRANT and arrivals.has_anyone_arrived(session, leaving):
        raise CheckedInAlready
    return sorted(leaving)


def _close(session: Session, registration_id: int, *, now: datetime) -> None:
    """Cancel the registration itself, because its last attendee has no seat any more. Withdraws
    what is owed to it."""
    session.execute(
        update(Registration)
        .where(Registration.id == registration_id)
        .values(
            state=RegistrationState.CANCELLED, cancelled_at=now, version=Registration.version + 1
        )
        .execution_options(synchronize_session="fetch")
    )
    outbox.withdraw(session, registration_id, now=now)
