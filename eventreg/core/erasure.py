"""Erase personal data: of one registration on request, of all when the retention period has ended.
Extract that of one registration. Rows stay, so that every count stays (docs/adr/0009).
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import String, cast, func, or_, select, update
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
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import cancellations, lookup, sent_forms
from eventreg.core.uploads import settling

NOBODY = "—"
"""Shown in the place of an erased name."""
UNSEATED_KEPT = timedelta(days=7)
"""How long after the event the data of those who cancelled or never got a seat is kept."""
_BATCH = 500
_NOT_IN_MEMORY = {"synchronize_session": False}
"""Do not update the objects of the session: they are expired afterwards."""
T = TypeVar("T")


class Stage(StrEnum):
    """What a purge erases: the wishes, the registrations without a seat, or all of them."""

    WISHES = "wishes"
    UNSEATED = "unseated"
    EVERYBODY = "everybody"


@dataclass(frozen=True)
class Due:
    """How many registrations of one event have data to erase at a stage."""

    slug: str
    stage: Stage
    registrations: int


def _due_of(event: Event, now: datetime) -> Sequence[tuple[Stage, Any]]:
    """The stages that an event has reached, each with the registrations that have data to erase."""
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
    """What ``purge`` would erase: one ``Due`` for each stage that has something to erase. A
    registration may count in several. Changes nothing."""
    found = []
    for stage, which in _due_of(events.get(session, slug), now):
        number: int = session.execute(
            select(func.count()).select_from(which.subquery())
        ).scalar_one()
        if number:
            found.append(Due(slug, stage, number))
    return found


def purge(session: Session, slug: str, *, by: Actor, now: datetime) -> None:
    """Erase what is due in an event. Call it only through ``operations.forgetting``, which also
    erases what is stored outside the database."""
    event = events.get(session, slug)
    for stage, which in _due_of(event, now):
        ids = session.scalars(which).all()
        if not ids:
            continue
        if stage is Stage.WISHES:
            _clear_wishes(session, ids)
        else:
            _overwrite(session, ids, now)
            settling.forget(session, event, stage is Stage.EVERYBODY)
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
    """When a purge last erased everybody of an event, whichever it was; ``None`` if none did."""
    purges = select(AuditEntry.at, AuditEntry.details).where(AuditEntry.action == Action.PURGED)
    for at, details in session.execute(purges.order_by(AuditEntry.id.desc())):
        if details.get("stage") == Stage.EVERYBODY:
            moment: datetime = at
            return moment
    return None


def _batches(values: Collection[T]) -> Sequence[Sequence[T]]:
    listed = list(values)
    return [listed[start : start + _BATCH] for start in range(0, len(listed), _BATCH)]


def _clear_wishes(session: Session, ids: Collection[int]) -> None:
    for some in _batches(ids):
        session.execute(
            update(Registration).where(Registration.id.in_(some)).values(wishes=""),
            execution_options=_NOT_IN_MEMORY,
        )


_no_registrant = update(Registration).values(
    phone_number="",
    phone_typed="",
    phone_tail="",
    email=None,
    contact=None,
    wishes="",
    name_unsure=False,
    version=Registration.version + 1,
)
_no_attendee = update(Attendee).values(
    name=NOBODY,
    name_folded=cast(Attendee.id, String),  # must differ between attendees
    sort_key="~",
    search_key="~",
    letter="#",
    phone_number="",
    phone_tail="",
)
_owed_or_failed = or_(OutboxMessage.settled_at.is_(None), OutboxMessage.failure.is_not(None))
_nothing_owed = update(OutboxMessage).where(_owed_or_failed).values(failure=None)


def _overwrite(session: Session, ids: Collection[int], now: datetime) -> None:
    """Overwrite the personal data of these registrations, delete their form keys, and owe them no
    message any more."""
    for some in _batches(ids):
        for statement in (
            _no_registrant.where(Registration.id.in_(some)).values(erased_at=now),
            _no_attendee.where(Attendee.registration_id.in_(some)),
            *sent_forms.nothing_left(some),
            settling.nothing_typed(some),
            _nothing_owed.where(OutboxMessage.registration_id.in_(some)).values(settled_at=now),
        ):
            session.execute(statement, execution_options=_NOT_IN_MEMORY)
    session.expire_all()


def erase(
    session: Session, event: Event, registration: Registration, *, by: Actor, now: datetime
) -> None:
    """Erase one registration now, and cancel it if the event is not over. Does nothing if it is
    erased. Call it only through ``operations.forgetting``, like ``purge``."""
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
    """All data about one registration, to be given to its people. Writes an audit entry, which is
    not among the data."""
    found = {
        "event": event.slug,
        "registration": _extract_of(registration),
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
        "messages": _messages(session, registration.id),
        "calls": _calls(session, registration.id),
        "history": [
            {"at": _iso(entry.at), "what": entry.action, "by": entry.kind}
            for entry in audit.history(session, registration.id)
        ],
    }
    audit.record(
        session, Action.EXTRACTED, by, now=now, event_id=event.id, registration_id=registration.id
    )
    return found


def _extract_of(registration: Registration) -> dict[str, Any]:
    return {
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
        "put_first_at": _iso(registration.put_first_at),
    }


def _messages(session: Session, registration_id: int) -> list[dict[str, Any]]:
    messages = select(OutboxMessage).where(OutboxMessage.registration_id == registration_id)
    return [
        {
            "kind": message.kind,
            "by": message.channel,
            "since": _iso(message.created_at),
            "done": _iso(message.settled_at),
        }
        for message in session.scalars(messages.order_by(OutboxMessage.id))
    ]


def _calls(session: Session, registration_id: int) -> list[dict[str, Any]]:
    calls = select(Call).where(Call.registration_id == registration_id).order_by(Call.id)
    return [
        {"about": call.reason, "outcome": call.outcome, "at": _iso(call.called_at)}
        for call in session.scalars(calls)
    ]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def certainly_erased(session: Session) -> dict[int, str]:
    """The ticket digests, by id, of registrations that were erased on request or by the purge. Not
    of those erased because an older list named their id: a restore may have given it again."""
    erased = select(Registration.id, Registration.ticket_digest).where(
        Registration.erased_at.is_not(None)
    )
    found: dict[int, str] = dict(session.execute(erased).all())
    entries = select(AuditEntry.registration_id, AuditEntry.actor_kind, AuditEntry.details)
    certain: dict[int, list[bool]] = defaultdict(list)
    for registration_id, kind, details in session.execute(
        entries.where(AuditEntry.action == Action.ERASED)
    ):
        certain[registration_id].append(kind != audit.SYSTEM.kind or bool(details.get("again")))
    return {number: digest for number, digest in found.items() if any(certain.get(number, [True]))}


def back_again(session: Session, digests: Collection[str]) -> Sequence[int]:
    """The ids of the registrations with these ticket digests that are not erased."""
    found: list[int] = []
    for some in _batches(digests):
        known = (Registration.ticket_digest.in_(some), Registration.erased_at.is_(None))
        found += session.scalars(select(Registration.id).where(*known))
    return found


def erase_again(session: Session, ids: Collection[int], *, now: datetime) -> None:
    """Erase these registrations again, after a restore from before they were erased, and cancel
    those whose event is not over."""
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
