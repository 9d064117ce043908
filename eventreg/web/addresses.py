"""Addresses that pages of several audiences lead to."""

from flask import current_app, url_for

from eventreg.core import tickets
from eventreg.core.models import Registration


def ticket(registration: Registration) -> str:
    """The path of a registration's ticket: computed, since only a digest of its token is stored."""
    token = tickets.token(current_app.config["SECRET_KEY"], registration.ticket_seed)
    return url_for("public.ticket", token=token)
