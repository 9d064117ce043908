"""When the telephone is answered. A server cannot know that somebody picks up, only that it is a
time for it."""

from datetime import date, datetime, time, timedelta

from eventreg.core.event.definition import DayPhone, PhoneLine

_LOOK_AHEAD = 31
"""Days; a line closed for longer has no next opening worth telling."""
_EVENING = time(17)
"""From then on, the day before, the number of the day is shown."""


def _works_on(line: PhoneLine, day: date) -> bool:
    if day in line.open_on:
        return True
    return day not in line.closed_on and day.isoweekday() in line.weekdays


def last_working_day(line: PhoneLine | None, before: date) -> date:
    """The last day before that one on which people work: for a Monday the Friday. Without a line,
    Monday to Friday."""
    for days in range(1, _LOOK_AHEAD + 1):
        day = before - timedelta(days=days)
        if _works_on(line, day) if line else day.isoweekday() <= 5:
            return day
    return before - timedelta(days=1)


def is_answered(line: PhoneLine, local: datetime) -> bool:
    """Whether ``local``, a moment in the event's time zone, is a time at which the line is
    answered."""
    return _works_on(line, local.date()) and line.opens <= local.time() < line.closes


def next_opening(line: PhoneLine, local: datetime) -> datetime | None:
    """When the line is answered next, after ``local`` and in its zone; ``None`` where that is over
    a month away."""
    for days in range(_LOOK_AHEAD + 1):
        day = local.date() + timedelta(days=days)
        opens = datetime.combine(day, line.opens, tzinfo=local.tzinfo)
        if _works_on(line, day) and opens > local:
            return opens
    return None


def is_for_today(local: datetime, starts: datetime, ends: datetime) -> bool:
    """Whether the number of the day is to be shown: from the evening before the event until its
    end. All local."""
    evening = datetime.combine(starts.date() - timedelta(days=1), _EVENING, tzinfo=starts.tzinfo)
    return evening <= local < ends


def day_phone_is_answered(phone: DayPhone, local: datetime, starts: datetime) -> bool:
    """Whether somebody should answer the number of the day at ``local``; without hours of its own,
    the whole day."""
    if local.date() != starts.date():
        return False
    return (phone.from_ or time.min) <= local.time() < (phone.until or time.max)
