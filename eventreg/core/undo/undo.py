"""Undo a cancellation within ten minutes. One rule for guests and for the desk.

The seat comes back if it is still free: nobody loses one by it. If it was given away, staff may put
these people first in line, the one exception to first come, first served
(docs/adr/0005-the-counter-last-and-the-lock-first.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from eventreg.core import audit, outbox
from eventreg.core.audit import REGISTRANT, Action, Actor
from eventreg.core.errors import (
    AlreadyRegistered,
    NothingToUndo,
    RegistrationClosed,
    SeatGivenAway,
    SeatsRaced,
    TooLateToUndo,
)
from eventreg.core.event.events import Phase
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import check_in_codes, lookup, party_rules, seats, waitlist
from eventreg.core.registration.entries import EntryWriter, filled_in_again, name_of, phone_of
from eventreg.core.registration.seats import SeatCount
from eventreg.core.undo import cancelled
from eventreg.core.undo.cancelled import Cancellation


@dataclass(frozen=True)
class _Case:
    """One cancellation, with the counter locked and nobody waiting who could sit."""

    session: Session
    event: Event
    registration: Registration
    cancellation: Cancellation
    people: Sequence[Attendee]
    counted: SeatCount
    by: Actor
    now: datetime

    def restore(self, *, waits: bool) -> None:
        """Let these people come back, and take their seats or waiting places last."""
        session, registration, people = self.session, self.registration, len(self.people)
        state = RegistrationState.WAITLISTED if waits else RegistrationState.CONFIRMED
        for person in self.people:
            person.cancelled_at = None
            person.phone_number = registration.phone_number
            person.phone_tail = registration.phone_tail
            if not waits:
                check_in_codes.give_again(session, self.event, self.counted.capacity, person)
            session.flush()
        registration.state, registration.cancelled_at = state, None
        registration.version += 1
        session.flush()
        outbox.owe_again(
            session, self.event, registration, withdrawn_at=self.cancellation.at, now=self.now
        )
        self._record(Action.CANCELLATION_UNDONE, state=state)
        taken, waiting = (0, people) if waits else (people, 0)
        after = seats.move(session, self.event.id, self.counted, taken=taken, waiting=waiting)
        waitlist.promote(session, self.event, after, now=self.now)

    def wait_first(self, secret_key: str) -> None:
        """Write these people as a waiting registration of their own, before all others."""
        session, counted = self.session, self.counted
        waitlist.check_room(self.event, counted, len(self.people))
        entry = filled_in_again(self.registration, self.people)
        connection = session.connection()
        writer = EntryWriter(session, connection, self.event, entry, secret_key, self.by, self.now)
        made = writer.write(
            entry.names, Action.WAITLIST_JOINED, counted, split_from=self.registration.id
        )
        session.execute(
            update(Registration).where(Registration.id == made.id).values(put_first_at=self.now)
        )
        self._record(Action.PUT_FIRST, registration=made.id)
        after = seats.move(session, self.event.id, counted, waiting=len(self.people))
        waitlist.promote(session, self.event, after, now=self.now)

    def _record(self, action: Action, **details: Any) -> None:
        audit.record(
            self.session,
            action,
            self.by,
            now=self.now,
            event_id=self.event.id,
            registration_id=self.registration.id,
            seats=len(self.people),
            **details,
        )


def undo(
    session: Session, event: Event, registration: Registration, *, by: Actor, now: datetime
) -> None:
    """Undo the latest cancellation of the registration: its people get their seats or waiting
    places back, with the codes that they had.

    Refuses with ``NothingToUndo`` (a registrant cannot undo what staff cancelled),
    ``TooLateToUndo``, ``SeatGivenAway``, ``WaitlistFull``, ``AlreadyRegistered``, ``PhoneAtLimit``
    and ``RegistrationClosed``.
    """
    case = _open(session, event, registration, by=by, now=now)
    waits = cancelled.waits(registration, case.cancellation)
    if waits:
        waitlist.check_room(event, case.counted, len(case.people))
    elif not _has_seats(case):
        raise SeatGivenAway
    case.restore(waits=waits)


def put_first(
    session: Session,
    event: Event,
    registration: Registration,
    *,
    secret_key: str,
    by: Actor,
    now: datetime,
) -> None:
    """Put the people of the latest cancellation first in line, because staff decide so and their
    seats were given away. If the seats are free after all, they get them back.

    Refuses as ``undo`` does, but for ``SeatGivenAway``.
    """
    case = _open(session, event, registration, by=by, now=now)
    if cancelled.waits(registration, case.cancellation):
        raise NothingToUndo
    if _has_seats(case):
        case.restore(waits=False)
    else:
        case.wait_first(secret_key)


def _has_seats(case: _Case) -> bool:
    """Whether the seats that were given back are still free, without those held for callers."""
    return case.counted.left >= len(case.people)


def _open(
    session: Session, event: Event, registration: Registration, *, by: Actor, now: datetime
) -> _Case:
    """Lock the counter, seat whoever waits and fits, and find the cancellation to undo."""
    phone = phone_of(registration)
    party_rules.queue_for_number(session.connection(), event, phone)
    counted = seats.lock(session, event.id, now=now)
    if not counted.is_of(event):
        raise SeatsRaced
    counted = waitlist.promote(session, event, counted, now=now)
    session.refresh(registration, with_for_update=True)
    if phone_of(registration) != phone:
        raise SeatsRaced
    cancellation = cancelled.standing(session, registration)
    if cancellation is None or (by == REGISTRANT and not cancellation.by_registrant):
        raise NothingToUndo
    if now >= cancellation.until:
        raise TooLateToUndo
    if cancelled.is_called_off(event, now):
        raise RegistrationClosed(Phase.CANCELLED)
    people = _people(session, cancellation)
    _check_party(session, event, registration, people)
    return _Case(session, event, registration, cancellation, people, counted, by, now)


def _people(session: Session, cancellation: Cancellation) -> Sequence[Attendee]:
    theirs = select(Attendee).where(Attendee.id.in_(cancellation.people)).order_by(Attendee.place)
    return session.scalars(theirs.execution_options(populate_existing=True)).all()


def _check_party(
    session: Session, event: Event, registration: Registration, back: Sequence[Attendee]
) -> None:
    """Refuse people who have registered again meanwhile, and too many under one number."""
    stay = (
        []
        if registration.state == RegistrationState.CANCELLED
        else lookup.party(session, registration)
    )
    names = [name_of(person) for person in (*stay, *back)]
    if len({name.folded for name in names}) < len(names):
        raise AlreadyRegistered(registration.id)
    party_rules.check_number(
        session,
        event,
        names,
        phone_of(registration),
        besides=registration.id,
        beyond=registration.over_limit,
    )
