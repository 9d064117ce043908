"""Conditions that select attendees, under one name each."""

from sqlalchemy import and_

from eventreg.core.models.registration import Attendee

LIVE = Attendee.cancelled_at.is_(None)
"""Attendees whose seat or waiting place was not given back."""
CANCELLED = Attendee.cancelled_at.is_not(None)
"""Attendees whose seat or waiting place was given back."""
EXPECTED = and_(LIVE, Attendee.code.is_not(None))
"""Attendees with a seat: a code is given with the seat, so those who wait have none."""
