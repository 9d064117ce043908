"""The seat counter of an event, and the cap on seats.

There are two ways to change the counter (docs/adr/0005-the-counter-last-and-the-lock-first.md).
``take`` is for a rush of registrations: one statement, the last before the commit, that checks and
takes. Everything that joins the waiting list, frees seats, promotes or changes the capacity calls
``lock`` first and then ``move``. Without the lock, on a database with row locks, one person could
join the waiting list while another frees the last seat, and neither would see the other. Behind
both stands the CHECK in ``models.event.EventSeats``. More seats than the capacity are taken only if
the capacity was lowered, or if an organiser seats people beyond it, with a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.orm import Session

from eventreg.core.driver import Driver
from eventreg.core.errors import EventFull, SeatsRaced
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.models.registration import Source


@dataclass(frozen=True)
class SeatCount:
    """The counter of an event at one moment. ``taken`` + ``left`` + ``held`` = ``capacity``, unless
    the event is ``over`` the capacity."""

    capacity: int
    taken: int
    waiting: int
    kept: int
    """Seats kept for people who telephone; 0 once their time is over. More than ``held`` if the
    event is nearly full."""
    edition: int
    event_version: int
    event_stamp: str

    @classmethod
    def read(cls, row: Sequence[Any], now: datetime) -> "SeatCount":
        """The counter from a row with the columns of ``COUNTED``."""
        capacity, taken, waiting, held, edition, version, stamp, until = row
        return cls(
            capacity,
            taken,
            waiting,
            held if until is not None and now < until else 0,
            edition,
            version,
            stamp,
        )

    def is_of(self, event: Event) -> bool:
        """Whether the counter belongs to this version of the event; if not, the event has been
        changed or restored since."""
        return (self.event_version, self.event_stamp) == (event.version, event.stamp)

    @property
    def held(self) -> int:
        """Seats that are kept and not taken: no online registration gets them."""
        return min(self.kept, max(0, self.capacity - self.taken))

    @property
    def left(self) -> int:
        """Free seats for anybody; never negative."""
        return max(0, self.capacity - self.taken - self.kept)

    @property
    def over(self) -> int:
        """How many more seats are taken than the capacity allows: it was lowered, or an organiser
        seated people beyond it."""
        return max(0, self.taken - self.capacity)

    def left_for(self, source: str) -> int:
        """Free seats for a registration from ``source``: all but online ones may use held seats."""
        return self.left if source == Source.ONLINE else max(0, self.capacity - self.taken)

    def from_held(self, seats: int, source: str) -> int:
        """How many of these seats come out of the held ones; calls and walk-ins use those first."""
        return min(seats, self.held) if source != Source.ONLINE else 0


COUNTED = (
    EventSeats.capacity,
    EventSeats.taken,
    EventSeats.waiting,
    EventSeats.held,
    EventSeats.edition,
    Event.version,
    Event.stamp,
    Event.held_until,
)
"""The columns from which ``SeatCount.read`` makes a counter."""
_of_event = EventSeats.event_id == bindparam("event")
_take = (
    update(EventSeats)
    .where(
        _of_event,
        EventSeats.edition == bindparam("edition_read"),
        EventSeats.waiting == 0,
        EventSeats.taken + bindparam("seats") + EventSeats.held * bindparam("keep")
        <= EventSeats.capacity,
    )
    .values(taken=EventSeats.taken + bindparam("seats"))
    .returning(EventSeats.taken)
    .execution_options(synchronize_session=False)
)
_move = (
    update(EventSeats)
    .where(_of_event)
    .values(
        taken=EventSeats.taken + bindparam("more_taken"),
        waiting=EventSeats.waiting + bindparam("more_waiting"),
        held=EventSeats.held - bindparam("from_held"),
        allowed_over=bindparam("over"),
    )
    .execution_options(synchronize_session=False)
)
_change = (
    update(EventSeats)
    .where(_of_event)
    .values(
        capacity=bindparam("new_capacity"),
        held=bindparam("new_held"),
        allowed_over=bindparam("over"),
        edition=EventSeats.edition + 1,
    )
    .execution_options(synchronize_session=False)
)
_lock = select(EventSeats.taken).where(_of_event).with_for_update()
_held = select(EventSeats.held).where(_of_event)
_count = select(*COUNTED).join(Event, Event.id == EventSeats.event_id).where(_of_event)


def count(session: Session, event_id: int, *, now: datetime) -> SeatCount:
    """Read the counter of one event."""
    return SeatCount.read(session.execute(_count, {"event": event_id}).one(), now)


def count_held(session: Session, event_id: int) -> int:
    """Count the held seats that are not used, whether or not their time is over."""
    return session.execute(_held, {"event": event_id}).scalar_one()


def lock(session: Session, event_id: int, *, now: datetime) -> SeatCount:
    """Lock the counter until the transaction ends, and read it."""
    session.execute(_lock, {"event": event_id})
    return count(session, event_id, now=now)


def take(connection: Connection | Driver, event_id: int, seats: int, *, seen: SeatCount) -> None:
    """Take so many seats at once, if nobody waits.

    One statement checks and takes, so no other transaction can come between. Refuses with
    ``SeatsRaced``, and changes nothing, if the seats are no longer free, if somebody waits, or if
    the event was changed since ``seen``.
    """
    parameters = {
        "event": event_id,
        "seats": seats,
        "keep": int(seen.kept > 0),
        "edition_read": seen.edition,
    }
    if connection.execute(_take, parameters).first() is None:
        raise SeatsRaced


def move(
    session: Session,
    event_id: int,
    counted: SeatCount,
    *,
    taken: int = 0,
    waiting: int = 0,
    from_held: int = 0,
    beyond: bool = False,
) -> SeatCount:
    """Add ``taken`` and ``waiting`` to a counter that the caller has locked and read as
    ``counted``, and subtract ``from_held``. Returns the counter after the change.

    Refuses with ``EventFull`` if taking seats would pass the capacity, unless an organiser goes
    ``beyond`` it on purpose.
    """
    after = SeatCount(
        counted.capacity,
        counted.taken + taken,
        counted.waiting + waiting,
        counted.kept - from_held,
        counted.edition,
        counted.event_version,
        counted.event_stamp,
    )
    if taken > 0 and after.over and not beyond:
        raise EventFull(counted.left)
    parameters = {
        "event": event_id,
        "more_taken": taken,
        "more_waiting": waiting,
        "from_held": from_held,
        "over": after.over,
    }
    session.execute(_move, parameters)
    return after


def set_capacity(
    session: Session, event_id: int, capacity: int, *, held: int, now: datetime
) -> SeatCount:
    """Change the capacity and the held seats of a counter that the caller has locked. Nobody loses
    a seat: if the capacity is below the seats taken, the event is ``over`` by the difference. The
    edition grows, so registrations that have begun are tried again. Returns the counter."""
    counted = count(session, event_id, now=now)
    over = max(0, counted.taken - capacity)
    session.execute(
        _change, {"event": event_id, "new_capacity": capacity, "new_held": held, "over": over}
    )
    return count(session, event_id, now=now)
