"""The clock of the running app. It is not in ``clock``, because that must not import Flask."""

from datetime import datetime

from flask import current_app


def current_time() -> datetime:
    """The current time by the clock of the running app."""
    moment: datetime = current_app.extensions["clock"]()
    return moment
