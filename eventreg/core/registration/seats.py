"""The cap. Seats are taken in one guarded statement; the CHECK in ``models.EventSeats`` stands
behind it.

Two ways in (PERFORMANCE.md 7.1). ``take`` is for the rush: one statement, last before the commit,
that looks and takes. Whatever waits, frees, promotes or changes the capacity calls ``lock`` first
and then moves seats with ``move``: on a database with row locks, one person could otherwise join
the waiting list while another frees the last seat, and neither would see the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.orm import Session

from eventreg.core.errors import EventFull, SeatsRaced
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.models.registration import Source


@dataclass(frozen=True)
class SeatCount:
    """The counter as it stands: ``taken`` + ``left`` + ``held`` = ``capacity``, unless the event is
    ``over`` by some."""

    capacity: int
    taken: int
    waiting: int
    kept: int
    """Seats kept for people who telephone that are in truth there; 0 once their time is over."""
    edition: int
    event_version: int
    event_stamp: str

    @classmethod
    def read(cls, row: Sequence[Any], now: datetime) -> "SeatCount":
        """The counter of a row of ``COUNTED``."""
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
        """Whether it is the counter of the event as that stands there, and not of another state of
        it."""
        return (self.event_version, self.event_stamp) == (event.version, event.stamp)

    @property
    def held(self) -> int:
        """Seats that only the telephone line may give away now."""
        return min(self.kept, max(0, self.capacity - self.taken))

    @property
    def left(self) -> int:
        """Seats that anybody could still take; never negative."""
        return max(0, self.capacity - self.taken - self.kept)

    @property
    def over(self) -> int:
        """People who keep their seat although the capacity was lowered below them."""
        return max(0, self.taken - self.capacity)

    def left_for(self, source: str) -> int:
        """Seats for somebody who comes by that way: who telephones may have the held ones too."""
        return self.left if source == Source.ONLINE else max(0, self.capacity - self.taken)

    def from_held(self, seats: int, source: str) -> int:
        """How many of that many seats come out of the held ones: a call uses those first."""
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
"""What a ``SeatCount`` is made of."""
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
    """The counter of one event, from its own row."""
    return SeatCount.read(session.execute(_count, {"event": event_id}).one(), now)


def stored_held(session: Session, event_id: int) -> int:
    """How many of the held seats nobody has used, whether or not their time is over."""
    return session.execute(_held, {"event": event_id}).scalar_one()


def lock(session: Session, event_id: int, *, now: datetime) -> SeatCount:
    """The counter, which nobody else can change until the transaction ends."""
    session.execute(_lock, {"event": event_id})
    return count(session, event_id, now=now)


def take(connection: Connection, event_id: int, seats: int, *, seen: SeatCount) -> None:
    """Take that many seats together, while nobody waits; ``SeatsRaced`` where somebody was quicker
    than ``seen``.

    One statement looks and takes, so nobody can come between; whoever is refused has changed
    nothing.
    """
    asked = {
        "event": event_id,
        "seats": seats,
        "keep": int(seen.kept > 0),
        "edition_read": seen.edition,
    }
    if connection.execute(_take, asked).first() is None:
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
    """Change a counter that the caller has locked as ``counted``; ``EventFull`` where it would pass
    the capacity, unless an organiser goes ``beyond`` it on purpose."""
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
    moved = {
        "event": event_id,
        "more_taken": taken,
        "more_waiting": waiting,
        "from_held": from_held,
    }
    session.execute(_move, {**moved, "over": after.over})
    return after


def set_capacity(
    session: Session, event_id: int, capacity: int, *, held: int, now: datetime
) -> SeatCount:
    """Change the capacity of a locked counter, and how many seats are held. Nobody loses a seat:
    below the seats taken the event is ``over`` by the difference."""
    counted = count(session, event_id, now=now)
    over = max(0, counted.taken - capacity)
    session.execute(
        _change, {"event": event_id, "new_capacity": capacity, "new_held": held, "over": over}
    )
    return count(session, event_id, now=now)
