"""The one look that every public page takes: which event, in which version, and how many seats.

It goes past the session to the driver itself, which costs a tenth (PERFORMANCE.md 2.3), and is
taken anew for every page, so that every number is as fresh as its row. What the organiser wrote
changes only with version and stamp, and is kept: the version alone comes again after a restore.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Engine, bindparam, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from eventreg.core.errors import EventUnknown
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.registration.seats import SeatCount


@dataclass(frozen=True)
class Glance:
    """An event, for reading only, and its counter at this moment."""

    event: Event
    counted: SeatCount


_look = (
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
"""The latest version of each event, by database."""


@cache
def _sql(dialect: str) -> str:
    """The look as the driver takes it; its only parameter is the slug."""
    spoken: Dialect = sqlite.dialect() if dialect == "sqlite" else psycopg.dialect()  # type: ignore[no-untyped-call]
    return str(_look.compile(dialect=spoken))


def at(engine: Engine, session: Session | None, slug: str, *, now: datetime) -> Glance:
    """Look at the event of that slug, or ``EventUnknown``: through ``session``, where one is open
    already, since nobody should hold one connection and wait for another."""
    row = _read(engine, session, slug)
    if row is None:
        raise EventUnknown(slug)
    event_id, version, stamp, capacity, taken, waiting, held, edition = row
    kept = _kept.setdefault(engine, {})
    event = kept.get(event_id)
    if event is None or (event.version, event.stamp) != (version, stamp):
        event = kept[event_id] = _load(engine, session, event_id)
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


def _read(engine: Engine, session: Session | None, slug: str) -> Any:
    asked = (slug,) if engine.dialect.name == "sqlite" else {"slug": slug}
    driver = None
    try:
        driver = session.connection().connection if session else engine.raw_connection()
        cursor = driver.cursor()
        cursor.execute(_sql(engine.dialect.name), asked)
        return cursor.fetchone()
    except engine.dialect.loaded_dbapi.Error as error:
        if driver is not None:
            driver.invalidate()
        raise OperationalError(
            "the look", None, error
        ) from error  # as every other statement says it
    finally:
        if driver is not None and session is None:
            driver.close()


def _load(engine: Engine, session: Session | None, event_id: int) -> Event:
    with nullcontext(session.connection()) if session else engine.connect() as connection:
        return Event(**connection.execute(_whole, {"event": event_id}).mappings().one())
