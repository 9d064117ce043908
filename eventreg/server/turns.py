"""Turns of the threads that answer requests.

Python runs one thread at a time. Threads that answer together take that right from each other at
every statement and every look at a file, and each change costs more than a small answer. So one
thread answers, while the others wait for it, but not for long: a request that waits itself (for the
disk, for another program) or takes long (an export, a password) holds up nobody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

PATIENCE = 0.02
"""Seconds. Nearly all pages take less."""


class Turns:
    """The turns of one process."""

    def __init__(self) -> None:
        self._turn = Lock()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Wait for the thread whose turn it is, at most ``PATIENCE``."""
        is_mine = self._turn.acquire(timeout=PATIENCE)
        try:
            yield
        finally:
            if is_mine:
                self._turn.release()
