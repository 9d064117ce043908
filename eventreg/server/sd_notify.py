"""Tell systemd how the server does, if a unit with ``Type=notify`` started it.

The messages are those of sd_notify(3): lines of text, sent to the socket that systemd names.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

_MORE_SECONDS, _ASK_AGAIN_SECONDS = 120, 20


def is_asked() -> bool:
    """Whether systemd waits for messages."""
    return bool(os.environ.get("NOTIFY_SOCKET"))


def tell(*lines: str) -> None:
    """Send lines such as ``READY=1``. Does nothing if nobody listens."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending, suppress(OSError):
        sending.connect("\0" + place[1:] if place.startswith("@") else place)
        sending.sendall("\n".join(lines).encode())


def watchdog_seconds() -> float:
    """After how many seconds without ``WATCHDOG=1`` systemd stops the server; 0 for never."""
    return int(os.environ.get("WATCHDOG_USEC") or 0) / 1_000_000


@contextmanager
def starting(status: str) -> Iterator[None]:
    """Ask for more time for as long as the block runs, so that systemd does not end a long one."""
    done = Event()

    def ask() -> None:
        while not done.is_set():
            tell(f"EXTEND_TIMEOUT_USEC={_MORE_SECONDS * 1_000_000}", f"STATUS={status}")
            done.wait(_ASK_AGAIN_SECONDS)

    asking = Thread(target=ask, daemon=True)
    if is_asked():
        asking.start()
    try:
        yield
    finally:
        done.set()
        if asking.ident is not None:
            asking.join()  # the parent forks soon, and must have no other thread then
