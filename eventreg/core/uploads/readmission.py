"""Give a seat again to a cancelled person whom a door has let in without knowing it.

``restoring`` asks whether a seat is free. Here the person is in the room already: if the seat is
gone, the event is over its capacity by one, and the desk is told.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import AlreadyRegistered, AttendeeWaiting
from eventreg.core.models.event import Event
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import check_in_codes, seats


def live_twin(session: Session, person: Attendee) -> Attendee | None:
    """The same person in a registration that was made after this one was cancelled."""
    same = (
        Attendee.event_id == person.event_id,
        Attendee.phone_number == person.phone_number,
        Attendee.name_folded == person.name_folded,
        Attendee.id != person.id,
        LIVE,
    )
    return session.scalar(select(Attendee).where(*same).limit(1))


def readmit(session: Session, event: Event, person: Attendee, *, by: Actor, now: datetime) -> bool:
    """Give the seat back to a person whom a door has let in. Returns whether it goes beyond the
    capacity.

    Refuses with ``AlreadyRegistered`` if the person has registered again, and with
    ``AttendeeWaiting`` if the rest of the party waits.
    """
    counted = seats.lock(session, event.id, now=now)
    registration = session.get_one(Registration, person.registration_id)
    session.refresh(registration, with_for_update=True)
    if registration.state == RegistrationState.WAITLISTED:
        raise AttendeeWaiting(person.public_id, person.name)
    twin = live_twin(session, person)
    if twin is not None:
        raise AlreadyRegistered(twin.registration_id)
    is_beyond = counted.taken >= counted.capacity
    _bring_back(session, event, registration, person, counted.capacity)
    over: dict[str, Any] = {"beyond": True} if is_beyond else {}
    audit.record(
        session,
        Action.SEAT_RESTORED,
        by,
        now=now,
        event_id=event.id,
        registration_id=registration.id,
        attendee_id=person.id,
        seats=1,
        attendees=[person.id],
        state=RegistrationState.CONFIRMED,
        **over,
    )
    seats.move(session, event.id, counted, taken=1, beyond=True)
    return is_beyond


def _bring_back(
    session: Session, event: Event, registration: Registration, person: Attendee, capacity: int
) -> None:
    """Make person and registration as they were, with the registration's present number."""
    person.cancelled_at = person.released_at = None
    person.phone_number, person.phone_tail = registration.phone_number, registration.phone_tail
    check_in_codes.give_again(session, event, capacity, person)
    registration.state, registration.cancelled_at = RegistrationState.CONFIRMED, None
    registration.version += 1
    session.flush()
    under_number = select(func.count(Attendee.id)).where(
        Attendee.event_id == event.id, Attendee.phone_number == registration.phone_number, LIVE
    )
    count: int = session.execute(under_number).scalar_one()
    if registration.phone_number and count > event.max_per_phone:
        registration.over_limit = True
        session.flush()
