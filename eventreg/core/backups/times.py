"""When a backup is due, when it is tried out, and which backups are deleted.

Rules about times alone: they know neither files nor the database.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOURLY = timedelta(hours=1)
ON_THE_DAY = timedelta(minutes=5)
"""How often a backup is made on the day of an event."""
_MORNING = time(6)
_SLACK = 0.9
"""A timer is not exact: a backup is due when nine tenths of the interval are over."""
ALL_KEPT = timedelta(hours=48)
"""How long every backup is kept. From then on, only the last one of each day (in UTC) is."""
KEPT = timedelta(days=35)
"""How long backups are kept. The privacy page says the same."""
DRILLED = timedelta(days=30)
"""How often a backup is tried out."""
_DRILLED_AGAIN = timedelta(days=1)
"""How long after a drill that failed the next one is made."""


@dataclass(frozen=True)
class BusyTime:
    """The day of one event: from the morning until its end."""

    begins: datetime
    ends: datetime


def busy_time(opens_at: datetime, starts_at: datetime, ends_at: datetime, zone: str) -> BusyTime:
    """The day of an event whose check-in opens at ``opens_at``: from six in the morning in its own
    zone, or from check-in if that is earlier."""
    here = ZoneInfo(zone)
    morning = datetime.combine(starts_at.astimezone(here).date(), _MORNING, here)
    return BusyTime(min(morning, opens_at), ends_at)


def is_busy(busy: Collection[BusyTime], now: datetime) -> bool:
    """Whether it is the day of an event."""
    return any(one.begins <= now < one.ends for one in busy)


def is_due(
    last: datetime | None, failed_at: datetime | None, busy: Collection[BusyTime], now: datetime
) -> bool:
    """Whether a backup is due. ``last`` is the moment of the last good one. After a failure it is
    tried again in five minutes. A moment far in the future does not count: the clock was wrong."""
    if failed_at is not None and _is_recent(failed_at, ON_THE_DAY, now):
        return False
    interval = ON_THE_DAY if is_busy(busy, now) else HOURLY
    return last is None or not _is_recent(last, interval, now)


def is_copy_due(
    newest: datetime | None, copied_at: datetime | None, failed_at: datetime | None, now: datetime
) -> bool:
    """Whether the backup ``newest`` is to be copied to the second place."""
    if failed_at is not None and _is_recent(failed_at, ON_THE_DAY, now):
        return False
    return newest is not None and (
        copied_at is None or copied_at < newest or copied_at > now + HOURLY
    )


def is_drill_due(
    last: datetime | None, failed_at: datetime | None, busy: Collection[BusyTime], now: datetime
) -> bool:
    """Whether a backup is to be tried out: once a month, a day after a failure, and never on the
    day of an event."""
    if is_busy(busy, now) or (failed_at is not None and _is_recent(failed_at, _DRILLED_AGAIN, now)):
        return False
    return last is None or not _is_recent(last, DRILLED, now)


def _is_recent(moment: datetime, interval: timedelta, now: datetime) -> bool:
    return abs(now - moment) < _SLACK * interval


def superfluous(made: Collection[datetime], now: datetime) -> set[datetime]:
    """The moments of the backups to delete. Of the others, all are of the last 48 hours, then one a
    day up to 35 days. The newest of all is never deleted, however old it is."""
    newest = max(made, default=None)
    last_of_day = {_day(one): one for one in sorted(made)}
    return {
        one
        for one in made
        if one != newest
        and (now - one > KEPT or (now - one > ALL_KEPT and last_of_day[_day(one)] != one))
    }


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
