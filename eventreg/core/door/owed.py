"""Gifts that are owed: none was left when the person stood at the table, who gets one later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.door.book import Book
from eventreg.core.errors import AttendeeUnknown, GiftBeforeArrival
from eventreg.core.models.door import OwedGift
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee, Registration
from eventreg.core.registration import identity


@dataclass(frozen=True)
class Owed:
    """One person who is to get a gift later. ``attendee`` is the random id."""

    attendee: str
    registration_id: int
    name: str
    phone_number: str
    code: str | None
    owed_at: datetime


def owe(session: Session, event: Event, attendee_id: int, *, by: Actor, now: datetime) -> bool:
    """Note that this attendee of the event is to get a gift later; a second time changes nothing.
    Returns ``False`` if the person has a gift.

    Refuses with ``AttendeeUnknown``, and with ``GiftBeforeArrival`` if the person is not checked
    in.
    """
    person = identity.of_event(session, event, attendee_id)
    return note(Book(session, event), person, by=by, now=now)


def note(book: Book, person: Attendee, *, by: Actor, now: datetime) -> bool:
    """``owe`` for a person of the book."""
    if book.gift(person.id) is not None:
        return False
    if book.check_in(person.id) is None:
        raise GiftBeforeArrival(person.public_id, person.name)
    row = book.owed(person.id)
    if row is None:
        book.enter_owed(
            OwedGift(
                event_id=book.event.id, attendee_id=person.id, owed_at=now, by_staff_id=by.staff_id
            )
        )
    elif row.settled_at is None:
        return True
    else:
        row.owed_at, row.by_staff_id = now, by.staff_id
        row.settled_at = row.settled_by_staff_id = None
        book.changed()
    audit.record_of_person(book.session, Action.GIFT_OWED, person, by, now)
    return True


def settle(book: Book, person: Attendee, *, by: Actor, at: datetime) -> bool:
    """Owe this person no gift any more. Returns ``False`` if none was owed. Writes no audit entry:
    that of the gift says it."""
    row = book.owed(person.id)
    if row is None or row.settled_at is not None:
        return False
    row.settled_at, row.settled_by_staff_id = at, by.staff_id
    book.changed()
    return True


def reopen(book: Book, person: Attendee, *, settled_at: datetime) -> None:
    """Owe the gift again that was settled at that moment, if one was."""
    row = book.owed(person.id)
    if row is not None and row.settled_at == settled_at:
        row.settled_at = row.settled_by_staff_id = None
        book.changed()


def cross_out(
    session: Session, event: Event, attendee_id: int, *, by: Actor, now: datetime
) -> bool:
    """Owe this attendee of the event no gift any more, without giving one. Returns ``False`` if
    none was owed. Refuses with ``AttendeeUnknown``."""
    person = identity.of_event(session, event, attendee_id)
    return strike(Book(session, event), person, by=by, now=now)


def strike(book: Book, person: Attendee, *, by: Actor, now: datetime) -> bool:
    """``cross_out`` for a person of the book."""
    if not settle(book, person, by=by, at=now):
        return False
    audit.record_of_person(book.session, Action.GIFT_CROSSED_OUT, person, by, now)
    return True


def of_id(session: Session, event: Event, owed_id: int) -> tuple[OwedGift, Attendee]:
    """What is noted under this id, settled or not, and the person. Refuses with
    ``AttendeeUnknown`` if the event has no such note."""
    row = session.get(OwedGift, owed_id)
    if row is None or row.event_id != event.id:
        raise AttendeeUnknown
    return row, session.get_one(Attendee, row.attendee_id)


def count(session: Session, event: Event) -> int:
    """How many people are to get a gift later."""
    counting = select(func.count(OwedGift.id)).where(*_open(event))
    return session.execute(counting).scalar_one()


def listed(session: Session, event: Event) -> Sequence[Owed]:
    """Everybody who is to get a gift later, in the order of the check-in list."""
    rows = (
        select(
            Attendee.public_id,
            Attendee.registration_id,
            Attendee.name,
            Registration.phone_number,
            Attendee.code,
            OwedGift.owed_at,
        )
        .select_from(OwedGift)
        .join(Attendee, Attendee.id == OwedGift.attendee_id)
        .join(Registration, Registration.id == Attendee.registration_id)
        .where(*_open(event))
        .order_by(Attendee.sort_key, Attendee.id)
    )
    return [Owed(*values) for values in session.execute(rows)]


def among(session: Session, event: Event) -> frozenset[int]:
    """The ids of the attendees who are to get a gift later."""
    return frozenset(session.scalars(select(OwedGift.attendee_id).where(*_open(event))))


def _open(event: Event) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The rows of an event that nothing has settled."""
    return OwedGift.event_id == event.id, OwedGift.settled_at.is_(None)


def row_of(session: Session, attendee_id: int) -> OwedGift | None:
    """What is noted about this person, settled or not."""
    return session.scalar(select(OwedGift).where(OwedGift.attendee_id == attendee_id))
