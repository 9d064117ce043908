"""Check people in at the door, and undo a check-in.

Each check-in is a row of its own. An undo marks the row and keeps it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.door import gifts
from eventreg.core.door.book import Book
from eventreg.core.errors import (
    AttendeeCancelled,
    AttendeeUnknown,
    AttendeeWaiting,
    OutsideCheckInWindow,
)
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.door import DoorAct, DoorDevice
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee
from eventreg.core.models.staff import Role
from eventreg.core.registration import identity
from eventreg.core.values import tokens


class Via(StrEnum):
    """How an arrival reached us."""

    DOOR = "door"
    PAPER = "paper"
    """Typed in from the printed check-in list, so the minute of the arrival is not known."""


@dataclass(frozen=True)
class Arrival:
    """One person's arrival, before it is recorded. ``attendee`` is the person's random id."""

    attendee: str
    arrived_at: datetime
    """When the door saw the person."""
    recorded_at: datetime
    """When the server learnt of it."""
    via: Via = Via.DOOR
    device: str | None = None
    """The door device that saw the person, if it was one."""

    def is_early(self, event: Event) -> bool:
        """Whether the person came before the check-in window, even if check-in was opened early;
        never if from paper."""
        return self.via is not Via.PAPER and self.arrived_at < event.check_in_opens_at

    def is_late(self, event: Event) -> bool:
        """Whether the person came after the check-in window; never if from paper."""
        return self.via is not Via.PAPER and self.arrived_at >= event.check_in_closes_at


@dataclass(frozen=True)
class Outcome:
    """The result of a check-in or an undo. ``fresh`` is false if it had happened before; then the
    other values are those of the first one."""

    check_in_id: int
    attendee: str
    registration_id: int
    name: str
    fresh: bool
    arrived_at: datetime
    late: bool
    undone: bool = False


def check_in(
    session: Session, event: Event, arrival: Arrival, *, anyway: bool, by: Actor
) -> Outcome:
    """Record the arrival of one person. A second check-in changes nothing and says when the first
    one was.

    Refuses with ``AttendeeUnknown``, ``AttendeeCancelled``, ``AttendeeWaiting`` and, before
    check-in is open unless ``anyway``, with ``OutsideCheckInWindow``. ``ValueError`` if ``by`` is
    not a staff member.
    """
    person = identity.attendee(session, event, arrival.attendee)
    book = Book(session, event)
    earlier = book.check_in(person.id)
    if earlier is not None:
        return _outcome(person, earlier, fresh=False)
    _check_seat(person)
    if not anyway:
        _check_window(event, person, arrival)
    made = record(book, person, arrival, by=by)
    return _outcome(person, made, fresh=True)


def record(book: Book, person: Attendee, arrival: Arrival, *, by: Actor) -> CheckIn:
    """Write the check-in of a person who has a seat and none that stands; the caller has looked.
    ``ValueError`` if ``by`` is not a staff member."""
    if by.staff_id is None:
        raise ValueError("a check-in is made by a staff member")
    event = book.event
    made = CheckIn(
        event_id=event.id,
        attendee_id=person.id,
        arrived_at=arrival.arrived_at,
        recorded_at=arrival.recorded_at,
        by_staff_id=by.staff_id,
        early=arrival.is_early(event),
        late=arrival.is_late(event),
        by_paper=arrival.via is Via.PAPER,
        device=arrival.device,
    )
    book.enter_check_in(made)
    audit.record_of_person(book.session, Action.CHECKED_IN, person, by, arrival.recorded_at)
    gifts.with_check_in(book, person, made, by=by)
    return made


def seen_earlier(event: Event, made: CheckIn, arrival: Arrival) -> None:
    """Let a check-in that stands say when and where the person was first seen."""
    made.arrived_at, made.device = arrival.arrived_at, arrival.device
    made.early, made.late = arrival.is_early(event), arrival.is_late(event)


_paired = (
    select(DoorDevice.device)
    .where(
        DoorDevice.event_id == bindparam("event"),
        DoorDevice.staff_id == bindparam("staff"),
        DoorDevice.paired_at.is_not(None),
        DoorDevice.revoked_at.is_(None),
    )
    .limit(1)
)


def device_of(session: Session, event: Event, by: Actor) -> str | None:
    """The door device with which this staff member is signed in; ``None`` if it is no paired
    telephone."""
    if by.role is not Role.DOOR:
        return None
    return session.scalar(_paired, {"event": event.id, "staff": by.staff_id})


def _check_seat(person: Attendee) -> None:
    """Refuse a person who has no seat."""
    if person.cancelled_at is not None:
        raise AttendeeCancelled(person.public_id, person.name, person.cancelled_at)
    if person.code is None:
        raise AttendeeWaiting(person.public_id, person.name)


def _check_window(event: Event, person: Attendee, arrival: Arrival) -> None:
    """Refuse an arrival before the check-in window, unless check-in was opened early."""
    if not events.check_in_is_open(event, arrival.arrived_at):
        raise OutsideCheckInWindow(person.public_id, person.name, event.check_in_opens_at)


def undo(
    session: Session,
    event: Event,
    check_in_id: int,
    attendee: str = "",
    *,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Undo a check-in; a second undo changes nothing.

    Refuses with ``AttendeeUnknown`` if the event has no such check-in, or if it is not that of
    ``attendee``, if one is given.
    """
    person, made = _check_in_of(session, event, check_in_id)
    if attendee and attendee != person.public_id:
        raise AttendeeUnknown
    fresh = made.undone_at is None
    if fresh:
        take_back(Book(session, event), person, made, by=by, now=now)
        _tell_devices(session, event, person, by=by, now=now)
    return _outcome(person, made, fresh=fresh)


