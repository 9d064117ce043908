"""The call desk: who is to be telephoned and why, what came of each call, and who gets a seat whose
owner is not reached.

Part of it is owed (``outbox``), part follows from the day itself: a reminder on the last working
day before, a name that was written down by its sound.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from eventreg.core import audit, outbox
from eventreg.core.audit import Action, Actor
from eventreg.core.event import events, phone_hours
from eventreg.core.models.calls import Call, CallOutcome, CallReason
from eventreg.core.models.event import Event
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import cancellations, identity, lookup, seats, waitlist
from eventreg.core.registration.waitlist import WaitingParty

MOST = 500
"""Tasks that are looked up at once; the rest come as these are done."""
TRY_AGAIN_AFTER = timedelta(hours=2)
_FIRST = tuple(CallReason)


@dataclass(frozen=True)
class Task:
    """One registration to be called: all there is to tell it in one call."""

    registration_id: int
    mark: str
    """Of the registration, as ``identity.mark`` makes it."""
    people: tuple[tuple[str, str | None], ...]
    """Names with check-in codes; who waits has none."""
    phone_number: str
    contact: str | None
    reasons: tuple[CallReason, ...]
    tries: int
    last: CallOutcome | None
    next_try_at: datetime | None
    deadline: datetime | None
    """Until when somebody who was given a free seat has to be reached."""
    wrong_number: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody of the party."""
        return tuple(name for name, _ in self.people)

    def waits(self, now: datetime) -> bool:
        """Whether it is to be tried later."""
        return self.next_try_at is not None and now < self.next_try_at

    def is_overdue(self, now: datetime) -> bool:
        """Whether the seat may go to the next party."""
        return self.deadline is not None and now >= self.deadline


def reminder_day(event: Event) -> dt.date:
    """The last working day before the event, where it is: the day of the reminders."""
    starts = event.starts_at.astimezone(events.zone(event)).date()
    return phone_hours.last_working_day(events.definition(event).phone_line, starts)


def is_time_to_call(event: Event, now: datetime) -> bool:
    """Whether people may be rung up at this hour."""
    hours = events.definition(event).calls
    return hours.opens <= now.astimezone(events.zone(event)).time() < hours.closes


def _next_try(event: Event, now: datetime) -> datetime:
    """Two hours on; where that is too late in the day, when calls begin the next morning."""
    hours, zone = events.definition(event).calls, events.zone(event)
    later = (now + TRY_AGAIN_AFTER).astimezone(zone)
    if hours.opens <= later.time() < hours.closes:
        return later
    day = later.date() if later.time() < hours.opens else later.date() + timedelta(days=1)
    return datetime.combine(day, hours.opens, tzinfo=zone)


def tasks(session: Session, event: Event, *, now: datetime) -> Sequence[Task]:
    """Who is to be called: free seats first, reminders last; whom to try later and wrong numbers at
    the end."""
    return _tasks(session, event, _reasons(session, event, now), now)


def _tasks(
    session: Session, event: Event, reasons: dict[int, set[CallReason]], now: datetime
) -> Sequence[Task]:
    ids = list(reasons)[:MOST]
    made = _made(session, ids)
    found = [
        _task(
            event,
            registration,
            tuple(people),
            tuple(sorted(reasons[registration.id], key=_FIRST.index)),
            made.get(registration.id, []),
        )
        for registration, people in _parties(session, ids)
    ]
    return sorted(
        found, key=lambda task: (task.wrong_number, task.waits(now), _FIRST.index(task.reasons[0]))
    )


def _reasons(
    session: Session, event: Event, now: datetime, one: int | None = None
) -> dict[int, set[CallReason]]:
    """Why whom; of ``one`` registration, where only that is asked."""
    why: dict[int, set[CallReason]] = defaultdict(set)
    owed = (
        outbox.unsettled_calls(session, event.id)
        if one is None
        else [(one, kind) for kind in outbox.owed_calls(session, one)]
    )
    for registration_id, kind in owed:
        why[registration_id].add(CallReason(kind))
    if now >= event.ends_at or event.notice == "cancelled":
        return why
    asked = (
        select(Registration.id).where(Registration.event_id == event.id).order_by(Registration.id)
    )
    asked = asked if one is None else asked.where(Registration.id == one)
    unsure = (Registration.state != RegistrationState.CANCELLED, Registration.name_unsure)
    for registration_id in session.scalars(asked.where(*unsure)):
        why[registration_id].add(CallReason.NAME_UNSURE)
    for registration_id in _to_remind(session, event, asked, now):
        why[registration_id].add(CallReason.REMINDER)
    return why


def _to_remind(session: Session, event: Event, asked: Select[int], now: datetime) -> Sequence[int]:
    """Of those asked about, who has a seat, registered before the day of the reminders, and was not
    reached since it began."""
    zone = events.zone(event)
    begins = datetime.combine(reminder_day(event), dt.time.min, tzinfo=zone)
    if not begins <= now < event.starts_at:
        return []
    reached = select(Call.registration_id).where(
        Call.event_id == event.id, Call.outcome == CallOutcome.REACHED, Call.called_at >= begins
    )
    seated = Registration.state == RegistrationState.CONFIRMED
    known = (
        Registration.created_at < begins,
        Registration.erased_at.is_(None),
        Registration.id.not_in(reached),
    )
    return session.scalars(asked.where(seated, *known)).all()


def _made(session: Session, ids: Sequence[int]) -> dict[int, list[Call]]:
    calls: dict[int, list[Call]] = defaultdict(list)
    for call in session.scalars(
        select(Call).where(Call.registration_id.in_(ids)).order_by(Call.id)
    ):
        calls[call.registration_id].append(call)
    return calls


