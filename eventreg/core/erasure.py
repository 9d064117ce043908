"""Forgetting: one person on request, everybody when their time is over, and giving one person all
that is kept of them.

Rows stay, so that every count stays; what names a person is overwritten. Periods are those of
PROMISES.md, section 4.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import String, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.desk import attendee_list
from eventreg.core.errors import AlreadyCancelled
from eventreg.core.event import events
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.calls import Call
from eventreg.core.models.event import Event
from eventreg.core.models.outbox import OutboxMessage
from eventreg.core.models.registration import Attendee, FormKey, Registration, RegistrationState
from eventreg.core.registration import cancellations, lookup

NOBODY = "—"
"""What stands where a name stood."""
UNSEATED_KEPT = timedelta(days=7)
"""After the end, for those who cancelled or never got a seat."""
_AT_ONCE = 500
T = TypeVar("T")


class Stage(StrEnum):
    """What is due to be forgotten."""

    WISHES = "wishes"
    UNSEATED = "unseated"
    EVERYBODY = "everybody"


@dataclass(frozen=True)
class Due:
    """So many registrations of one event, of which something is to be forgotten."""

    slug: str
    stage: Stage
    registrations: int


def _due_of(event: Event, now: datetime) -> Sequence[tuple[Stage, Any]]:
    """The stages that have come for an event, each with the registrations it is about; the last one
    is about all."""
    kept = (Registration.event_id == event.id, Registration.erased_at.is_(None))
    stages: list[tuple[Stage, Any]] = []
    if now >= event.ends_at:
        stages.append(
            (Stage.WISHES, select(Registration.id).where(*kept, Registration.wishes != ""))
        )
    if now >= events.later(event.ends_at, UNSEATED_KEPT):
        unseated = Registration.state != RegistrationState.CONFIRMED
        stages.append((Stage.UNSEATED, select(Registration.id).where(*kept, unseated)))
    if events.is_past_keeping(event, now):
        stages.append((Stage.EVERYBODY, select(Registration.id).where(*kept)))
    return stages


def due(session: Session, slug: str, *, now: datetime) -> Sequence[Due]:
    """What a purge of this event at this moment would forget. Changes nothing."""
    found = []
    for stage, which in _due_of(events.get(session, slug), now):
        number: int = session.execute(
            select(func.count()).select_from(which.subquery())
        ).scalar_one()
        if number:
            found.append(Due(slug, stage, number))
    return found


def purge(session: Session, slug: str, *, by: Actor, now: datetime) -> None:
    """Forget what is due of this event; where nothing is, nothing is changed. Only ``forgetting``
    does this: it is not all."""
    event = events.get(session, slug)
    for stage, which in _due_of(event, now):
        ids = session.scalars(which).all()
        if not ids:
            continue
        if stage is Stage.WISHES:
            _clear_wishes(session, ids)
        else:
            _overwrite(session, ids, now)
        audit.record(
            session,
            Action.PURGED,
            by,
            now=now,
            event_id=event.id,
            stage=stage,
            registrations=len(ids),
        )


def purged_at(session: Session) -> datetime | None:
    """When everybody of an event was forgotten last, of whatever event."""
    purges = select(AuditEntry.at, AuditEntry.details).where(AuditEntry.action == Action.PURGED)
    for at, details in session.execute(purges.order_by(AuditEntry.id.desc())):
        if details.get("stage") == Stage.EVERYBODY:
            moment: datetime = at
            return moment
    return None


def _clear_wishes(session: Session, ids: Collection[int]) -> None:
    for some in _parts(ids):
        session.execute(
            update(Registration)
            .where(Registration.id.in_(some))
            .values(wishes="")
            .execution_options(synchronize_session=False)
        )


def _parts(ids: Collection[T]) -> Sequence[Sequence[T]]:
    listed = list(ids)
    return [listed[start : start + _AT_ONCE] for start in range(0, len(listed), _AT_ONCE)]


def _overwrite(session: Session, ids: Collection[int], now: datetime) -> None:
    """Put nothing in the place of all that names these people. The name that is compared must
    differ from person to person, so it becomes the id."""
    quietly = {"synchronize_session": False}
    for some in _parts(ids):
        session.execute(
            update(Registration)
            .where(Registration.id.in_(some))
            .values(
                phone_number="",
                phone_typed="",
                phone_tail="",
                email=None,
                contact=None,
                wishes="",
                name_unsure=False,
                erased_at=now,
                version=Registration.version + 1,
            )
            .execution_options(**quietly)
        )
        session.execute(
            update(Attendee)
            .where(Attendee.registration_id.in_(some))
            .values(
                name=NOBODY,
                name_folded=cast(Attendee.id, String),
                sort_key="~",
                search_key="~",
                letter="#",
                phone_number="",
                phone_tail="",
            )
            .execution_options(**quietly)
        )
        session.execute(
            delete(FormKey).where(FormKey.registration_id.in_(some)).execution_options(**quietly)
        )
        owed = (
            OutboxMessage.registration_id.in_(some),
            or_(OutboxMessage.settled_at.is_(None), _told_a_fault),
        )
        session.execute(
            update(OutboxMessage)
            .where(*owed)
            .values(settled_at=now, failure=None)
            .execution_options(**quietly)
        )
    session.expire_all()


_told_a_fault = OutboxMessage.failure.is_not(None)


def erase(
    session: Session, event: Event, registration: Registration, *, by: Actor, now: datetime
) -> None:
    """Forget the people of one registration at once. Seats that they still hold go to the next.
    Doing it again changes nothing. Only ``forgetting`` does this: it is not all."""
    if now < event.ends_at:
        with suppress(AlreadyCancelled):
            cancellations.cancel(session, event, registration, by=by, now=now)
    session.flush()
    session.refresh(registration)
    if registration.erased_at is not None:
        return
    audit.record(
        session, Action.ERASED, by, now=now, event_id=event.id, registration_id=registration.id
    )
    _overwrite(session, [registration.id], now)


def extract(
    session: Session, event: Event, registration: Registration, *, by: Actor, now: datetime
) -> dict[str, Any]:
    """All that is kept of the people of one registration, for them to have."""
    history = audit.history(session, registration.id)
    told = (
        select(OutboxMessage)
        .where(OutboxMessage.registration_id == registration.id)
        .order_by(OutboxMessage.id)
    )
    made = select(Call).where(Call.registration_id == registration.id).order_by(Call.id)
    found = {
        "event": event.slug,
        "registration": {
            "id": registration.id,
            "state": registration.state,
            "source": registration.source,
            "language": registration.locale,
            "phone": registration.phone_number,
            "phone_as_typed": registration.phone_typed,
            "email": registration.email,
            "contact": registration.contact,
            "wishes": registration.wishes,
            "registered_at": _iso(registration.created_at),
            "cancelled_at": _iso(registration.cancelled_at),
        },
        "people": [
            {
                "name": row.name,
                "reading": row.reading,
                "code": row.code,
                "cancelled_at": _iso(row.cancelled_at),
                "arrived_at": _iso(row.arrived_at),
                "gift_at": _iso(row.gift_at),
            }
            for row in attendee_list.of_registration(session, registration.id)
        ],
        "messages": [
            {
                "kind": one.kind,
                "by": one.channel,
                "since": _iso(one.created_at),
                "done": _iso(one.settled_at),
            }
            for one in session.scalars(told)
        ],
        "calls": [
            {"about": one.reason, "outcome": one.outcome, "at": _iso(one.called_at)}
            for one in session.scalars(made)
        ],
        "history": [
            {"at": _iso(line.at), "what": line.action, "by": line.kind} for line in history
        ],
    }
    audit.record(
        session, Action.EXTRACTED, by, now=now, event_id=event.id, registration_id=registration.id
    )
    return found


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def certainly_erased(session: Session) -> dict[int, str]:
    """The tickets' digests, by number of the registration, of everybody who was erased on request
    or because the time was over. Left out is whoever was erased only because an older list named a
    number: that may have been a stranger's."""
    erased = select(Registration.id, Registration.ticket_digest).where(
        Registration.erased_at.is_not(None)
    )
    found: dict[int, str] = dict(session.execute(erased).all())
    entries = select(AuditEntry.registration_id, AuditEntry.actor_kind, AuditEntry.details)
    why: dict[int, list[bool]] = defaultdict(list)
    for registration_id, kind, details in session.execute(
        entries.where(AuditEntry.action == Action.ERASED)
    ):
        why[registration_id].append(kind != audit.SYSTEM.kind or bool(details.get("again")))
    return {number: digest for number, digest in found.items() if any(why.get(number, [True]))}


def back_again(session: Session, digests: Collection[str]) -> Sequence[int]:
    """The registrations with these tickets' digests whose people stand in the database."""
    found: list[int] = []
    for some in _parts(digests):
        known = (Registration.ticket_digest.in_(some), Registration.erased_at.is_(None))
        found += session.scalars(select(Registration.id).where(*known))
    return found


def erase_again(session: Session, ids: Collection[int], *, now: datetime) -> None:
    """Forget these registrations once more, in a database that was brought back from before they
    were."""
    for one in ids:
        registration = lookup.get(session, one)
        event = session.get_one(Event, registration.event_id)
        if now < event.ends_at:
            with suppress(AlreadyCancelled):
                cancellations.cancel(session, event, registration, by=audit.SYSTEM, now=now)
        about = {"event_id": event.id, "registration_id": one}
        audit.record(session, Action.ERASED, audit.SYSTEM, now=now, **about, again=True)
    session.flush()
    _overwrite(session, ids, now)
