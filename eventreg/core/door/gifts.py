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
from eventreg.core.door.book import Book
from eventreg.core.errors import AttendeeUnknown, GiftBeforeArrival
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn, Gift
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import identity

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


def give(session: Session, event: Event, attendee_id: int, *, by: Actor, now: datetime) -> bool:
    """Record a gift for this attendee of the event; a gift that was owed is settled by it. Returns
    ``False`` if the person has one.

    Refuses with ``AttendeeUnknown``, and with ``GiftBeforeArrival`` if the person is not checked
    in. ``ValueError`` if ``by`` is not a staff member.
    """
    person = identity.of_event(session, event, attendee_id)
    return enter(Book(session, event), person, by=by, now=now)


def enter(
    book: Book,
    person: Attendee,
    *,
    by: Actor,
    now: datetime,
    at: datetime | None = None,
    had_come: bool = False,
) -> bool:
    """``give`` for a person of the book. ``at`` is when the gift was handed over, if that was not
    ``now``. With ``had_come``, the person was in then, and may not be any more."""
    if book.gift(person.id) is not None:
        return False
    if not had_come and book.check_in(person.id) is None:
        raise GiftBeforeArrival(person.public_id, person.name)
    if by.staff_id is None:
        raise ValueError("a gift is handed out by a staff member")
    given_at, staff = at or now, by.staff_id
    book.enter_gift(
        Gift(event_id=book.event.id, attendee_id=person.id, given_at=given_at, by_staff_id=staff)
    )
    owed.settle(book, person, by=by, at=given_at)
    audit.record_of_person(book.session, Action.GIFT_GIVEN, person, by, now)
    return True


def undo(session: Session, event: Event, attendee_id: int, *, by: Actor, now: datetime) -> bool:
    """Take back the gift of this attendee of the event: it was not handed over. What it settled is
    owed again. Returns ``False`` if the person has none. Refuses with ``AttendeeUnknown``."""
    person = identity.of_event(session, event, attendee_id)
    return strike(Book(session, event), person, by=by, now=now)


def strike(book: Book, person: Attendee, *, by: Actor, now: datetime) -> bool:
    """``undo`` for a person of the book."""
    gift = book.gift(person.id)
    if gift is None:
        return False
    gift.undone_at, gift.undone_by_staff_id = now, by.staff_id
    book.strike_gift(gift)
    owed.reopen(book, person, settled_at=gift.given_at)
    audit.record_of_person(book.session, Action.GIFT_UNDONE, person, by, now)
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


def with_check_in(book: Book, person: Attendee, made: CheckIn, *, by: Actor) -> None:
    """If check-in gives the gift at this event, give it; if none is left, it is owed."""
    gift = events.definition(book.event).gift
    if gift is None or not gift.at_check_in:
        return
    now = made.recorded_at
    if book.gifts_left() == 0:
        owed.note(book, person, by=by, now=now)
    else:
        enter(book, person, by=by, now=now, at=made.arrived_at)


def undo_with_check_in(book: Book, person: Attendee, *, by: Actor, now: datetime) -> None:
    """If check-in gives the gift at this event, take back what the check-in gave or owes."""
    gift = events.definition(book.event).gift
    if gift is not None and gift.at_check_in:
        strike(book, person, by=by, now=now)
        owed.strike(book, person, by=by, now=now)


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