def take_back(book: Book, person: Attendee, made: CheckIn, *, by: Actor, now: datetime) -> None:
    """Mark a check-in that stands as undone. What door devices uploaded about the person before
    then says no more that the person came."""
    made.undone_at, made.undone_by_staff_id = now, by.staff_id
    book.strike_check_in(made)
    audit.record_of_person(book.session, Action.CHECK_IN_UNDONE, person, by, now)
    gifts.undo_with_check_in(book, person, by=by, now=now)


def _tell_devices(
    session: Session, event: Event, person: Attendee, *, by: Actor, now: datetime
) -> None:
    """Note an undo from a page beside what door devices uploaded about the person: it takes that
    back, too."""
    theirs = select(DoorAct.id).where(DoorAct.attendee_id == person.id).limit(1)
    if session.scalar(theirs) is None:
        return
    session.add(
        DoorAct(
            event_id=event.id,
            key=tokens.opaque(),
            device="",
            act="undo",
            attendee=person.public_id,
            attendee_id=person.id,
            acted_at=now,
            received_at=now,
            by_staff_id=by.staff_id,
            result="undone",
            late=False,
            answer="{}",
        )
    )
    session.flush()


_made = (
    select(CheckIn, Attendee)
    .join(Attendee, Attendee.id == CheckIn.attendee_id)
    .where(CheckIn.id == bindparam("id"), CheckIn.event_id == bindparam("event"))
)


def outcome(session: Session, event: Event, check_in_id: int, *, fresh: bool) -> Outcome:
    """The outcome of an earlier check-in or undo, for the page that follows it. Refuses with
    ``AttendeeUnknown`` if the event has no such check-in."""
    return _outcome(*_check_in_of(session, event, check_in_id), fresh)


def _check_in_of(session: Session, event: Event, check_in_id: int) -> tuple[Attendee, CheckIn]:
    """A check-in at this event, undone or not, and the person it belongs to."""
    found = session.execute(_made, {"id": check_in_id, "event": event.id}).first()
    if found is None:
        raise AttendeeUnknown
    made, person = found
    return person, made


def _outcome(person: Attendee, made: CheckIn, fresh: bool) -> Outcome:
    return Outcome(
        check_in_id=made.id,
        attendee=person.public_id,
        registration_id=person.registration_id,
        name=person.name,
        fresh=fresh,
        arrived_at=made.arrived_at,
        late=made.late,
        undone=made.undone_at is not None,
    )
