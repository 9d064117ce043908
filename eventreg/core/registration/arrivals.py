"""What counts as having arrived."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, exists, func, select
from sqlalchemy.orm import Session

from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee


@dataclass(frozen=True)
class Presence:
    """Who has come of how many."""

    arrived: int
    expected: int


STANDING = and_(CheckIn.attendee_id == Attendee.id, CheckIn.undone_at.is_(None))
"""How attendees are joined with the arrivals that count."""


def standing(session: Session, attendee_id: int) -> CheckIn | None:
    """The arrival that counts, if there is one."""
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


def anybody_arrived(session: Session, people: Collection[int]) -> bool:
    """Whether one of these attendees is in the room."""
    return bool(session.execute(_any_standing, {"people": list(people)}).scalar_one())


def presence(session: Session, event: Event) -> Presence:
    """How many of the people expected have come."""
    expected, arrived = session.execute(
        select(func.count(Attendee.id), func.count(CheckIn.id))
        .outerjoin(CheckIn, STANDING)
        .where(
            Attendee.event_id == event.id,
            Attendee.cancelled_at.is_(None),
            Attendee.code.is_not(None),
        )
    ).one()
    return Presence(arrived, expected)
