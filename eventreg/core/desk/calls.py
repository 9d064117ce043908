"""The calls that the desk has to make: whom to call, and why.

Some calls are owed (``outbox``). Others follow from the date or the registration: a reminder on
the last working day before the event, or a name whose spelling is unsure.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from eventreg.core import outbox
from eventreg.core.event import events, phone_hours
from eventreg.core.models.calls import Call, CallOutcome, CallReason
from eventreg.core.models.event import Event
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import identity

MOST = 500
"""Tasks shown at once; the others follow as these are done."""
_MOST_URGENT_FIRST = tuple(CallReason)


class Callee(NamedTuple):
    """An attendee to be called, with the check-in code; a waiting one has none."""

    name: str
    code: str | None


@dataclass(frozen=True)
class Task:
    """A registration to be called, with everything to be said in one call."""

    registration_id: int
    mark: str
    """Of the registration, as ``identity.mark`` makes it."""
    people: tuple[Callee, ...]
    phone_number: str
    contact: str | None
    reasons: tuple[CallReason, ...]
    tries: int
    last: CallOutcome | None
    next_try_at: datetime | None
    deadline: datetime | None
    """From when on the seats may go to the next party. Only if the party was promoted and has not
    been told."""
    wrong_number: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the party."""
        return tuple(callee.name for callee in self.people)

    def waits(self, now: datetime) -> bool:
        """Whether the next try is later."""
        return self.next_try_at is not None and now < self.next_try_at

    def is_overdue(self, now: datetime) -> bool:
        """Whether the seat may go to the next party."""
        return self.deadline is not None and now >= self.deadline


def reminder_day(event: Event) -> dt.date:
    """The day of the reminders: the last working day before the event, in its zone."""
    starts = event.starts_at.astimezone(events.zone(event)).date()
    return phone_hours.last_working_day(events.definition(event).phone_line, starts)


def is_time_to_call(event: Event, now: datetime) -> bool:
    """Whether people may be called at this hour."""
    hours = events.definition(event).calls
    return hours.opens <= now.astimezone(events.zone(event)).time() < hours.closes


def tasks(session: Session, event: Event, *, now: datetime) -> Sequence[Task]:
    """The first 500 registrations to be called, by their most urgent reason; of one reason, the
    longest owed call comes first. Those to be tried later and those with a wrong number come last;
    but who was offered a seat and was not reached stays in front, because somebody else waits for
    it.
    """
    reasons = _owed_reasons(outbox.unsettled_calls(session, event.id))
    candidates = select(Registration.id).where(Registration.event_id == event.id)
    _add_due_reasons(session, event, candidates.order_by(Registration.id), reasons, now)
    put_off = set(session.scalars(_put_off(event, now)))
    first = sorted(reasons, key=lambda one: (one in put_off, min(map(_rank, reasons[one]))))
    return _tasks(session, event, {one: reasons[one] for one in first[:MOST]}, now)


def _rank(reason: CallReason) -> int:
    """The place of a reason among all; the most urgent has 0."""
    return _MOST_URGENT_FIRST.index(reason)


def _put_off(event: Event, now: datetime) -> Select[int]:
    """The registrations that were called and are to be tried later, or have a wrong number."""
    found = select(Call.registration_id).join(Registration, Registration.id == Call.registration_id)
    is_wrong = (Call.outcome == CallOutcome.WRONG_NUMBER) & (
        Call.registration_version == Registration.version
    )
    return found.where(Call.event_id == event.id, is_wrong | (Call.next_try_at > now))


def task_of(
    session: Session, event: Event, registration: Registration, *, now: datetime
) -> Task | None:
    """The call to be made to this registration, if any."""
    owed = outbox.owed_calls(session, registration.id)
    reasons = _owed_reasons([(registration.id, kind) for kind in owed])
    candidates = select(Registration.id).where(
        Registration.event_id == event.id, Registration.id == registration.id
    )
    _add_due_reasons(session, event, candidates, reasons, now)
    return next(iter(_tasks(session, event, reasons, now)), None)


def _owed_reasons(owed: Sequence[tuple[int, str]]) -> dict[int, set[CallReason]]:
    """The reasons for calling each registration, from the calls owed to it."""
    reasons: dict[int, set[CallReason]] = defaultdict(set)
    for registration_id, kind in owed:
        reasons[registration_id].add(CallReason(kind))
    return reasons


def _add_due_reasons(
    session: Session,
    event: Event,
    candidates: Select[int],
    reasons: dict[int, set[CallReason]],
    now: datetime,
) -> None:
    """Add unsure names and due reminders, if the event is not over or cancelled."""
    if now >= event.ends_at or event.notice == "cancelled":
        return
    unsure = (Registration.state != RegistrationState.CANCELLED, Registration.name_unsure)
    for registration_id in session.scalars(candidates.where(*unsure)):
        reasons[registration_id].add(CallReason.NAME_UNSURE)
    for registration_id in _to_remind(session, event, candidates, now):
        reasons[registration_id].add(CallReason.REMINDER)


