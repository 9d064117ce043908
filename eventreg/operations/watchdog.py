"""The watchdog: tell systemd again and again that the server works, or else be restarted.

It tells it only after a real read of the database, and after the server answered a request. A busy
server may take its time: it counts as silent only if no answer came within a quarter of the time
that systemd grants, and systemd restarts it only after four such quarters.
"""

import socket
from urllib.parse import urlsplit

from sqlalchemy import select

from eventreg.core.errors import Busy, first_line
from eventreg.core.models import event as event_models
from eventreg.server import sd_notify
from eventreg.settings.table import Settings, own_address
from eventreg.storage.session import AWAY, reading

_WITHOUT_LIMIT = 120
"""Seconds. For a unit that sets no ``WatchdogSec``."""


class Watchdog:
    """Feeds the watchdog. ``pause`` is how many seconds pass between two times."""

    def __init__(self, settings: Settings) -> None:
        self.pause = (sd_notify.watchdog_seconds() or _WITHOUT_LIMIT) / 4
        self._address = own_address(settings.host, settings.port)
        self._well = f"STATUS=Guests are served: {settings.public_url}"
        self._ready = ["READY=1"]

    def tell(self) -> None:
        """Tell systemd that the server works, and at the first time that it is ready; or what is
        wrong. Called in an application context."""
        trouble = what_is_wrong(self._address, self.pause)
        if trouble:
            sd_notify.tell(f"STATUS={trouble}")
            return
        sd_notify.tell(*self._ready, "WATCHDOG=1", self._well)
        self._ready = []


def what_is_wrong(address: str, patience: float) -> str:
    """Why the server does not work, in one sentence; empty if it works. ``patience`` is how many
    seconds it may take to answer."""
    try:
        reading().execute(select(event_models.Event.id).limit(1)).first()
    except (Busy, *AWAY) as error:
        return f"The database cannot be read: {first_line(error)}"
    finally:
        reading().rollback()
    return "" if _answers(address, patience) else "The server does not answer."


def _answers(address: str, patience: float) -> bool:
    """Whether the server says something, be it that it is not ready: a thread has worked then. A
    full one may also close the connection at once."""
    place = urlsplit(address)
    try:
        with socket.create_connection((str(place.hostname), place.port or 80), patience) as asking:
            asking.sendall(f"GET /readyz HTTP/1.0\r\nHost: {place.netloc}\r\n\r\n".encode())
            asking.recv(1)
    except (ConnectionResetError, BrokenPipeError):
        return True
    except OSError:
        return False
    return True
