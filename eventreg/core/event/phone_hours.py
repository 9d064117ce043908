"""Compute when the telephone numbers should be answered, from the hours in the event file."""

from datetime import date, datetime, time, timedelta

from eventreg.core.event.definition import DayPhone, PhoneLine

_LOOK_AHEAD = 31
"""In days. If the line is closed for longer, no next opening is shown."""
_EVENING = time(17)
"""From this time on the day before the event, the day phone is shown."""


def _works_on(line: PhoneLine, day: date) -> bool:
    if day in line.open_on:
        return True
    return day not in line.closed_on and day.isoweekday() in line.weekdays


def last_working_day(line: PhoneLine | None, before: date) -> date:
    """The last working day before a day: for a Monday, the Friday. Without a telephone line, people
    work from Monday to Friday. If there is none within a month, the day before."""
    for days in range(1, _LOOK_AHEAD + 1):
        day = before - timedelta(days=days)
        if _works_on(line, day) if line else day.isoweekday() <= 5:
            return day
    return before - timedelta(days=1)


def is_answered(line: PhoneLine, local: datetime) -> bool:
    """Whether the line should be answered at ``local``, a moment in the event's time zone."""
    return _works_on(line, local.date()) and line.opens <= local.time() < line.closes


def next_opening(line: PhoneLine, local: datetime) -> datetime | None:
    """When the line opens next after ``local``, in the same zone. ``None`` if that is more than a
    month away."""
    for days in range(_LOOK_AHEAD + 1):
        day = local.date() + timedelta(days=days)
        opens = datetime.combine(day, line.opens, tzinfo=local.tzinfo)
        if _works_on(line, day) and opens > local:
            return opens
    return None


def is_for_today(local: datetime, starts: datetime, ends: datetime) -> bool:
    """Whether the day phone is to be shown: from the evening before the event until its end. All
    moments are in the event's time zone."""
    evening = datetime.combine(starts.date() - timedelta(days=1), _EVENING, tzinfo=starts.tzinfo)
    return evening <= local < ends


def day_phone_is_answered(phone: DayPhone, local: datetime, starts: datetime) -> bool:
    """Whether the day phone should be answered at ``local``: only on the day of the event, and if
    it has hours, only within them."""
    if local.date() != starts.date():
        return False
    return (phone.from_ or time.min) <= local.time() < (phone.until or time.max)
