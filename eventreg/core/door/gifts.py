"""Gifts: record that a person was given one, and count what is left."""

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
"""Joins attendees with their gifts that count."""


@dataclass(frozen=True)
class Stock:
    """How many gifts were given, and how many are left: ``None`` if the event sets no number, and
    never below 0."""

    given: int
    left: int | None


def give(session: Session, event: Event, attendee_id: int, *, by: Actor, now: datetime) -> bool:
    """Record a gift for this attendee of the event. Returns ``False`` if the person has one.

    Does not check whether the person came or a gift is left. ``ValueError`` if ``by`` is not a
    staff member.
    """
    has_gift = select(Gift.id).join(Attendee, HANDED).where(Attendee.id == attendee_id)
    if session.scalar(has_gift) is not None:
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
    """Count the gifts that were given and those that are left."""
    counting = select(func.count(Gift.id)).where(
        Gift.event_id == event.id, Gift.undone_at.is_(None)
    )
    given = session.execute(counting).scalar_one()
    gift = events.definition(event).gift
    at_first = gift.stock if gift else None
    return Stock(given, None if at_first is None else max(0, at_first - given))
