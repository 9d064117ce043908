"""The outbox: record which message is owed to which registration, in the transaction of the change
that it is about. ``deliveries`` sends the mails; staff settle the calls."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.models.event import Event
from eventreg.core.models.outbox import Channel, MessageKind, OutboxMessage
from eventreg.core.models.registration import Registration, RegistrationState
from eventreg.core.values.notices import NoticeKind

_add = insert(OutboxMessage)
_unsettled = OutboxMessage.settled_at.is_(None)
_settle = update(OutboxMessage).where(_unsettled).execution_options(synchronize_session=False)
_UNIQUE = ("registration_id", "kind", "channel", "event_version")
_owe_once_more = (
    update(OutboxMessage)
    .values(settled_at=None, attempts=0, next_try_at=None, failed_at=None, failure=None)
    .returning(OutboxMessage.id)
    .execution_options(synchronize_session=False)
)
_of_one = (
    select(OutboxMessage.kind)
    .where(
        OutboxMessage.registration_id == bindparam("registration"),
        OutboxMessage.channel == Channel.CALL,
        _unsettled,
    )
    .order_by(OutboxMessage.id)
)
_live = select(Registration.id, Registration.email).where(
    Registration.event_id == bindparam("event"), Registration.state != RegistrationState.CANCELLED
)
_OF_THEIR_OWN = {
    NoticeKind.MOVED: MessageKind.EVENT_MOVED,
    NoticeKind.CANCELLED: MessageKind.EVENT_CANCELLED,
    NoticeKind.SPEAKER_REPLACED: MessageKind.SPEAKER_REPLACED,
}
"""Notices with a mail and a call script of their own. All others share one."""
NOTICES = frozenset((*_OF_THEIR_OWN.values(), MessageKind.ANNOUNCED))
"""The messages that are notices of an event."""


def enqueue(
    session: Session,
    event: Event,
    registration_id: int,
    kind: MessageKind,
    *,
    email: str | None,
    now: datetime,
) -> None:
    """Owe a mail to a registration. Does nothing without an address. A mail of this kind that was
    sent before is owed once more: a cancellation can be undone and repeated."""
    if not email:
        return
    row = _row(event, registration_id, kind, Channel.MAIL, now)
    same = (getattr(OutboxMessage, column) == row[column] for column in _UNIQUE)
    if session.execute(_owe_once_more.where(*same).values(created_at=now)).first() is None:
        session.execute(_add, row)


def enqueue_first(
    connection: Connection,
    event: Event,
    registrations: Collection[int],
    kind: MessageKind,
    *,
    now: datetime,
) -> None:
    """Owe a mail to each of these registrations, which have just been made and have an address."""
    if registrations:
        connection.execute(
            _add, [_row(event, one, kind, Channel.MAIL, now) for one in registrations]
        )


def enqueue_call(
    session: Session,
    event: Event,
    registration_id: int,
    kind: MessageKind,
    *,
    email: str | None,
    now: datetime,
) -> None:
    """Owe a telephone call to a registration, and a mail if there is an e-mail address. The call is
    owed until somebody is reached, the registration is cancelled, or a newer notice replaces it."""
    session.execute(_add, _row(event, registration_id, kind, Channel.CALL, now))
    enqueue(session, event, registration_id, kind, email=email, now=now)


def _row(
    event: Event, registration_id: int, kind: MessageKind, channel: Channel, now: datetime
) -> dict[str, object]:
    return {
        "event_id": event.id,
        "registration_id": registration_id,
        "kind": kind,
        "channel": channel,
        "event_version": event.version,
        "created_at": now,
    }


def call_instead(session: Session, mail: OutboxMessage, *, now: datetime) -> None:
    """Owe a call instead of a mail that could not be sent, unless there was one already. Does
    nothing for the mail about a cancellation."""
    if mail.kind == MessageKind.CANCELLED:
        return
    same = {
        "registration_id": mail.registration_id,
        "kind": mail.kind,
        "event_version": mail.event_version,
    }
    if session.scalar(select(OutboxMessage.id).filter_by(**same, channel=Channel.CALL)) is None:
        session.execute(
            _add, {**same, "event_id": mail.event_id, "channel": Channel.CALL, "created_at": now}
        )


class Reach(NamedTuple):
    """How many registrations would be called, and how many of them would also get a mail."""

    calls: int
    mails: int


def announce(session: Session, event: Event, *, now: datetime) -> int:
    """Owe the event's notice, as a call and a mail, to every registration that is confirmed or
    waiting. An older notice is no longer owed. Returns the number of registrations; 0 if the event
    has no notice."""
    older = OutboxMessage.kind.in_(NOTICES)
    session.execute(_settle.where(OutboxMessage.event_id == event.id, older).values(settled_at=now))
    if event.notice is None:
        return 0
    kind = _OF_THEIR_OWN.get(NoticeKind(event.notice), MessageKind.ANNOUNCED)
    live = session.execute(_live, {"event": event.id}).all()
    for registration_id, email in live:
        enqueue_call(session, event, registration_id, kind, email=email, now=now)
    return len(live)


def reach(session: Session, event_id: int) -> Reach:
    """How the event's notice would reach the registrations that are confirmed or waiting."""
    live = session.execute(_live, {"event": event_id}).all()
    return Reach(len(live), sum(1 for _, email in live if email))


