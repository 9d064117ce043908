"""Events: applying a definition to the database, finding them, and what the time of day means for
them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import EventUnknown
from eventreg.core.event.definition import Definition, load
from eventreg.core.models.event import Event


class Phase(StrEnum):
    """What the moment means for registering. Only ``OPEN`` lets anybody in."""

    NOT_YET_OPEN = "not-yet-open"
    OPEN = "open"
    CLOSED = "closed"
    RUNNING = "running"
    OVER = "over"
    CANCELLED = "cancelled"


def get(session: Session, slug: str) -> Event:
    """The event of that slug, or ``EventUnknown``."""
    event = session.scalar(select(Event).where(Event.slug == slug))
    if event is None:
        raise EventUnknown(slug)
    return event


def all_events(session: Session) -> Sequence[Event]:
    """Every event, the next to begin first."""
    return session.scalars(select(Event).order_by(Event.starts_at, Event.id)).all()


def state_of(event: Event) -> str:
    """Which state of the event a form was made for; no other state is ever called so."""
    return f"{event.version}-{event.stamp}"


def still_to_come(session: Session, now: datetime) -> Sequence[Event]:
    """Events that have not ended; where none is left, the last one, so that nobody meets an empty
    page."""
    events = all_events(session)
    return [event for event in events if event.ends_at > now] or events[-1:]


@lru_cache(maxsize=64)
def _loaded(stored: str) -> Definition:
    return load(stored)


def definition(event: Event) -> Definition:
    """The organiser's facts and words for this event."""
    return _loaded(event.definition)


def zone(event: Event) -> ZoneInfo:
    """The time zone in which everything about the event is shown."""
    return ZoneInfo(event.timezone)


def known_words(session: Session) -> Iterator[str]:
    """Names that everybody knows who knows of our events: no part of a password."""
    for event in all_events(session):
        told = definition(event)
        of_place, of_line = told.place.name, told.phone_line.number if told.phone_line else ""
        yield from (told.slug, told.title.zh, told.title.en, of_place.zh, of_place.en, of_line)


def phase(event: Event, now: datetime) -> Phase:
    """What ``now`` means for registering."""
    if event.notice == "cancelled":
        return Phase.CANCELLED
    if now >= event.ends_at:
        return Phase.OVER
    if event.registration_opens_at and now < event.registration_opens_at:
        return Phase.NOT_YET_OPEN
    if now < event.registration_closes_at:
        return Phase.OPEN
    return Phase.RUNNING if now >= event.starts_at else Phase.CLOSED


_LAST = datetime(9999, 12, 30, tzinfo=UTC)
"""The last day that every time zone can still write down."""


def later(moment: datetime, period: timedelta) -> datetime:
    """So much later, but never beyond what a calendar can tell: an old database may hold an event
    of the year 9999."""
    return moment + period if moment < _LAST - period else max(moment, _LAST)


def kept_until(event: Event) -> datetime:
    """Until when names and numbers are kept."""
    return later(event.ends_at, timedelta(days=definition(event).privacy.keep_days))


def is_past_keeping(event: Event, now: datetime) -> bool:
    """Whether that time is over: then a ticket shows none of them."""
    return now >= kept_until(event)


def check_in_is_open(event: Event, now: datetime) -> bool:
    """Whether the door may check in without asking twice: the window has begun, or somebody opened
    it early."""
    return now >= event.check_in_opens_at or event.check_in_opened_at is not None


def open_check_in(session: Session, event: Event, *, by: Actor, now: datetime) -> None:
    """Open check-in for everybody before its time. Doing it twice is doing it once."""
    if check_in_is_open(event, now):
        return
    event.check_in_opened_at = now
    audit.record(session, Action.CHECK_IN_OPENED, by, now=now, event_id=event.id)
