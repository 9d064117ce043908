"""The waiting list: first come, first served. A place in it is computed, never stored.

Whoever frees seats calls ``promote`` in the same transaction; both need the counter locked. The
first party that fits gets seats, one that does not fit keeps its place. Parties stand in the order
of their ids, which are given out under the lock.
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
from eventreg.core.models.event import Event
from eventreg.core.models.outbox import MessageKind
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import check_in_codes, seats
from eventreg.core.registration.seats import SeatCount


class OverReason(StrEnum):
    """Why an organiser seats more people than the room was planned for."""

    CHAIR = "chair"
    GUEST = "guest"
    CARER = "carer"
    MISTAKE = "mistake"


@dataclass(frozen=True)
class WaitingParty:
    """One waiting registration, as the list sees it."""

    registration_id: int
    source: str
    email: str | None
    tail: str
    seats: int


_waiting = (
    Registration.event_id == bindparam("event"),
    Registration.state == RegistrationState.WAITLISTED,
)
_parties = (
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
    .order_by(Registration.id)
)
_before = (
    select(func.count())
    .select_from(Registration)
    .where(*_waiting, Registration.id < bindparam("registration"))
)
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
    """Whether the event has a waiting list at all."""
    return event.waitlist_open and event.waitlist_size > 0


def has_room(event: Event, counted: SeatCount, party: int) -> bool:
    """Whether so many more people may wait."""
    return is_open(event) and counted.waiting + party <= event.waitlist_size


def check_room(event: Event, counted: SeatCount, party: int) -> None:
    """``WaitlistFull`` where so many more people may not wait."""
    if not has_room(event, counted, party):
        raise WaitlistFull(counted.left)


def position(session: Session, registration: Registration) -> int:
    """The place of a waiting registration, from 1."""
    where = {"event": registration.event_id, "registration": registration.id}
    return session.execute(_before, where).scalar_one() + 1


def parties(session: Session, event_id: int) -> Sequence[WaitingParty]:
    """Everybody who waits, in order."""
    return [WaitingParty(*row) for row in session.execute(_parties, {"event": event_id})]


def _is_served(event: Event, now: datetime) -> bool:
    """Seats of an event that is over or will not be are given to nobody."""
    return event.notice != "cancelled" and now < event.ends_at


def first_fitting(
    session: Session, event: Event, counted: SeatCount, *, now: datetime
) -> WaitingParty | None:
    """The first waiting party that the free seats are enough for."""
    if not counted.waiting or counted.capacity <= counted.taken or not _is_served(event, now):
        return None
    fitting = (
        party
        for party in parties(session, event.id)
        if party.seats <= counted.left_for(party.source)
    )
    return next(fitting, None)


def promote(session: Session, event: Event, counted: SeatCount, *, now: datetime) -> SeatCount:
    """Give free seats to the waiting, until no party fits any more; needs the lock. Returns the
    counter after it."""
    while (party := first_fitting(session, event, counted, now=now)) is not None:
        counted = _seat(session, event, party, counted, by=SYSTEM, now=now)
    return counted


def settle(session: Session, event: Event, *, now: datetime) -> SeatCount:
    """Seat whoever fits, where nothing else has just happened: the time of held seats is over."""
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
    """The desk gives one waiting party its seats, out of turn if it must: also those held for the
    telephone. With a reason, an organiser seats it ``beyond`` the capacity.

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
        return  # it was its turn anyway
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
    session.execute(_confirm, {"registration": party.registration_id, "at": now}).one()
    for (attendee_id,) in session.execute(_people, {"registration": party.registration_id}).all():
        code = check_in_codes.draw(session.connection(), event, counted.capacity, party.tail)
        session.execute(_give_code, {"attendee": attendee_id, "drawn": code})
    # Free seats first; only what the desk gives beyond them comes out of the held ones.
    missing = min(counted.held, max(0, party.seats - counted.left))
    from_held = missing if by != SYSTEM else counted.from_held(party.seats, party.source)
    more: dict[str, Any] = {"over": beyond} if beyond else {}
    audit.record(
        session,
        Action.PROMOTED,
        by,
        now=now,
        event_id=event.id,
        registration_id=party.registration_id,
        seats=party.seats,
        from_held=from_held,
        **more,
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


def is_due(session: Session, event: Event, counted: SeatCount, *, now: datetime) -> bool:
    """Whether somebody waits who could sit: so when held seats come free by the clock and nothing
    else happened."""
    return first_fitting(session, event, counted, now=now) is not None
