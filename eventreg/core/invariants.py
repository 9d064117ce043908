"""What must hold of every event at every moment, looked up in the rows themselves. ``doctor``, the
dashboard and every storm in the tests ask this."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, bindparam, cast, func, select
from sqlalchemy.orm import Session

from eventreg.core import audit_replay
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event
from eventreg.core.models.outbox import OutboxMessage
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, FormKey, Registration, RegistrationState
from eventreg.core.registration import seats, waitlist
from eventreg.core.registration.seats import SeatCount


@dataclass(frozen=True)
class Finding:
    """One thing that must hold, whether it does, and with which numbers."""

    name: str
    holds: bool
    detail: str


@dataclass(frozen=True)
class Sum:
    """capacity + over = confirmed + free + held, counted from the rows; and whether counter and
    audit trail say the same."""

    capacity: int
    confirmed: int
    free: int
    held: int
    waiting: int
    over: int
    findings: Sequence[Finding]

    @property
    def holds(self) -> bool:
        """Whether everything agrees."""
        return all(finding.holds for finding in self.findings)


_most_under_a_number = select(
    func.coalesce(
        func.max(
            select(func.count())
            .select_from(Attendee)
            .join(Registration, Registration.id == Attendee.registration_id)
            .where(
                Attendee.event_id == bindparam("event"),
                LIVE,
                Attendee.phone_number != "",
            )
            .group_by(Attendee.phone_number)
            .having(func.max(cast(Registration.over_limit, Integer)) == 0)
            .subquery()
            .c[0]
        ),
        0,
    )
)
_wrong_codes = (
    select(func.count())
    .select_from(Attendee)
    .join(Registration, Registration.id == Attendee.registration_id)
    .where(
        Attendee.event_id == bindparam("event"),
        LIVE,
        (Registration.state == RegistrationState.WAITLISTED) == Attendee.code.is_not(None),
    )
)
_lonely_keys = (
    select(func.count())
    .select_from(FormKey)
    .outerjoin(Registration, Registration.id == FormKey.registration_id)
    .where(FormKey.event_id == bindparam("event"), Registration.id.is_(None))
)
_untold = (
    select(func.count())
    .select_from(Registration)
    .outerjoin(
        OutboxMessage,
        (OutboxMessage.registration_id == Registration.id) & (OutboxMessage.kind == "promoted"),
    )
    .where(
        Registration.event_id == bindparam("event"),
        Registration.promoted_at.is_not(None),
        OutboxMessage.id.is_(None),
    )
)
_in_without_a_seat = (
    select(func.count())
    .select_from(CheckIn)
    .join(Attendee, Attendee.id == CheckIn.attendee_id)
    .where(
        CheckIn.event_id == bindparam("event"), CheckIn.undone_at.is_(None), Attendee.code.is_(None)
    )
)


def of_event(session: Session, event: Event, *, now: datetime, from_the_trail: bool = True) -> Sum:
    """Count one event anew. Without ``from_the_trail`` the audit trail, which may be long, is left
    closed."""
    counted = seats.count(session, event.id, now=now)
    found = audit_replay.rows(session, event.id)
    confirmed = found.seats_in(RegistrationState.CONFIRMED)
    waiting = found.seats_in(RegistrationState.WAITLISTED)
    findings = [
        *_of_counter(counted, confirmed, waiting),
        *_of_rows(session, event, counted, now),
        *(_of_trail(session, event, counted, found) if from_the_trail else ()),
    ]
    return Sum(
        counted.capacity,
        confirmed,
        max(0, counted.capacity - confirmed - counted.held),
        counted.held,
        waiting,
        counted.over,
        findings,
    )


def _of_counter(counted: SeatCount, confirmed: int, waiting: int) -> Iterator[Finding]:
    same = counted.taken == confirmed
    yield Finding("seats taken are the people confirmed", same, f"{counted.taken} and {confirmed}")
    yield Finding(
        "seats waited for are the people waiting",
        counted.waiting == waiting,
        f"{counted.waiting} and {waiting}",
    )
    total = counted.taken + counted.left + counted.held
    yield Finding(
        "capacity is confirmed, free and held",
        total == counted.capacity + counted.over,
        f"{counted.taken} + {counted.left} + {counted.held} = {counted.capacity}"
        + (f", over by {counted.over}" if counted.over else ""),
    )


def _of_rows(
    session: Session, event: Event, counted: SeatCount, now: datetime
) -> Iterator[Finding]:
    fitting = waitlist.first_fitting(session, event, counted, now=now)
    yield Finding(
        "nobody waits who could sit",
        fitting is None,
        f"registration {fitting.registration_id}" if fitting else "nobody",
    )
    most: int = session.execute(_most_under_a_number, {"event": event.id}).scalar_one()
    yield Finding(
        "no number holds more people than allowed",
        most <= event.max_per_phone,
        f"{most} of {event.max_per_phone}",
    )
    for name, statement in {
        "who has a seat has a code, who waits has none": _wrong_codes,
        "every form key leads to a registration": _lonely_keys,
        "whoever was promoted is to be told": _untold,
        "whoever is in the room had a seat": _in_without_a_seat,
    }.items():
        wrong: int = session.execute(statement, {"event": event.id}).scalar_one()
        yield Finding(name, wrong == 0, f"{wrong} wrong" if wrong else "all")


def _of_trail(
    session: Session, event: Event, counted: SeatCount, found: audit_replay.Folded
) -> Iterator[Finding]:
    told = audit_replay.fold(session, event.id)
    # A party's people are compared where somebody is left: a cancelled registration has none on
    # both sides.
    others = [who for who in found.states.keys() | told.states.keys() if _differs(who, found, told)]
    yield Finding(
        "the audit trail gives the same registrations",
        not others,
        f"{len(found.states)} registrations"
        if not others
        else f"{len(others)} differ, such as {min(others)}",
    )
    held = seats.count_held(session, event.id)
    yield Finding(
        "the audit trail gives the same limits",
        (told.capacity, told.held) == (counted.capacity, held),
        f"capacity {told.capacity} and {counted.capacity}, held {told.held} and {held}",
    )


def _differs(who: int, found: audit_replay.Folded, told: audit_replay.Folded) -> bool:
    return (found.states.get(who), found.people.get(who)) != (
        told.states.get(who),
        told.people.get(who),
    )
