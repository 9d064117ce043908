"""Find events, compute their phase and the end of their retention period, and open check-in
early."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import EventUnknown
from eventreg.core.event.definition import Definition, load
from eventreg.core.models.event import Event


class Phase(StrEnum):
    """Whether guests can register at a given time: only in ``OPEN``. ``CANCELLED`` overrides the
    times. ``OPEN`` can last beyond the start of the event, until seats of absent people are given
    away."""

    NOT_YET_OPEN = "not-yet-open"
    OPEN = "open"
    CLOSED = "closed"
    RUNNING = "running"
    OVER = "over"
    CANCELLED = "cancelled"


_of_slug = select(Event).where(Event.slug == bindparam("slug"))


def get(session: Session, slug: str) -> Event:
    """The event of that slug. Raises ``EventUnknown`` if there is none."""
    event = session.scalar(_of_slug, {"slug": slug})
    if event is None:
        raise EventUnknown(slug)
    return event


def all_events(session: Session) -> Sequence[Event]:
    """Every event, the earliest first."""
    return session.scalars(select(Event).order_by(Event.starts_at, Event.id)).all()


def state_of(event: Event) -> str:
    """A version token for the event's definition, to detect a form made from an older one. Each
    applied change of the file gives a new token, and none is used twice."""
    return f"{event.version}-{event.stamp}"


def still_to_come(session: Session, now: datetime) -> Sequence[Event]:
    """Events that have not ended, the earliest first. If all have ended, only the last one. Empty
    if there is no event."""
    events = all_events(session)
    return [event for event in events if event.ends_at > now] or events[-1:]


@lru_cache(maxsize=64)
def _loaded(stored: str) -> Definition:
    return load(stored)


def definition(event: Event) -> Definition:
    """The validated content of the event file."""
    return _loaded(event.definition)


def zone(event: Event) -> ZoneInfo:
    """The time zone in which everything about the event is shown."""
    return ZoneInfo(event.timezone)


def known_words(session: Session) -> Iterator[str]:
    """Words on our event pages that a guesser would try first. New passwords are checked against
    them."""
    for event in all_events(session):
        file = definition(event)
        title, place = file.title, file.place.name
        number = file.phone_line.number if file.phone_line else ""
        yield from (file.slug, title.zh, title.en, place.zh, place.en, number)


def phase(event: Event, now: datetime) -> Phase:
    """The phase of the event at ``now``."""
    if event.notice == "cancelled":
        return Phase.CANCELLED
    if now >= event.ends_at:
        return Phase.OVER
    if event.registration_opens_at and now < event.registration_opens_at:
        return Phase.NOT_YET_OPEN
    if now < event.registration_closes_at and event.seats_released_at is None:
        return Phase.OPEN
    return Phase.RUNNING if now >= event.starts_at else Phase.CLOSED


_LAST = datetime(9999, 12, 30, tzinfo=UTC)
"""The last day that has a date in every time zone."""


def later(moment: datetime, period: timedelta) -> datetime:
    """``moment`` plus ``period``, but at most ``_LAST``. A moment after ``_LAST`` is returned
    unchanged. So an event of the year 9999 in an old database causes no overflow."""
    return moment + period if moment < _LAST - period else max(moment, _LAST)


def kept_until(event: Event) -> datetime:
    """When the retention period for names and numbers ends."""
    return later(event.ends_at, timedelta(days=definition(event).privacy.keep_days))


def is_past_keeping(event: Event, now: datetime) -> bool:
    """Whether the retention period has ended. From then on, a ticket shows no names and numbers,
    even if they are not erased yet."""
    return now >= kept_until(event)


def announced_release(event: Event) -> datetime | None:
    """The time after which seats of people who have not come may be given away, as guests are told;
    ``None`` if the event file sets none."""
    file = definition(event)
    return file.aware(file.check_in.release_at)


def release_from(event: Event) -> datetime:
    """From when on everybody at the door may give away the seats of those who have not come."""
    return announced_release(event) or event.check_in_closes_at


def check_in_is_open(event: Event, now: datetime) -> bool:
    """Whether the check-in window has begun, or staff opened check-in early."""
    return now >= event.check_in_opens_at or event.check_in_opened_at is not None


def open_check_in(session: Session, event: Event, *, by: Actor, now: datetime) -> None:
    """Open check-in before its time; it stays open. Does nothing if it is open."""
    if check_in_is_open(event, now):
        return
    event.check_in_opened_at = now
    audit.record(session, Action.CHECK_IN_OPENED, by, now=now, event_id=event.id)
