"""The waiting list: the waiting parties of an event, in the order in which they joined it.

Everything that frees seats calls ``promote`` in the same transaction, with the counter locked. The
first party that fits gets seats; a party that does not fit keeps its place. A place is computed
from the order of registration ids, which are given out under the lock; it is never stored. Parties
that staff put first in line after a mistake come before the others
(docs/adr/0005-the-counter-last-and-the-lock-first.md). Who got a number at the door comes after
them, and who has left the door gets none. Once the seats of absent people were given away, only
those who are at the door get seats (docs/adr/0015-the-door-after-the-release.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from eventreg.core import audit, outbox
from eventreg.core.audit import SYSTEM, Action, Actor
from eventreg.core.errors import EventFull, NotWaiting, WaitlistFull
from eventreg.core.models.door import PresentParty
from eventreg.core.models.event import Event
from eventreg.core.models.outbox import MessageKind
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import check_in_codes, seats
from eventreg.core.registration.seats import SeatCount


class OverReason(StrEnum):
    """The reason for seating more people than the capacity allows."""

    CHAIR = "chair"
    GUEST = "guest"
    CARER = "carer"
    MISTAKE = "mistake"


@dataclass(frozen=True)
class WaitingParty:
    """A waiting registration: its people need ``seats`` seats."""

    registration_id: int
    source: str
    email: str | None
    tail: str
    seats: int


_waiting = (
    Registration.event_id == bindparam("event"),
    Registration.state == RegistrationState.WAITLISTED,
)
IN_ORDER = (Registration.put_first_at.is_(None), Registration.put_first_at, Registration.id)
"""The order of the waiting list, for a query."""
_waiting_parties = (
    select(
        Registration.id,
        Registration.source,
        Registration.email,
        Registration.phone_tail,
        func.count(Attendee.id),
    )
    .join(Attendee, Attendee.registration_id == Registration.id)
    .where(*_waiting, LIVE)
    .group_by(Registration.id, Registration.source, Registration.email, Registration.phone_tail)
    .order_by(*IN_ORDER)
)
_at_the_door = (
    select(
        Event.seats_released_at,
        PresentParty.registration_id,
        PresentParty.number,
        PresentParty.left_at,
    )
    .outerjoin(PresentParty, PresentParty.event_id == Event.id)
    .where(Event.id == bindparam("event"))
)
"""The time of the release, in each row, and who is or was at the door. Columns only: under the lock
of the counter they are read anew."""
_count_waiting = select(func.count()).select_from(Registration).where(*_waiting)
_was_first = Registration.put_first_at.is_not(None)
_earlier = Registration.id < bindparam("registration")
_before = _count_waiting.where(_was_first | _earlier)
_before_first = _count_waiting.where(
    _was_first,
    (Registration.put_first_at < bindparam("at", type_=Registration.created_at.type))
    | (
        (Registration.put_first_at == bindparam("at", type_=Registration.created_at.type))
        & _earlier
    ),
)
"""The same for a party that was put first itself."""
_confirm = (
    update(Registration)
    .where(
        Registration.id == bindparam("registration"),
        Registration.state == RegistrationState.WAITLISTED,
    )
    .values(
        state=RegistrationState.CONFIRMED,
        promoted_at=bindparam("at", type_=Registration.created_at.type),
        version=Registration.version + 1,
    )
    .returning(Registration.id)
    .execution_options(synchronize_session="fetch")
)
_people = select(Attendee.id).where(Attendee.registration_id == bindparam("registration"), LIVE)
_give_code = (
    update(Attendee)
    .where(Attendee.id == bindparam("attendee"))
    .values(code=bindparam("drawn"))
    .execution_options(synchronize_session="fetch")
)


def is_open(event: Event) -> bool:
    """Whether people may join the waiting list of the event."""
    return event.waitlist_open and event.waitlist_size > 0


def has_room(event: Event, counted: SeatCount, people: int) -> bool:
    """Whether ``people`` more people may wait."""
    return is_open(event) and counted.waiting + people <= event.waitlist_size


def check_room(event: Event, counted: SeatCount, people: int) -> None:
    """Refuse with ``WaitlistFull`` if ``people`` more people may not wait."""
    if not has_room(event, counted, people):
        raise WaitlistFull(counted.left)


def position(session: Session, registration: Registration) -> int:
    """The place of a waiting registration in the list; the first is 1."""
    parameters: dict[str, object] = {
        "event": registration.event_id,
        "registration": registration.id,
    }
    if registration.put_first_at is None:
        return session.execute(_before, parameters).scalar_one() + 1
    parameters["at"] = registration.put_first_at
    return session.execute(_before_first, parameters).scalar_one() + 1


def parties(session: Session, event_id: int) -> Sequence[WaitingParty]:
    """All waiting parties, in the order in which they joined."""
    return [WaitingParty(*row) for row in session.execute(_waiting_parties, {"event": event_id})]


def in_turn(
    session: Session, event_id: int, waiting: Sequence[WaitingParty]
) -> Sequence[WaitingParty]:
    """Those of the waiting parties who may get a free seat, in the order of their turn."""
    rows = session.execute(_at_the_door, {"event": event_id}).all()
    is_released = rows[0].seats_released_at is not None
    numbers = {row.registration_id: row.number or 0 for row in rows if row.left_at is None}
    gone = {row.registration_id for row in rows if row.left_at is not None}
    may_sit = [
        party
        for party in waiting
        if party.registration_id in numbers
        or (not is_released and party.registration_id not in gone)
    ]
    return sorted(may_sit, key=lambda party: numbers.get(party.registration_id, 0))


def _gives_out_seats(event: Event, now: datetime) -> bool:
    """Whether seats are still given out: not if the event is over or cancelled."""
    return event.notice != "cancelled" and now < event.ends_at


def first_fitting(
    session: Session, event: Event, counted: SeatCount, *, now: datetime
) -> WaitingParty | None:
    """The first waiting party that fits into the free seats; a party that was not registered online
    may also use held ones. ``None`` if there is none, or if the event is over or cancelled."""
    if not counted.waiting or counted.capacity <= counted.taken or not _gives_out_seats(event, now):
        return None
    fitting = [
        party
        for party in parties(session, event.id)
        if party.seats <= counted.left_for(party.source)
    ]
    return next(iter(in_turn(session, event.id, fitting)), None) if fitting else None


def promote(session: Session, event: Event, counted: SeatCount, *, now: datetime) -> SeatCount:
    """Give free seats to waiting parties until none fits any more, and owe each a call. The counter
    must be locked. Returns it after the change."""
    while (party := first_fitting(session, event, counted, now=now)) is not None:
        counted = _seat(session, event, party, counted, by=SYSTEM, now=now)
    return counted


def settle(session: Session, event: Event, *, now: datetime) -> SeatCount:
    """Lock the counter and promote: for seats that come free by the clock, when the time of held
    seats is over. Returns the counter."""
    return promote(session, event, seats.lock(session, event.id, now=now), now=now)


def seat(
    session: Session,
    event: Event,
    registration: Registration,
    *,
    by: Actor,
    now: datetime,
    beyond: OverReason | None = None,
) -> None:
    """Give one waiting party its seats before its turn, because the desk decides so. Seats held for
    the telephone may be used, too. With a reason, an organiser seats it ``beyond`` the capacity.
    Other parties that fit into the free seats by now are seated first.

    Refuses with ``NotWaiting`` and ``EventFull``.
    """
    counted = seats.lock(session, event.id, now=now)
    session.refresh(registration)
    if registration.state != RegistrationState.WAITLISTED:
        raise NotWaiting
    counted = promote(session, event, counted, now=now)
    party = next(
        (one for one in parties(session, event.id) if one.registration_id == registration.id), None
    )
    if party is None:
        return  # it was its turn, so ``promote`` has seated it already
    if party.seats > counted.capacity - counted.taken and beyond is None:
        raise EventFull(counted.left)
    _seat(session, event, party, counted, by=by, now=now, beyond=beyond)


def _seat(
    session: Session,
    event: Event,
    party: WaitingParty,
    counted: SeatCount,
    *,
    by: Actor,
    now: datetime,
    beyond: OverReason | None = None,
) -> SeatCount:
    """Confirm a waiting party, take its seats and owe it a call. Returns the counter after the
    change."""
    _confirm_with_codes(session, event, party, counted, now=now)
    from_held = _from_held(counted, party, by)
    over: dict[str, Any] = {"over": beyond} if beyond else {}
    audit.record(
        session,
        Action.PROMOTED,
        by,
        now=now,
        event_id=event.id,
        registration_id=party.registration_id,
        seats=party.seats,
        from_held=from_held,
        **over,
    )
    outbox.enqueue_call(
        session, event, party.registration_id, MessageKind.PROMOTED, email=party.email, now=now
    )
    return seats.move(
        session,
        event.id,
        counted,
        taken=party.seats,
        waiting=-party.seats,
        from_held=from_held,
        beyond=beyond is not None,
    )


def _confirm_with_codes(
    session: Session, event: Event, party: WaitingParty, counted: SeatCount, *, now: datetime
) -> None:
    """Change the state of the registration, and give each of its people a check-in code."""
    session.execute(_confirm, {"registration": party.registration_id, "at": now}).one()
    people = session.scalars(_people, {"registration": party.registration_id}).all()
    for attendee_id in people:
        code = check_in_codes.draw(session.connection(), event, counted.capacity, party.tail)
        session.execute(_give_code, {"attendee": attendee_id, "drawn": code})


def _from_held(counted: SeatCount, party: WaitingParty, by: Actor) -> int:
    """How many of the party's seats come out of the held ones."""
    if by == SYSTEM:
        return counted.from_held(party.seats, party.source)
    # The desk uses free seats first, and held seats only for what is missing.
    return min(counted.held, max(0, party.seats - counted.left))


def is_due(session: Session, event: Event, counted: SeatCount, *, now: datetime) -> bool:
    """Whether ``settle`` would seat a waiting party now. Held seats come free by the clock, without
    an act that would call ``promote``."""
    return first_fitting(session, event, counted, now=now) is not None