def _parties(
    session: Session, ids: Sequence[int]
) -> Sequence[tuple[Registration, list[tuple[str, str | None]]]]:
    people: dict[int, list[tuple[str, str | None]]] = defaultdict(list)
    live = (Attendee.registration_id.in_(ids), LIVE)
    for person in session.scalars(select(Attendee).where(*live).order_by(Attendee.place)):
        people[person.registration_id].append((person.name, person.code))
    rows = session.scalars(select(Registration).where(Registration.id.in_(list(people))))
    found = {row.id: row for row in rows}
    return [(found[one], people[one]) for one in ids if one in found]


def _task(
    event: Event,
    registration: Registration,
    people: tuple[tuple[str, str | None], ...],
    reasons: tuple[CallReason, ...],
    made: Sequence[Call],
) -> Task:
    about = [
        call for call in made if call.reason in reasons and call.outcome != CallOutcome.REACHED
    ]
    last = about[-1] if about else None
    wrong = last is not None and last.outcome == CallOutcome.WRONG_NUMBER
    promoted = CallReason.PROMOTED in reasons
    return Task(
        registration.id,
        identity.mark(registration),
        people,
        registration.phone_number,
        registration.contact,
        reasons,
        len({call.called_at for call in about}),
        CallOutcome(last.outcome) if last else None,
        last.next_try_at if last else None,
        _deadline(event, registration) if promoted else None,
        wrong and last is not None and last.registration_version == registration.version,
    )


def _deadline(event: Event, registration: Registration) -> datetime | None:
    if registration.promoted_at is None:
        return None
    hours = events.definition(event).waitlist.reach_within_hours
    return min(registration.promoted_at + timedelta(hours=hours), event.check_in_opens_at)


def task_of(
    session: Session, event: Event, registration: Registration, *, now: datetime
) -> Task | None:
    """What this registration is to be called about, if anything."""
    return next(
        iter(_tasks(session, event, _reasons(session, event, now, registration.id), now)), None
    )


def log(
    session: Session,
    event: Event,
    registration: Registration,
    outcome: CallOutcome,
    *,
    tries: int | None,
    by: Actor,
    now: datetime,
) -> None:
    """Write down how a call ended. ``tries`` is how many the page knew of: pressed twice, or by two
    people, it is one call (``None``: however many). Reached: nothing is owed any more. Will not
    come: the seats go to the next."""
    counted = seats.lock(session, event.id, now=now)  # first, as everybody does who locks both
    session.refresh(registration, with_for_update=True)
    task = task_of(session, event, registration, now=now)
    if task is None or tries not in (None, task.tries) or not counted.is_of(event):
        return
    again = _next_try(event, now) if outcome is CallOutcome.NOT_REACHED else None
    for reason in task.reasons:
        session.add(
            Call(
                event_id=event.id,
                registration_id=registration.id,
                registration_version=registration.version,
                reason=reason,
                outcome=outcome,
                called_at=now,
                by_staff_id=by.staff_id,
                next_try_at=again,
            )
        )
    session.flush()
    audit.record(
        session,
        Action.CALLED,
        by,
        now=now,
        event_id=event.id,
        registration_id=registration.id,
        outcome=outcome,
        reasons=list(task.reasons),
    )
    if outcome is CallOutcome.REACHED:
        registration.name_unsure = False
        session.flush()
        outbox.settle(session, registration, by=by, now=now)
    if outcome is CallOutcome.WILL_NOT_COME:
        cancellations.cancel(session, event, registration, by=by, now=now)


def next_in_line(
    session: Session, event: Event, freed: int, *, now: datetime
) -> WaitingParty | None:
    """Which waiting party would get the seats if so many more were free."""
    room = seats.count(session, event.id, now=now).left + freed
    return next(
        (party for party in waitlist.parties(session, event.id) if party.seats <= room), None
    )


def pass_on(
    session: Session, event: Event, registration_id: int, *, by: Actor, now: datetime
) -> bool:
    """Take the seats of somebody who was not reached in time, for the next party. ``False`` where
    that is not (any more) so: it was reached, or nobody waits who fits."""
    seats.lock(session, event.id, now=now)
    registration = lookup.of_event(session, event, registration_id)
    session.refresh(registration, with_for_update=True)
    task = task_of(session, event, registration, now=now)
    if (
        task is None
        or not task.is_overdue(now)
        or not next_in_line(session, event, len(task.people), now=now)
    ):
        return False
    audit.record(
        session, Action.PASSED_ON, by, now=now, event_id=event.id, registration_id=registration.id
    )
    cancellations.cancel(session, event, registration, by=by, now=now)
    return True


def numbers(session: Session, event: Event) -> Sequence[tuple[str, str]]:
    """Name and number of everybody who registered, one line a number, for telling all of them."""
    live = (Registration.event_id == event.id, Registration.state != RegistrationState.CANCELLED)
    rows = session.execute(
        select(func.min(Attendee.name), Registration.phone_number)
        .join(Attendee, Attendee.registration_id == Registration.id)
        .where(
            *live,
            Registration.phone_number != "",
            LIVE,
            Attendee.place == 1,
        )
        .group_by(Registration.phone_number)
        .order_by(Registration.phone_number)
    )
    return rows.all()


def outcomes(session: Session, event: Event) -> dict[str, int]:
    """How many calls ended how; several reasons in one call are one."""
    calls = (
        select(Call.registration_id, Call.called_at, Call.outcome)
        .where(Call.event_id == event.id)
        .distinct()
    )
    counted = calls.subquery()
    return dict(
        session.execute(select(counted.c.outcome, func.count()).group_by(counted.c.outcome)).all()
    )
