"""Deliveries: taking owed mails in hand one by one, and what became of each.

A sender takes a mail in hand by moving its next try away; when the sender dies, somebody else takes
it later and sends the same message with the same id. One bad mail waits its turn and holds up
nobody (promise P10).
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
"""For so long a mail belongs to the sender that took it."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
"""After a failure, doubling."""
GIVE_UP_AFTER = timedelta(days=3)
_LONGEST_REASON = 120


@dataclass(frozen=True)
class Delivery:
    """One mail in hand: what it is about, and how often it has been tried, this time included."""

    message_id: int
    kind: MessageKind
    registration_id: int
    slug: str
    owed_since: datetime
    attempts: int


@dataclass(frozen=True)
class Failed:
    """A mail that was given up, and why."""

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
_failed = (
    select(Event.slug, OutboxMessage.registration_id, OutboxMessage.kind, OutboxMessage.failure)
    .join(Event, Event.id == OutboxMessage.event_id)
    .where(OutboxMessage.failed_at.is_not(None))
    .order_by(OutboxMessage.id)
)
_change = update(OutboxMessage).where(OutboxMessage.id == bindparam("message"))


def take(session: Session, *, now: datetime) -> Delivery | None:
    """Take the mail that has been owed longest in hand; ``None`` where none is due. What is no
    longer true is dropped on the way and never sent."""
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
    """Whether the event is over, the address gone, or a place on the waiting list has become a
    seat."""
    has_seat = (
        message.kind == MessageKind.WAITLISTED
        and registration.state != RegistrationState.WAITLISTED
    )
    return now >= event.ends_at or registration.email is None or has_seat


def sent(session: Session, delivery: Delivery, *, now: datetime) -> None:
    """The mail server has it."""
    session.execute(_change.values(settled_at=now, failure=None), {"message": delivery.message_id})


def put_back(session: Session, delivery: Delivery, *, now: datetime) -> None:
    """Not this mail's fault: the mail server could not be reached. Costs no attempt."""
    values = {"next_try_at": now + FIRST_WAIT, "attempts": delivery.attempts - 1}
    session.execute(_change.values(values), {"message": delivery.message_id})


def failed(
    session: Session, delivery: Delivery, reason: str, *, for_good: bool, now: datetime
) -> bool:
    """Try again later, each time after a longer wait; or give up, which is returned: then somebody
    is to call instead."""
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
    """How many mails wait to be sent."""
    return session.execute(_owed).scalar_one()


def given_up(session: Session) -> list[Failed]:
    """The mails that could not be delivered."""
    rows = session.execute(_failed)
    return [Failed(row[0], row[1], MessageKind(row[2]), row[3] or "") for row in rows]
