"""The event of a public page and its seats, read in one statement.

Every public page asks anew, so every number is as fresh as its row. The event's columns are kept
between pages while version and stamp stay the same; the version alone is not enough, because a
restored backup may bring the same number again. Only ``check_in_opened_at`` changes without them,
so it may be out of date here.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, bindparam, select
from sqlalchemy.orm import Session

from eventreg.core.driver import look
from eventreg.core.errors import EventUnknown
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.registration.seats import SeatCount


@dataclass(frozen=True)
class Glance:
    """An event, which belongs to no session and is not to be changed, and its seat counter as it
    was just read."""

    event: Event
    counted: SeatCount


_current = (
    select(
        Event.id,
        Event.version,
        Event.stamp,
        EventSeats.capacity,
        EventSeats.taken,
        EventSeats.waiting,
        EventSeats.held,
        EventSeats.edition,
    )
    .join(EventSeats, EventSeats.event_id == Event.id)
    .where(Event.slug == bindparam("slug"))
)
_whole = select(Event.__table__).where(Event.id == bindparam("event"))
_kept: "WeakKeyDictionary[Engine, dict[int, Event]]" = WeakKeyDictionary()
"""The latest version of each event that was read, by database and event id."""


def at(engine: Engine, session: Session | None, slug: str, *, now: datetime) -> Glance:
    """The event of that slug and its counter; refuses with ``EventUnknown``. Raises
    ``OperationalError`` if the database cannot be read.

    Uses the connection of ``session`` if one is open already: a thread that held one connection
    while it waited for a second could block all others.
    """
    rows = look(engine, session, _current, slug=slug)
    if not rows:
        raise EventUnknown(slug)
    event_id, version, stamp, capacity, taken, waiting, held, edition = rows[0]
    event = of_version(engine, session, event_id, version, stamp)
    counter = (
        capacity,
        taken,
        waiting,
        held,
        edition,
        event.version,
        event.stamp,
        event.held_until,
    )
    return Glance(event, SeatCount.read(counter, now))


def of_version(
    engine: Engine, session: Session | None, event_id: int, version: int, stamp: str
) -> Event:
    """The event of that id, which belongs to no session and is not to be changed. It was just read
    with this version and stamp."""
    kept = _kept.setdefault(engine, {})
    event = kept.get(event_id)
    if event is None or (event.version, event.stamp) != (version, stamp):
        event = kept[event_id] = _load(engine, session, event_id)
    return event


def _load(engine: Engine, session: Session | None, event_id: int) -> Event:
    with nullcontext(session.connection()) if session else engine.connect() as connection:
        return Event(**connection.execute(_whole, {"event": event_id}).mappings().one())
