"""Which check-ins count as an arrival, and how many of the expected people have arrived."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, exists, func, select
from sqlalchemy.orm import Session

from eventreg.core import driver
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.models.people import EXPECTED
from eventreg.core.models.registration import Attendee


@dataclass(frozen=True)
class Presence:
    """How many people have arrived, of how many who are expected."""

    arrived: int
    expected: int


STANDING = and_(CheckIn.attendee_id == Attendee.id, CheckIn.undone_at.is_(None))
"""Joins attendees with their check-ins that were not undone."""


def standing(session: Session, attendee_id: int) -> CheckIn | None:
    """The attendee's check-in that was not undone, or ``None``."""
    return session.scalar(
        select(CheckIn).join(Attendee, STANDING).where(Attendee.id == attendee_id)
    )


_any_standing = select(
    exists(
        select(CheckIn.id)
        .join(Attendee, STANDING)
        .where(Attendee.id.in_(bindparam("people", expanding=True)))
    )
)


def has_anyone_arrived(session: Session, people: Collection[int]) -> bool:
    """Whether at least one of these attendees is checked in."""
    return bool(session.execute(_any_standing, {"people": list(people)}).scalar_one())


_arrived = (
    select(func.count(CheckIn.id))
    .join(Attendee, STANDING)
    .where(CheckIn.event_id == bindparam("event"), EXPECTED)
)
_presence = select(_arrived.scalar_subquery(), EventSeats.taken).where(
    EventSeats.event_id == bindparam("event")
)
"""The people who are expected are those with a seat, and the counter says how many they are."""


def presence(session: Session, event: Event) -> Presence:
    """Count the people who are expected at the event, and those of them who have arrived."""
    session.flush()
    ((arrived, expected),) = driver.within(session, _presence, event=event.id)
    return Presence(arrived, expected)