def _to_remind(
    session: Session, event: Event, candidates: Select[int], now: datetime
) -> Sequence[int]:
    """The confirmed candidates that registered before the day of the reminders and were not reached
    since it began."""
    begins = datetime.combine(reminder_day(event), dt.time.min, tzinfo=events.zone(event))
    if not begins <= now < event.starts_at:
        return []
    reached = select(Call.registration_id).where(
        Call.event_id == event.id, Call.outcome == CallOutcome.REACHED, Call.called_at >= begins
    )
    due = candidates.where(
        Registration.state == RegistrationState.CONFIRMED,
        Registration.created_at < begins,
        Registration.erased_at.is_(None),
        Registration.id.not_in(reached),
    )
    return session.scalars(due).all()


def _tasks(
    session: Session, event: Event, reasons: Mapping[int, set[CallReason]], now: datetime
) -> Sequence[Task]:
    ids = list(reasons)
    earlier = _earlier_calls(session, ids)
    found = [
        _task(
            event,
            registration,
            people,
            sorted(reasons[registration.id], key=_rank),
            earlier.get(registration.id, []),
        )
        for registration, people in _parties(session, ids)
    ]
    return sorted(
        found,
        key=lambda task: (
            task.wrong_number,
            task.waits(now) and task.deadline is None,
            _rank(task.reasons[0]),
        ),
    )


def _earlier_calls(session: Session, ids: Sequence[int]) -> dict[int, list[Call]]:
    calls: dict[int, list[Call]] = defaultdict(list)
    made = select(Call).where(Call.registration_id.in_(ids)).order_by(Call.id)
    for call in session.scalars(made):
        calls[call.registration_id].append(call)
    return calls


def _parties(
    session: Session, ids: Sequence[int]
) -> Sequence[tuple[Registration, Sequence[Callee]]]:
    """These registrations with the attendees who have not cancelled."""
    people: dict[int, list[Callee]] = defaultdict(list)
    live = (Attendee.registration_id.in_(ids), LIVE)
    for person in session.scalars(select(Attendee).where(*live).order_by(Attendee.place)):
        people[person.registration_id].append(Callee(person.name, person.code))
    rows = session.scalars(select(Registration).where(Registration.id.in_(list(people))))
    found = {row.id: row for row in rows}
    return [(found[one], people[one]) for one in ids if one in found]


def _task(
    event: Event,
    registration: Registration,
    people: Sequence[Callee],
    reasons: Sequence[CallReason],
    earlier: Sequence[Call],
) -> Task:
    unreached = [
        call for call in earlier if call.reason in reasons and call.outcome != CallOutcome.REACHED
    ]
    last = unreached[-1] if unreached else None
    return Task(
        registration_id=registration.id,
        mark=identity.mark(registration),
        people=tuple(people),
        phone_number=registration.phone_number,
        contact=registration.contact,
        reasons=tuple(reasons),
        tries=len({call.called_at for call in unreached}),
        last=CallOutcome(last.outcome) if last else None,
        next_try_at=last.next_try_at if last else None,
        deadline=_deadline(event, registration) if CallReason.PROMOTED in reasons else None,
        wrong_number=last is not None and _is_number_wrong(registration, last),
    )


def _is_number_wrong(registration: Registration, last: Call) -> bool:
    """Whether the last call found a wrong number, and the registration was not changed since."""
    wrong = last.outcome == CallOutcome.WRONG_NUMBER
    return wrong and last.registration_version == registration.version


def _deadline(event: Event, registration: Registration) -> datetime | None:
    if registration.promoted_at is None:
        return None
    hours = events.definition(event).waitlist.reach_within_hours
    return min(registration.promoted_at + timedelta(hours=hours), event.check_in_opens_at)


class Number(NamedTuple):
    """A telephone number, and a name registered under it."""

    name: str
    phone_number: str


def numbers(session: Session, event: Event) -> Sequence[Number]:
    """The telephone number of each registration that is not cancelled, each number once, with the
    first of its people who have not cancelled."""
    live = (Registration.event_id == event.id, Registration.state != RegistrationState.CANCELLED)
    rows = session.execute(
        select(Registration.phone_number, Attendee.name)
        .join(Attendee, Attendee.registration_id == Registration.id)
        .where(
            *live,
            Registration.phone_number != "",
            LIVE,
        )
        .order_by(Registration.phone_number, Registration.id, Attendee.place)
    )
    first: dict[str, str] = {}
    for phone_number, name in rows:
        first.setdefault(phone_number, name)
    return [Number(name, phone_number) for phone_number, name in first.items()]
