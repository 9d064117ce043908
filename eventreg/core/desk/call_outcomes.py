"""The outcomes of calls: record how a call ended, and pass on a seat if nobody was reached."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.core import audit, outbox
from eventreg.core.audit import Action, Actor
from eventreg.core.desk import calls
from eventreg.core.desk.calls import Task
from eventreg.core.errors import SeatsRaced
from eventreg.core.event import events
from eventreg.core.models.calls import Call, CallOutcome
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Registration
from eventreg.core.registration import cancellations, lookup, seats, waitlist
from eventreg.core.registration.waitlist import WaitingParty

TRY_AGAIN_AFTER = timedelta(hours=2)


def record(
    session: Session,
    event: Event,
    registration: Registration,
    outcome: CallOutcome,
    *,
    tries: int | None,
    by: Actor,
    now: datetime,
) -> None:
    """Record how a call ended.

    ``tries`` is the number of earlier calls on the page. If it is another by now, the same call was
    recorded already, and nothing happens; ``None`` skips that check. Nothing happens either if no
    call is due. ``REACHED`` settles all owed calls, and the name is no longer unsure.
    ``WILL_NOT_COME`` cancels the registration.

    Raises ``SeatsRaced`` if the event was changed since it was read.
    """
    counted = seats.lock(session, event.id, now=now)  # the counter before the row, as everywhere
    session.refresh(registration, with_for_update=True)
    if not counted.is_of(event):
        raise SeatsRaced
    task = calls.task_of(session, event, registration, now=now)
    if task is None or tries not in (None, task.tries):
        return
    session.add_all(_calls(event, registration, task, outcome, by=by, now=now))
    session.flush()
    about = {"event_id": event.id, "registration_id": registration.id}
    reasons = list(task.reasons)
    audit.record(session, Action.CALLED, by, now=now, **about, outcome=outcome, reasons=reasons)
    if outcome is CallOutcome.REACHED:
        registration.name_unsure = False
        session.flush()
        outbox.settle(session, registration, by=by, now=now)
    if outcome is CallOutcome.WILL_NOT_COME:
        cancellations.cancel(session, event, registration, by=by, now=now)


def _calls(
    event: Event,
    registration: Registration,
    task: Task,
    outcome: CallOutcome,
    *,
    by: Actor,
    now: datetime,
) -> Sequence[Call]:
    """The rows of one call, one for each reason."""
    next_try_at = _next_try(event, now) if outcome is CallOutcome.NOT_REACHED else None
    return [
        Call(
            event_id=event.id,
            registration_id=registration.id,
            registration_version=registration.version,
            reason=reason,
            outcome=outcome,
            called_at=now,
            by_staff_id=by.staff_id,
            next_try_at=next_try_at,
        )
        for reason in task.reasons
    ]


def _next_try(event: Event, now: datetime) -> datetime:
    """Two hours later; if that is outside the calling hours, when they next begin."""
    hours, zone = events.definition(event).calls, events.zone(event)
    later = (now + TRY_AGAIN_AFTER).astimezone(zone)
    if hours.opens <= later.time() < hours.closes:
        return later
    day = later.date() if later.time() < hours.opens else later.date() + timedelta(days=1)
    return datetime.combine(day, hours.opens, tzinfo=zone)


def next_in_line(
    session: Session, event: Event, freed: int, *, now: datetime
) -> WaitingParty | None:
    """The first party that gets seats if ``freed`` seats come free. ``None`` if no party fits, such
    as in an event that then still is over its capacity, or if the event is over or cancelled."""
    counted = seats.count(session, event.id, now=now)
    return waitlist.first_fitting(
        session, event, replace(counted, taken=counted.taken - freed), now=now
    )


def pass_on(
    session: Session, event: Event, registration_id: int, *, by: Actor, now: datetime
) -> bool:
    """Cancel a registration that was not reached in time, so that the next party gets its seats.

    Does nothing and returns ``False`` if its deadline has not passed, it was reached, or no waiting
    party fits. Refuses with ``RegistrationUnknown`` if it is not of this event.
    """
    seats.lock(session, event.id, now=now)
    registration = lookup.of_event(session, event, registration_id)
    session.refresh(registration, with_for_update=True)
    task = calls.task_of(session, event, registration, now=now)
    if task is None or not task.is_overdue(now):
        return False
    if next_in_line(session, event, len(task.people), now=now) is None:
        return False
    audit.record(
        session, Action.PASSED_ON, by, now=now, event_id=event.id, registration_id=registration.id
    )
    cancellations.cancel(session, event, registration, by=by, now=now)
    return True


def count_by_outcome(session: Session, event: Event) -> dict[str, int]:
    """The number of calls with each outcome; a call for several reasons counts once."""
    made = (
        select(Call.registration_id, Call.called_at, Call.outcome)
        .where(Call.event_id == event.id)
        .distinct()
        .subquery()
    )
    counting = select(made.c.outcome, func.count()).group_by(made.c.outcome)
    return dict(session.execute(counting).all())
