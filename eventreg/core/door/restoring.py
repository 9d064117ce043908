"""Give a seat back to somebody who stands at the door: the seat was given away because the person
came late, or the person had cancelled. If no seat is free, who came late waits first in line."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.door import present
from eventreg.core.door.present import Standing
from eventreg.core.errors import AttendeeWaiting, EventFull, RegistrationClosed, SeatsRaced
from eventreg.core.event.events import Phase
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import (
    check_in_codes,
    identity,
    lookup,
    party_rules,
    seats,
    waitlist,
)
from eventreg.core.registration.entries import EntryWriter, filled_in_again, name_of, phone_of
from eventreg.core.registration.seats import SeatCount


def restore(
    session: Session, event: Event, attendee: str, *, secret_key: str, by: Actor, now: datetime
) -> Standing:
    """Give a released or cancelled person a seat again, with the old code. If none is free, a
    released person waits at the door, first in line, under a new registration: then the answer has
    the state ``waitlisted``. Who has a seat already keeps it.

    Refuses with ``AttendeeUnknown``, ``AttendeeWaiting``, ``AlreadyRegistered``, ``PhoneAtLimit``,
    ``RegistrationClosed`` if the event was called off, and, for a person who cancelled, with
    ``EventFull``. Raises ``SeatsRaced`` if the event or the number changed meanwhile.
    """
    known = present.person_of(session, event, attendee)
    phone = phone_of(lookup.get(session, known.registration_id))
    party_rules.queue_for_number(session.connection(), event, phone)
    counted = seats.lock(session, event.id, now=now)
    if not counted.is_of(event):
        raise SeatsRaced
    counted = waitlist.promote(session, event, counted, now=now)
    person = identity.attendee(session, event, attendee)
    registration = lookup.get(session, person.registration_id)
    session.refresh(registration, with_for_update=True)
    if phone_of(registration) != phone:
        raise SeatsRaced
    settled = _settled(session, registration, person)
    if settled is not None:
        return present.standing(session, event, settled)
    _check_party(session, event, registration, person)
    case = _Case(session, event, registration, person, counted, by, now)
    if counted.capacity > counted.taken:
        case.seat()
    elif person.released_at is None:
        raise EventFull(counted.left)
    else:
        person = case.wait_first(secret_key)
    return present.standing(session, event, person)


def _settled(session: Session, registration: Registration, person: Attendee) -> Attendee | None:
    """The person, if there is a seat already; or the same person in a registration that was put
    first in line. Refuses with ``AttendeeWaiting`` if the person or the rest of the party waits."""
    if person.is_live and person.code:
        return person
    if person.is_live or registration.state == RegistrationState.WAITLISTED:
        raise AttendeeWaiting(person.public_id, person.name)
    return next(
        (
            other
            for one in lookup.put_first_from(session, registration)
            for other in lookup.party(session, one)
            if other.name_folded == person.name_folded
        ),
        None,
    )


def _check_party(
    session: Session, event: Event, registration: Registration, person: Attendee
) -> None:
    """Refuse a person who has registered again meanwhile, too many under one number, and everybody
    if the event was called off."""
    if event.notice == "cancelled":
        raise RegistrationClosed(Phase.CANCELLED)
    party_rules.check_number(
        session,
        event,
        [name_of(person)],
        phone_of(registration),
        besides=registration.id,
        beyond=registration.over_limit,
    )


@dataclass(frozen=True)
class _Case:
    """One person who has no seat and stands at the door, with the counter locked."""

    session: Session
    event: Event
    registration: Registration
    person: Attendee
    counted: SeatCount
    by: Actor
    now: datetime

    def seat(self) -> None:
        """Give the person a seat; one that is held for callers, if no other is free."""
        session, person, registration = self.session, self.person, self.registration
        from_held = min(self.counted.held, max(0, 1 - self.counted.left))
        person.cancelled_at = person.released_at = None
        person.phone_number = registration.phone_number
        person.phone_tail = registration.phone_tail
        check_in_codes.give_again(session, self.event, self.counted.capacity, person)
        registration.state, registration.cancelled_at = RegistrationState.CONFIRMED, None
        registration.version += 1
        session.flush()
        self._record(
            Action.SEAT_RESTORED,
            attendees=[person.id],
            state=RegistrationState.CONFIRMED,
            **({"from_held": from_held} if from_held else {}),
        )
        seats.move(session, self.event.id, self.counted, taken=1, from_held=from_held)

    def wait_first(self, secret_key: str) -> Attendee:
        """Write the person as a waiting registration of its own, before all others, and at the
        door. The old one is then an ordinary cancellation: the person has come."""
        session, event, by, now = self.session, self.event, self.by, self.now
        entry, connection = filled_in_again(self.registration, [self.person]), session.connection()
        writer = EntryWriter(session, connection, event, entry, secret_key, by, now)
        made = writer.write(
            entry.names, Action.WAITLIST_JOINED, self.counted, split_from=self.registration.id
        )
        waiting = lookup.get(session, made.id)
        waiting.put_first_at = now
        self.person.released_at = None
        session.flush()
        self._record(Action.PUT_FIRST, registration=made.id, released=True)
        seats.move(session, event.id, self.counted, waiting=1)
        present.join(session, event, made.id, by=by, now=now)
        return lookup.party(session, waiting)[0]

    def _record(self, action: Action, **details: Any) -> None:
        audit.record(
            self.session,
            action,
            self.by,
            now=self.now,
            event_id=self.event.id,
            registration_id=self.registration.id,
            seats=1,
            **details,
        )
