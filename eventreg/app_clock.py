"""The clock of the running app. It stands apart from ``clock``, which must not import Flask."""

from datetime import datetime

from flask import current_app


def current_time() -> datetime:
    """The present moment, by the clock of the running app."""
    moment: datetime = current_app.extensions["clock"]()
    return moment
