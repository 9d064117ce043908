"""When the telephone is answered. A server cannot know that somebody picks up, only that it is a time for it."""

from datetime import date, datetime, timedelta

from eventreg.core.definition import PhoneLine

_LOOK_AHEAD = 31
"""Days; a line closed for longer has no next opening worth telling."""


def _works_on(line: PhoneLine, day: date) -> bool:
    if day in line.open_on:
        return True
    return day not in line.closed_on and day.isoweekday() in line.weekdays


def is_answered(line: PhoneLine, local: datetime) -> bool:
    """Whether ``local``, a moment in the event's time zone, is a time at which the line is answered."""
    return _works_on(line, local.date()) and line.opens <= local.time() < line.closes


def next_opening(line: PhoneLine, local: datetime) -> datetime | None:
    """When the line is answered next, after ``local`` and in its zone; ``None`` where that is over a month away."""
    for days in range(_LOOK_AHEAD + 1):
        day = local.date() + timedelta(days=days)
        opens = datetime.combine(day, line.opens, tzinfo=local.tzinfo)
        if _works_on(line, day) and opens > local:
            return opens
    return None
