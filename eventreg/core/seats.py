"""The cap. Seats are taken in one guarded statement; the CHECK in ``models.EventSeats`` stands behind it."""

from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from eventreg.core.errors import EventFull
from eventreg.core.models import EventSeats


@dataclass(frozen=True)
class SeatCount:
    """The counter as it stands: ``taken`` + ``left`` = ``capacity``, unless the event is ``over`` by some."""

    capacity: int
    taken: int
    waiting: int

    @property
    def left(self) -> int:
        """Seats that somebody could still take; never negative."""
        return max(0, self.capacity - self.taken)

    @property
    def over(self) -> int:
        """People who keep their seat although the capacity was lowered below them."""
        return max(0, self.taken - self.capacity)


_take = (
    update(EventSeats)
    .where(
        EventSeats.event_id == bindparam("event"),
        EventSeats.waiting == 0,
        EventSeats.taken + bindparam("seats") <= EventSeats.capacity,
    )
    .values(taken=EventSeats.taken + bindparam("seats"))
    .returning(EventSeats.taken)
    .execution_options(synchronize_session=False)
)
_release = (
    update(EventSeats)
    .where(EventSeats.event_id == bindparam("event"))
    .values(taken=EventSeats.taken - bindparam("seats"))
    .execution_options(synchronize_session=False)
)
_settle_over = (
    update(EventSeats)
    .where(EventSeats.event_id == bindparam("event"), EventSeats.allowed_over > 0)
    .values(allowed_over=bindparam("over"))
    .execution_options(synchronize_session=False)
)
_count = select(EventSeats.capacity, EventSeats.taken, EventSeats.waiting).where(
    EventSeats.event_id == bindparam("event")
)


def count(session: Session, event_id: int) -> SeatCount:
    """The counter of one event, from its own row."""
    return SeatCount(*session.execute(_count, {"event": event_id}).one())


def take(session: Session, event_id: int, seats: int) -> None:
    """Take that many seats together or none: ``EventFull`` says how many are left.

    One statement looks and takes, so nobody can come between; whoever is refused has changed nothing.
    """
    if session.execute(_take, {"event": event_id, "seats": seats}).first() is None:
        raise EventFull(count(session, event_id).left)


def release(session: Session, event_id: int, seats: int) -> None:
    """Give seats back; what was allowed over the capacity shrinks with them."""
    session.execute(_release, {"event": event_id, "seats": seats})
    session.execute(_settle_over, {"event": event_id, "over": count(session, event_id).over})


def set_capacity(session: Session, event_id: int, capacity: int) -> SeatCount:
    """Change the capacity. Nobody loses a seat: below the seats taken the event is ``over`` by the difference."""
    row = session.get_one(EventSeats, event_id, with_for_update=True)
    counted = SeatCount(capacity, row.taken, row.waiting)
    row.capacity, row.allowed_over = capacity, counted.over
    session.flush()
    return counted
