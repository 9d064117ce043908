"""Check what must hold for every event at every moment, by counting its rows. Used by ``doctor``,
the dashboard and the tests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, bindparam, cast, func, select
from sqlalchemy.orm import Session

from eventreg.core import audit_replay
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event
from eventreg.core.models.outbox import MessageKind, OutboxMessage
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, FormKey, Registration, RegistrationState
from eventreg.core.registration import seats, waitlist
from eventreg.core.registration.seats import SeatCount


@dataclass(frozen=True)
class Finding:
    """One thing that must hold, whether it holds, and the numbers."""

    name: str
    holds: bool
    detail: str


@dataclass(frozen=True)
class Sum:
    """The seats of one event, counted from the rows: capacity + over = confirmed + free + held. The
    findings say whether the counter and the audit trail agree."""

    capacity: int
    confirmed: int
    free: int
    held: int
    waiting: int
    over: int
    findings: Sequence[Finding]

    @property
    def holds(self) -> bool:
        """Whether every finding holds."""
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
_orphaned_keys = (
    select(func.count())
    .select_from(FormKey)
    .outerjoin(Registration, Registration.id == FormKey.registration_id)
    .where(FormKey.event_id == bindparam("event"), Registration.id.is_(None))
)
_not_told = (
    select(func.count())
    .select_from(Registration)
    .outerjoin(
        OutboxMessage,
        (OutboxMessage.registration_id == Registration.id)
        & (OutboxMessage.kind == MessageKind.PROMOTED),
    )
    .where(
        Registration.event_id == bindparam("event"),
        Registration.promoted_at.is_not(None),
        OutboxMessage.id.is_(None),
    )
)
_released_and_in = (
    select(func.count())
    .select_from(CheckIn)
    .join(Attendee, Attendee.id == CheckIn.attendee_id)
    .where(
        CheckIn.event_id == bindparam("event"),
        CheckIn.undone_at.is_(None),
        Attendee.released_at.is_not(None),
    )
)
_checked_in_without_seat = (
    select(func.count())
    .select_from(CheckIn)
    .join(Attendee, Attendee.id == CheckIn.attendee_id)
    .where(
        CheckIn.event_id == bindparam("event"), CheckIn.undone_at.is_(None), Attendee.code.is_(None)
    )
)


def of_event(session: Session, event: Event, *, now: datetime, from_the_trail: bool = True) -> Sum:
    """Count the seats of one event and check them. ``from_the_trail`` also replays the audit trail,
    which can take long."""
    counted = seats.count(session, event.id, now=now)
    stored = audit_replay.stored(session, event.id)
    confirmed = stored.seats_in(RegistrationState.CONFIRMED)
    waiting = stored.seats_in(RegistrationState.WAITLISTED)
    findings = [
        *_of_counter(counted, confirmed, waiting),
        *_of_rows(session, event, counted, now),
        *(_of_trail(session, event, counted, stored) if from_the_trail else ()),
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
    yield Finding(
        "seats taken are the people confirmed",
        counted.taken == confirmed,
        f"{counted.taken} and {confirmed}",
    )
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
        "every form key leads to a registration": _orphaned_keys,
        "whoever was promoted is to be told": _not_told,
        "whoever is in the room had a seat": _checked_in_without_seat,
        "nobody in the room lost the seat by a release": _released_and_in,
    }.items():
        wrong: int = session.execute(statement, {"event": event.id}).scalar_one()
        yield Finding(name, wrong == 0, f"{wrong} wrong" if wrong else "all")


def _of_trail(
    session: Session, event: Event, counted: SeatCount, stored: audit_replay.Replayed
) -> Iterator[Finding]:
    replayed = audit_replay.replay(session, event.id)
    wrong = [
        registration_id
        for registration_id in stored.states.keys() | replayed.states.keys()
        if stored.states.get(registration_id) != replayed.states.get(registration_id)
        or stored.people.get(registration_id) != replayed.people.get(registration_id)
    ]
    yield Finding(
        "the audit trail gives the same registrations",
        not wrong,
        f"{len(wrong)} differ, such as {min(wrong)}"
        if wrong
        else f"{len(stored.states)} registrations",
    )
    held = seats.count_held(session, event.id)
    yield Finding(
        "the audit trail gives the same limits",
        (replayed.capacity, replayed.held) == (counted.capacity, held),
        f"capacity {replayed.capacity} and {counted.capacity}, held {replayed.held} and {held}",
    )
