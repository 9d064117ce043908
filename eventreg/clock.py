"""The one reader of the clock. Every rule takes ``now``; only the edge asks for it, here."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def starting_at(moment: datetime, since: datetime) -> Clock:
    """A clock that showed ``moment`` when the real one showed ``since``, and runs on from there."""
    offset = moment - since
    return lambda: utc_now() + offset


def stopwatch() -> float:
    """Seconds since some moment in the past, for measuring how long something takes: setting the
    clock does not move it."""
    return monotonic()
