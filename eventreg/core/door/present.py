"""The people who wait at the door: who is there, in which order they get seats, and who is called.

A waiting party that says "I wait here" has a row in ``present_parties``. Walk-ins who found no seat
have one with a number. The row stays when the party gets its seats; then it is called in
(``calling``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import AttendeeCancelled, AttendeeUnknown
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.door import PresentParty
from eventreg.core.models.event import Event
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import identity, lookup, seats, waitlist
from eventreg.core.registration.arrivals import STANDING
from eventreg.core.registration.waitlist import OverReason


@dataclass(frozen=True)
class Standing:
    """What one person at the door has now. ``state`` is that of the registration; ``code`` is empty
    while the person waits. ``number`` was handed out at the door. ``position`` is the place among
    those who wait there, from 1; empty if the person does not wait there."""

    attendee: str
    registration_id: int
    state: str
    code: str | None
    number: int | None
    position: int | None


@dataclass(frozen=True)
class Party:
    """A party that waits at the door, was given seats and is called in, or has left."""

    registration_id: int
    people: tuple[tuple[str, str], ...]
    """Random id and name of each person."""
    number: int | None
    came_at: datetime
    calls: int
    has_seats: bool
    left_at: datetime | None

    @property
    def attendee(self) -> str:
        """The random id of the first person, by which forms name the party."""
        return self.people[0][0]


@dataclass(frozen=True)
class Line:
    """Everybody at the door who is not in the hall. ``called`` have seats and are called in;
    ``waiting`` are in the order of their turn; ``gone`` have left and may come back."""

    called: Sequence[Party]
    waiting: Sequence[Party]
    gone: Sequence[Party]


ROW = (
    select(PresentParty)
    .where(PresentParty.registration_id == bindparam("registration"))
    .execution_options(populate_existing=True)
)
_next_number = select(func.coalesce(func.max(PresentParty.number), 0) + 1).where(
    PresentParty.event_id == bindparam("event")
)
_parties = (
    select(PresentParty, Registration.state, Attendee.public_id, Attendee.name)
    .join(Registration, Registration.id == PresentParty.registration_id)
    .join(Attendee, (Attendee.registration_id == Registration.id) & LIVE)
    .where(
        PresentParty.event_id == bindparam("event"),
        Registration.state != RegistrationState.CANCELLED,
        ~exists(select(CheckIn.id).where(STANDING)),
    )
    .order_by(*waitlist.IN_ORDER, Attendee.place)
)


def standing(session: Session, event: Event, person: Attendee) -> Standing:
    """What this person has now."""
    registration = lookup.get(session, person.registration_id)
    row = session.scalar(ROW, {"registration": registration.id})
    turns = waitlist.in_turn(session, event.id, waitlist.parties(session, event.id))
    places = {party.registration_id: place for place, party in enumerate(turns, start=1)}
    is_here = row is not None and row.left_at is None
    return Standing(
        person.public_id,
        registration.id,
        registration.state,
        person.code if person.is_live else None,
        row.number if row else None,
        places.get(registration.id) if is_here else None,
    )


def mark_present(
    session: Session, event: Event, attendee: str, *, by: Actor, now: datetime
) -> Standing:
    """Record that a waiting person is at the door, for the whole party. If the party's turn has
    come, it gets its seats at once. A second time changes nothing; after leaving, it comes back.

    Refuses with ``AttendeeUnknown`` and ``AttendeeCancelled``.
    """
    counted = seats.lock(session, event.id, now=now)
    person = identity.attendee(session, event, attendee)
    if person.cancelled_at is not None:
        raise AttendeeCancelled(person.public_id, person.name, person.cancelled_at)
    if person.code is None:
        join(session, event, person.registration_id, by=by, now=now)
        waitlist.promote(session, event, counted, now=now)
        session.refresh(person)
    return standing(session, event, person)


def join(
    session: Session,
    event: Event,
    registration_id: int,
    *,
    by: Actor,
    now: datetime,
    numbered: bool = False,
) -> None:
    """Let a waiting party wait at the door; ``numbered`` gives it the next number. The counter must
    be locked."""
    row = session.scalar(ROW, {"registration": registration_id})
    if row is not None and row.left_at is None:
        return
    if row is not None:
        row.left_at, row.calls = None, 0
    else:
        number = session.scalar(_next_number, {"event": event.id}) if numbered else None
        row = PresentParty(
            event_id=event.id, registration_id=registration_id, number=number, came_at=now, calls=0
        )
        session.add(row)
    session.flush()
    record(session, Action.CAME_TO_WAIT, row, by=by, now=now)


def seat(
    session: Session,
    event: Event,
    attendee: str,
    *,
    by: Actor,
    now: datetime,
    beyond: OverReason | None = None,
) -> Standing:
    """Give a waiting person's party its seats. ``beyond`` adds chairs; only an organiser may.

    Refuses with ``AttendeeUnknown``, ``NotWaiting`` and ``EventFull``.
    """
    person = person_of(session, event, attendee)
    registration = lookup.get(session, person.registration_id)
    waitlist.seat(session, event, registration, by=by, now=now, beyond=beyond)
    session.refresh(person)
    return standing(session, event, person)


def listed(session: Session, event: Event) -> Line:
    """The people at the door."""
    found: dict[int, Party] = {}
    for row, state, public_id, name in session.execute(_parties, {"event": event.id}):
        known = found.get(row.registration_id)
        found[row.registration_id] = Party(
            row.registration_id,
            (*(known.people if known else ()), (public_id, name)),
            row.number,
            row.came_at,
            row.calls,
            state == RegistrationState.CONFIRMED,
            row.left_at,
        )
    turns = waitlist.in_turn(session, event.id, waitlist.parties(session, event.id))
    return Line(
        [one for one in found.values() if one.has_seats and one.left_at is None],
        [
            found[turn.registration_id]
            for turn in turns
            if turn.registration_id in found and not found[turn.registration_id].has_seats
        ],
        [one for one in found.values() if one.left_at is not None and not one.has_seats],
    )


def person_of(session: Session, event: Event, attendee: str) -> Attendee:
    """The person of that id, without a lock: the counter has to be locked before."""
    found = identity.known(session, event, [attendee])
    if not found:
        raise AttendeeUnknown
    return session.get_one(Attendee, found[attendee], populate_existing=True)


def record(
    session: Session,
    action: Action,
    row: PresentParty,
    *,
    by: Actor,
    now: datetime,
    **details: int,
) -> None:
    """Write an audit entry about a party at the door."""
    numbered = {"number": row.number} if row.number else {}
    audit.record(
        session,
        action,
        by,
        now=now,
        event_id=row.event_id,
        registration_id=row.registration_id,
        **numbered,
        **details,
    )
