"""Gifts: record that a person was given one, take that back, and count what is left.

A person gets one gift, and only after arriving. The stock is what the event file says; it warns and
never refuses, because who stands at the table sees what is left.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.door import owed
from eventreg.core.errors import AttendeeUnknown, GiftBeforeArrival
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn, Gift
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import identity
from eventreg.core.registration.arrivals import standing as arrival_of

HANDED = and_(Gift.attendee_id == Attendee.id, Gift.undone_at.is_(None))
"""Joins attendees with their gifts that count."""
FEW = 5
"""If no more gifts than these are left, the pages say so."""


@dataclass(frozen=True)
class Stock:
    """How many gifts were given, how many are left, and how many people are to get theirs later.
    ``left`` is ``None`` if the event sets no number, and never below 0."""

    given: int
    left: int | None
    owed: int = 0

    @property
    def is_low(self) -> bool:
        """Whether few are left, or none."""
        return self.left is not None and self.left <= FEW


def standing(session: Session, attendee_id: int) -> Gift | None:
    """The gift that this person has, or ``None``."""
    return session.scalar(
        select(Gift).where(Gift.attendee_id == attendee_id, Gift.undone_at.is_(None))
    )


def give(
    session: Session,
    event: Event,
    attendee_id: int,
    *,
    by: Actor,
    now: datetime,
    at: datetime | None = None,
    had_come: bool = False,
) -> bool:
    """Record a gift for this attendee of the event; a gift that was owed is settled by it. Returns
    ``False`` if the person has one. ``at`` is when it was handed over, if that was not ``now``.
    With ``had_come``, the person was in then, and may not be any more.

    Refuses with ``AttendeeUnknown``, and with ``GiftBeforeArrival`` if the person is not checked
    in. ``ValueError`` if ``by`` is not a staff member.
    """
    person = identity.of_event(session, event, attendee_id)
    if standing(session, attendee_id) is not None:
        return False
    if not had_come and arrival_of(session, attendee_id) is None:
        raise GiftBeforeArrival(person.public_id, person.name)
    if by.staff_id is None:
        raise ValueError("a gift is handed out by a staff member")
    given_at = at or now
    session.add(
        Gift(event_id=event.id, attendee_id=attendee_id, given_at=given_at, by_staff_id=by.staff_id)
    )
    session.flush()
    owed.settle(session, person, by=by, at=given_at)
    audit.record_of_person(session, Action.GIFT_GIVEN, person, by, now)
    return True


def undo(session: Session, event: Event, attendee_id: int, *, by: Actor, now: datetime) -> bool:
    """Take back the gift of this attendee of the event: it was not handed over. What it settled is
    owed again. Returns ``False`` if the person has none. Refuses with ``AttendeeUnknown``."""
    person = identity.of_event(session, event, attendee_id)
    gift = standing(session, attendee_id)
    if gift is None:
        return False
    gift.undone_at, gift.undone_by_staff_id = now, by.staff_id
    session.flush()
    owed.reopen(session, person, settled_at=gift.given_at)
    audit.record_of_person(session, Action.GIFT_UNDONE, person, by, now)
    return True


def undo_gift(
    session: Session, event: Event, gift_id: int, attendee: str, *, by: Actor, now: datetime
) -> Gift:
    """Take back the gift of this id, as ``undo`` does; a second time changes nothing. Refuses with
    ``AttendeeUnknown`` if the event has no such gift, or if it is not that of ``attendee``, if one
    is given."""
    gift, person = of_id(session, event, gift_id)
    if attendee and attendee != person.public_id:
        raise AttendeeUnknown
    if gift.undone_at is None:
        undo(session, event, person.id, by=by, now=now)
    return gift


def of_id(session: Session, event: Event, gift_id: int) -> tuple[Gift, Attendee]:
    """A gift at this event, undone or not, and the person it was for. Refuses with
    ``AttendeeUnknown``."""
    gift = session.get(Gift, gift_id)
    if gift is None or gift.event_id != event.id:
        raise AttendeeUnknown
    return gift, session.get_one(Attendee, gift.attendee_id)


def with_check_in(session: Session, event: Event, made: CheckIn, *, by: Actor) -> None:
    """If check-in gives the gift at this event, give it; if none is left, it is owed."""
    gift = events.definition(event).gift
    if gift is None or not gift.at_check_in:
        return
    person, now = made.attendee_id, made.recorded_at
    if stock(session, event).left == 0:
        owed.owe(session, event, person, by=by, now=now)
    else:
        give(session, event, person, by=by, now=now, at=made.arrived_at)


def undo_with_check_in(session: Session, made: CheckIn, *, by: Actor, now: datetime) -> None:
    """If check-in gives the gift at this event, take back what the check-in gave or owes."""
    event = session.get_one(Event, made.event_id)
    gift = events.definition(event).gift
    if gift is not None and gift.at_check_in:
        undo(session, event, made.attendee_id, by=by, now=now)
        owed.cross_out(session, event, made.attendee_id, by=by, now=now)


def stock(session: Session, event: Event) -> Stock:
    """Count the gifts that were given, that are left, and that are owed."""
    counting = select(func.count(Gift.id)).where(
        Gift.event_id == event.id, Gift.undone_at.is_(None)
    )
    given = session.execute(counting).scalar_one()
    gift = events.definition(event).gift
    at_first = gift.stock if gift else None
    left = None if at_first is None else max(0, at_first - given)
    return Stock(given, left, owed.count(session, event))
