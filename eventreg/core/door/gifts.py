"""Gifts: one for each person who came, handed out once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.event import events
from eventreg.core.models.attendance import Gift
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee

HANDED = and_(Gift.attendee_id == Attendee.id, Gift.undone_at.is_(None))
"""How attendees are joined with the gifts that count."""


@dataclass(frozen=True)
class Stock:
    """Gifts given, and how many are left, where the event says how many there were."""

    given: int
    left: int | None


def give(session: Session, event: Event, attendee_id: int, *, by: Actor, now: datetime) -> bool:
    """Hand this attendee of the event a gift; ``False`` for somebody who has one."""
    if (
        session.scalar(select(Gift.id).join(Attendee, HANDED).where(Attendee.id == attendee_id))
        is not None
    ):
        return False
    if by.staff_id is None:
        raise ValueError("a gift is handed out by a staff member")
    session.add(
        Gift(event_id=event.id, attendee_id=attendee_id, given_at=now, by_staff_id=by.staff_id)
    )
    session.flush()
    person = session.get_one(Attendee, attendee_id)
    audit.record(
        session,
        Action.GIFT_GIVEN,
        by,
        now=now,
        event_id=event.id,
        registration_id=person.registration_id,
        attendee_id=attendee_id,
        place=person.place,
    )
    return True


def stock(session: Session, event: Event) -> Stock:
    """How many gifts are gone and left."""
    counting = select(func.count(Gift.id)).where(
        Gift.event_id == event.id, Gift.undone_at.is_(None)
    )
    given = session.execute(counting).scalar_one()
    gift = events.definition(event).gift
    had = gift.stock if gift else None
    return Stock(given, None if had is None else max(0, had - given))
