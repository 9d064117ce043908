"""Call the people who were given seats while they waited at the door: they come in, or they are
gone. Each party is called twice; then the next party gets its seats."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from eventreg.core import outbox
from eventreg.core.audit import Action, Actor
from eventreg.core.door import check_in, present
from eventreg.core.door.check_in import Arrival
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.door import PresentParty
from eventreg.core.models.event import Event
from eventreg.core.models.people import EXPECTED
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import cancellations, identity, lookup, seats, waitlist

CALLS = 2
"""A party that did not answer so often is taken to have left."""


def come_in(session: Session, event: Event, attendee: str, *, by: Actor, now: datetime) -> None:
    """Check in everybody of a party that has seats, because they heard their call."""
    registration = lookup.get(session, present.person_of(session, event, attendee).registration_id)
    for person in lookup.party(session, registration):
        check_in.check_in(session, event, Arrival(person.public_id, now, now), anyway=True, by=by)
    outbox.settle(session, registration, by=by, now=now)


def not_answering(
    session: Session, event: Event, attendee: str, *, calls: int, by: Actor, now: datetime
) -> None:
    """Record that a party did not answer; ``calls`` is how often the page said that it was called,
    so that a second press of the same button changes nothing. After the second call it has left,
    and the next party gets its seats."""
    row = _row_of(session, event, attendee, now=now)
    if row is None or row.left_at is not None or row.calls != calls:
        return
    row.calls, row.called_at = row.calls + 1, now
    session.flush()
    present.record(session, Action.WAITING_CALLED, row, by=by, now=now, calls=row.calls)
    if row.calls >= CALLS:
        _let_go(session, event, row, by=by, now=now)


def leave(session: Session, event: Event, attendee: str, *, by: Actor, now: datetime) -> None:
    """Record that a party has left the door: it gets no seat until it comes back, and gives back
    the seats that it has. A second time changes nothing."""
    row = _row_of(session, event, attendee, now=now)
    if row is not None and row.left_at is None:
        _let_go(session, event, row, by=by, now=now)


def _row_of(session: Session, event: Event, attendee: str, *, now: datetime) -> PresentParty | None:
    """The row of this person's party, with the counter locked."""
    seats.lock(session, event.id, now=now)
    person = identity.attendee(session, event, attendee)
    return session.scalar(present.ROW, {"registration": person.registration_id})


def _let_go(session: Session, event: Event, row: PresentParty, *, by: Actor, now: datetime) -> None:
    """Mark the party as gone, give back the seats of those who are not in the hall, and seat the
    next. The counter must be locked."""
    row.left_at = now
    session.flush()
    present.record(session, Action.WAITING_LEFT, row, by=by, now=now)
    counted = seats.count(session, event.id, now=now)
    registration = lookup.get(session, row.registration_id)
    absent = absent_of(session, registrations=[registration.id])
    if absent:
        counted = cancellations.release(session, event, counted, absent, by=by, now=now)
    waitlist.promote(session, event, counted, now=now)


def absent_of(
    session: Session, *, people: Collection[int] = (), registrations: Collection[int] = ()
) -> Sequence[Attendee]:
    """Those of these people, and of all in these registrations, who have a seat and are not in the
    hall. Their rows are locked before the arrivals are read."""
    chosen = or_(Attendee.id.in_(people), Attendee.registration_id.in_(registrations))
    theirs = (
        select(Attendee)
        .where(chosen, EXPECTED)
        .order_by(Attendee.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    locked = session.scalars(theirs).all()
    inside = select(CheckIn.attendee_id).where(
        CheckIn.attendee_id.in_([person.id for person in locked]), CheckIn.undone_at.is_(None)
    )
    arrived = set(session.scalars(inside))
    return [person for person in locked if person.id not in arrived]
