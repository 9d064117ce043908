"""A fair queue of writers before an SQLite file: first come first served among threads, then a file
lock among processes.

SQLite's own waiting sleeps and looks again, so that on a busy file one writer may starve for
seconds. Nobody waits here longer than ``PATIENCE`` for either: then it is ``Busy``.
"""

import fcntl
import os
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock, Thread, get_ident
from typing import Protocol, TypeVar

from eventreg.core.errors import Busy
from eventreg.storage.file_connection import FileLost

PATIENCE = 5.0
"""Seconds. Somebody who has waited longer is told to come back, with the form kept."""


C = TypeVar("C", bound=sqlite3.Connection)


class Ledger(Protocol):
    """Who is told of each passing of the gate."""

    def entered(self) -> None:
        """Somebody is inside, alone."""

    def leaving(self) -> None:
        """The last moment inside."""


class Gate:
    """The queue before one file. A database that is no file has no gate; inside, the same thread
    passes freely."""

    def __init__(
        self, path: Path | None, patience: float = PATIENCE, ledger: Ledger | None = None
    ) -> None:
        self._path = path
        self._patience = patience
        self._ledger = ledger
        self._line = Lock()
        self._waiting: deque[Lock] = deque()
        self._taken = False
        self._inside: int | None = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Wait for one's turn; ``Busy`` where it does not come, ``FileLost`` if there is no place
        for the lock."""
        if self._path is None or self._inside == get_ident():
            yield
            return
        self._queue_up()
        try:
            descriptor = self._lock_file(self._path)
            self._inside = get_ident()
            try:
                with self._noted():
                    yield
            finally:
                self._inside = None
                os.close(descriptor)  # which lets go of the lock
        finally:
            self._call_next()

    @contextmanager
    def _noted(self) -> Iterator[None]:
        if self._ledger is None:
            yield
            return
        self._ledger.entered()
        try:
            yield
        finally:
            self._ledger.leaving()

    def _queue_up(self) -> None:
        turn = Lock()
        turn.acquire()
        with self._line:
            if not self._taken:
                self._taken = True
                return
            self._waiting.append(turn)
        if turn.acquire(timeout=self._patience):
            return
        with self._line:
            if turn in self._waiting:
                self._waiting.remove(turn)
                raise Busy
        # The turn came just as patience ended: it is ours.

    def _call_next(self) -> None:
        with self._line:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    def _lock_file(self, path: Path) -> int:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:  # the folder was moved away, or the disk is full
            raise FileLost(f"{path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _Patient(descriptor).wait(self._patience)
        return descriptor


class _Patient(Thread):
    """Stands in the kernel's queue for a file lock, which knows no time limit, so that the writer
    may give up."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(daemon=True)
        self._descriptor = descriptor
        self._locked = Event()
        self._decide = Lock()
        self._given_up = False
        self.start()

    def run(self) -> None:
        """Wait for the lock; drop it at once where nobody wants it any more."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        with self._decide:
            if self._given_up:
                os.close(self._descriptor)
            self._locked.set()

    def wait(self, patience: float) -> None:
        """Return with the lock held, or ``Busy``."""
        if self._locked.wait(patience):
            return
        with self._decide:
            if not self._locked.is_set():
                self._given_up = True
                raise Busy


def gated(gate: Gate, kind: type[C]) -> type[C]:
    """SQLite connections that close behind the gate, since the last one to close writes its log
    back into the file."""

    class GatedConnection(kind):  # type: ignore[valid-type,misc]
        def close(self) -> None:
            with suppress(Busy, FileLost), gate():
                super().close()
                return
            super().close()

    return GatedConnection
