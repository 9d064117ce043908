"""Addresses that pages of several audiences lead to."""

from flask import current_app

from eventreg.core import tickets
from eventreg.core.entries import Made
from eventreg.core.models import Registration


def ticket(registration: Registration | Made) -> str:
    """The path of a registration's ticket: computed, since only a digest of its token is stored."""
    return f"/T/{tickets.token(current_app.config['SECRET_KEY'], registration.ticket_seed)}"
