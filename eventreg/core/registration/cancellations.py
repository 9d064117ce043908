"""Giving seats back: one person of a party or all of it. What is freed goes to the waiting in the
same transaction."""

from collections.abc import Collection
from datetime import datetime

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
    """Give back the seats, or waiting places, of these attendees; none named means all of the
    party.

    Refuses with ``AlreadyCancelled`` (the second of two who do it together), ``AttendeeUnknown``
    and, for a registrant, ``CheckedInAlready`` and ``TooLateToCancel``. Takes the lock before it
    looks, so eight at once are one.
    """
    counted = seats.lock(session, event.id, now=now)
    party = set(session.scalars(_people, {"registration": registration.id}))
    chosen = set(people) or party
    if not chosen <= party:
        raise AttendeeUnknown
    state, email = session.execute(_state, {"registration": registration.id}).one()
    if by == REGISTRANT and now >= event.starts_at and state != RegistrationState.CANCELLED:
        raise TooLateToCancel
    leaving = list(
        session.scalars(
            _leave, {"registration": registration.id, "people": list(chosen), "at": now}
        )
    )
    if not leaving:
        raise AlreadyCancelled
    if by == REGISTRANT and arrivals.anybody_arrived(session, leaving):
        raise CheckedInAlready
    waited = state == RegistrationState.WAITLISTED
    left = len(leaving)
    audit.record(
        session,
        Action.WAITLIST_LEFT if waited else Action.SEATS_RELEASED,
        by,
        now=now,
        event_id=event.id,
        registration_id=registration.id,
        seats=left,
    )
    if session.execute(_remain, {"registration": registration.id}).scalar_one():
        session.execute(_grow_version, {"registration": registration.id})
    else:
        _close(session, event, registration, email, by=by, now=now)
    waiting, taken = (-left, 0) if waited else (0, -left)
    counted = seats.move(session, event.id, counted, taken=taken, waiting=waiting)
    waitlist.promote(session, event, counted, now=now)


def _close(
    session: Session,
    event: Event,
    registration: Registration,
    email: str | None,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Nobody of the party is left."""
    session.execute(
        update(Registration)
        .where(Registration.id == registration.id)
        .values(
            state=RegistrationState.CANCELLED, cancelled_at=now, version=Registration.version + 1
        )
        .execution_options(synchronize_session="fetch")
    )
    outbox.withdraw(session, registration.id, now=now)
    if by != REGISTRANT:
        outbox.enqueue(session, event, registration.id, MessageKind.CANCELLED, email=email, now=now)