def count_told(session: Session, event_id: int) -> int:
    """How many registrations have already been told a notice of the event, by telephone."""
    told = select(func.count(OutboxMessage.registration_id.distinct())).where(
        OutboxMessage.event_id == event_id,
        OutboxMessage.kind.in_(NOTICES),
        OutboxMessage.settled_by_staff_id.is_not(None),
    )
    return session.execute(told).scalar_one()


def withdraw(session: Session, registration_id: int, *, now: datetime) -> None:
    """Owe no call and no mail any more to a registration that was cancelled."""
    session.execute(
        _settle.where(OutboxMessage.registration_id == registration_id).values(settled_at=now)
    )


def owe_again(
    session: Session,
    event: Event,
    registration: Registration,
    *,
    withdrawn_at: datetime,
    now: datetime,
) -> None:
    """Owe again what ``withdraw`` took back at that moment, because the cancellation was undone. If
    a mail about the cancellation is on its way, a mail about the seat or waiting place follows."""
    of_one = OutboxMessage.registration_id == registration.id
    is_cancelled = OutboxMessage.kind == MessageKind.CANCELLED
    session.execute(
        update(OutboxMessage)
        .where(
            of_one,
            ~is_cancelled,
            OutboxMessage.settled_at == withdrawn_at,
            OutboxMessage.settled_by_staff_id.is_(None),
        )
        .values(settled_at=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        _settle.where(of_one, is_cancelled, OutboxMessage.attempts == 0).values(settled_at=now)
    )
    begun = select(OutboxMessage.id).where(of_one, is_cancelled, OutboxMessage.attempts > 0)
    if session.scalar(begun.limit(1)) is not None:
        waits = registration.state == RegistrationState.WAITLISTED
        kind = MessageKind.WAITLISTED if waits else MessageKind.REGISTERED
        enqueue(session, event, registration.id, kind, email=registration.email, now=now)


def settle(session: Session, registration: Registration, *, by: Actor, now: datetime) -> None:
    """Record that staff reached the registration: no call is owed any more. Its mails stay. Does
    nothing if no call was owed."""
    settled = session.execute(
        _settle.where(
            OutboxMessage.registration_id == registration.id, OutboxMessage.channel == Channel.CALL
        )
        .values(settled_at=now, settled_by_staff_id=by.staff_id)
        .returning(OutboxMessage.id)
    ).all()
    if settled:
        audit.record(
            session,
            Action.TOLD,
            by,
            now=now,
            event_id=registration.event_id,
            registration_id=registration.id,
            messages=len(settled),
        )


def unsettled_calls(session: Session, event_id: int) -> Sequence[tuple[int, str]]:
    """Every owed call of an event as registration id and kind, the longest owed first."""
    owed = (OutboxMessage.event_id == event_id, OutboxMessage.channel == Channel.CALL, _unsettled)
    calls = select(OutboxMessage.registration_id, OutboxMessage.kind).where(*owed)
    return session.execute(calls.order_by(OutboxMessage.id)).all()


def owed_calls(session: Session, registration_id: int) -> Sequence[MessageKind]:
    """The calls that are owed to one registration, the longest owed first."""
    return [
        MessageKind(kind) for kind in session.scalars(_of_one, {"registration": registration_id})
    ]
