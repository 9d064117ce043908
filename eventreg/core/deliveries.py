"""Deliveries: choose the next mail to send, and record whether it was sent.

A sender reserves a mail by setting its next try to five minutes later. If the sender dies, another
one takes the mail then, and sends the same message with the same id. A mail that fails is tried
again later and does not hold up the others.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from eventreg.core import outbox
from eventreg.core.models.event import Event
from eventreg.core.models.outbox import Channel, MessageKind, OutboxMessage
from eventreg.core.models.registration import Registration, RegistrationState

IN_HAND = timedelta(minutes=5)
"""How long a mail is reserved for the sender that took it."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
"""The wait after a failure. It doubles with each."""
GIVE_UP_AFTER = timedelta(days=3)
_LONGEST_REASON = 120


@dataclass(frozen=True)
class Delivery:
    """A mail that is being sent. ``attempts`` includes this one."""

    message_id: int
    kind: MessageKind
    registration_id: int
    slug: str
    owed_since: datetime
    attempts: int


@dataclass(frozen=True)
class Failed:
    """A mail that was given up, and the reason."""

    slug: str
    registration_id: int
    kind: MessageKind
    reason: str


_due = (
    select(OutboxMessage, Registration, Event)
    .join(Registration, Registration.id == OutboxMessage.registration_id)
    .join(Event, Event.id == OutboxMessage.event_id)
    .where(
        OutboxMessage.channel == Channel.MAIL,
        OutboxMessage.settled_at.is_(None),
        OutboxMessage.failed_at.is_(None),
        or_(OutboxMessage.next_try_at.is_(None), OutboxMessage.next_try_at <= bindparam("now")),
    )
    .order_by(func.coalesce(OutboxMessage.next_try_at, OutboxMessage.created_at), OutboxMessage.id)
    .limit(1)
    .with_for_update(of=OutboxMessage, skip_locked=True)
)
_owed = select(func.count(OutboxMessage.id)).where(
    OutboxMessage.channel == Channel.MAIL,
    OutboxMessage.settled_at.is_(None),
    OutboxMessage.failed_at.is_(None),
)
_oldest_owed = select(func.min(OutboxMessage.created_at)).where(
    OutboxMessage.channel == Channel.MAIL,
    OutboxMessage.settled_at.is_(None),
    OutboxMessage.failed_at.is_(None),
)
_failed = (
    select(Event.slug, OutboxMessage.registration_id, OutboxMessage.kind, OutboxMessage.failure)
    .join(Event, Event.id == OutboxMessage.event_id)
    .where(OutboxMessage.failed_at.is_not(None))
    .order_by(OutboxMessage.id)
)
_change = update(OutboxMessage).where(OutboxMessage.id == bindparam("message"))


def take(session: Session, *, now: datetime) -> Delivery | None:
    """Reserve the mail that has been due longest, and count the attempt. ``None`` if none is due.
    Mails that are no longer true are settled without being sent."""
    while row := session.execute(_due, {"now": now}).first():
        message, registration, event = row
        if _is_stale(message, registration, event, now):
            message.settled_at = now
            session.flush()
            continue
        message.next_try_at = now + IN_HAND
        message.attempts += 1
        session.flush()
        return Delivery(
            message.id,
            MessageKind(message.kind),
            registration.id,
            event.slug,
            message.created_at,
            message.attempts,
        )
    return None


def _is_stale(
    message: OutboxMessage, registration: Registration, event: Event, now: datetime
) -> bool:
    """Whether the event is over, the e-mail address was removed, or the mail speaks of a waiting
    place and the party does not wait any more."""
    has_seat = (
        message.kind == MessageKind.WAITLISTED
        and registration.state != RegistrationState.WAITLISTED
    )
    return now >= event.ends_at or registration.email is None or has_seat


def sent(session: Session, delivery: Delivery, *, now: datetime) -> None:
    """Record that the mail server accepted the mail."""
    session.execute(_change.values(settled_at=now, failure=None), {"message": delivery.message_id})


def put_back(session: Session, delivery: Delivery, *, now: datetime) -> None:
    """Try again later, because the mail server could not be reached. No attempt is counted."""
    values = {"next_try_at": now + FIRST_WAIT, "attempts": delivery.attempts - 1}
    session.execute(_change.values(values), {"message": delivery.message_id})


def failed(
    session: Session, delivery: Delivery, reason: str, *, for_good: bool, now: datetime
) -> bool:
    """Record a failure. Try again after a wait, or give up: at once if ``for_good``, else after
    three days. A call is owed then instead (``outbox.call_instead``). Returns whether it gave
    up."""
    wait = min(FIRST_WAIT * 2 ** (delivery.attempts - 1), LONGEST_WAIT)
    gives_up = for_good or now + wait > delivery.owed_since + GIVE_UP_AFTER
    values = {
        "failure": reason[:_LONGEST_REASON],
        "next_try_at": now + wait,
        "failed_at": now if gives_up else None,
    }
    session.execute(_change.values(values), {"message": delivery.message_id})
    if gives_up:
        outbox.call_instead(session, session.get_one(OutboxMessage, delivery.message_id), now=now)
    return gives_up


def owed(session: Session) -> int:
    """How many mails are still to be sent, without those that were given up."""
    return session.execute(_owed).scalar_one()


def oldest_owed(session: Session, *, untried: bool = False) -> datetime | None:
    """Since when the oldest mail that is still to be sent has been owed; ``None`` if there is none.
    With ``untried``, only mails that no sender has tried yet: if such a mail is old, mails are
    stuck, and not only one address refuses them."""
    asked = _oldest_owed.where(OutboxMessage.attempts == 0) if untried else _oldest_owed
    return session.scalar(asked)


def given_up(session: Session) -> list[Failed]:
    """The mails that were given up, oldest first."""
    return [
        Failed(slug, registration_id, MessageKind(kind), failure or "")
        for slug, registration_id, kind, failure in session.execute(_failed)
    ]
