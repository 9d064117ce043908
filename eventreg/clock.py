"""The only module that reads the system clock. Rules get the time as ``now``."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time in UTC, with its time zone."""
    return datetime.now(UTC)


def starting_at(moment: datetime, since: datetime) -> Clock:
    """A clock that showed ``moment`` when the real one showed ``since``, and runs on from there."""
    offset = moment - since
    return lambda: utc_now() + offset


def stopwatch() -> float:
    """Seconds for measuring how long something takes. Setting the system clock does not change
    them."""
    return monotonic()
