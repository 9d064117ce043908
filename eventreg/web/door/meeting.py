"""Doors that meet without a network: the key with which they believe each other's records."""

import hashlib
import hmac

from flask import current_app

from eventreg.core.models.event import Event

WORDS = (
    "meet_close",
    "meet_damaged",
    "meet_forged",
    "meet_no_key",
    "meet_no_library",
    "meet_not_a_packet",
    "meet_not_written",
    "meet_other_event",
    "meet_show",
    "meet_show_how",
    "meet_show_left",
    "meet_show_none",
    "meet_show_part",
    "meet_take",
    "meet_take_how",
    "meet_taken",
    "meet_taken_all",
    "qr_code",
)
"""The keys of the sentences that ``static/door/meet.js`` says."""


def key(event: Event) -> str:
    """The key of this event's doors, as 64 hex digits. It goes to signed-in doors only."""
    secret = str(current_app.config["SECRET_KEY"]).encode()
    made = hmac.new(secret, f"door-meeting:{event.id}:{event.slug}".encode(), hashlib.sha256)
    return made.hexdigest()
