"""Moments as pages show them that belong to no event."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import g

from eventreg.core.event import events
from eventreg.storage.session import reading
from eventreg.web.language import stamp


def staff_stamp(moment: datetime) -> str:
    """A moment in the time zone of the next event, where the staff are; UTC if there is none."""
    coming = events.still_to_come(reading(), g.now)
    return stamp(moment, events.zone(coming[0]) if coming else ZoneInfo("UTC"))
