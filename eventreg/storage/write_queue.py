"""The gate: a fair queue of writers before an SQLite file.

Threads pass in the order of their arrival, processes by a file lock. SQLite's own waiting sleeps
and tries again, so that on a busy file one writer may wait for seconds. A writer that waits longer
than ``PATIENCE`` for either gets ``Busy``. If the queue stands still, only a few may wait; the
others get ``Busy`` at once, so that threads are free for those who only read.
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

from eventreg.clock import stopwatch
from eventreg.core.errors import Busy
from eventreg.storage.sqlite.file_connection import FileLost

PATIENCE = 5.0
"""Seconds. A guest who has waited longer is asked to try again, and the form is kept."""
STILL = 1.0
"""Seconds. If no writer came in for so long, the queue stands still: another program holds the
file. In a rush, a writer takes a few milliseconds."""


C = TypeVar("C", bound=sqlite3.Connection)


class Ledger(Protocol):
    """It is told each time a writer passes the gate."""

    def entered(self) -> None:
        """A writer is inside, alone. ``FileLost`` sends it away."""

    def leaving(self) -> None:
        """The writer is about to leave."""


class Gate:
    """The queue before one file. Without a path, as on PostgreSQL, everyone passes at once.

    A thread that is inside may pass again.
    """

    def __init__(
        self, path: Path | None, patience: float = PATIENCE, ledger: Ledger | None = None
    ) -> None:
        self._path = path
        self._patience = patience
        self._ledger = ledger
        self._line = Lock()
        self._waiting: deque[Lock] = deque()
        self._taken = False
        self._moved_at = 0.0
        self._inside: int | None = None
        self.most_waiting = 4
        """How many may wait while the queue stands still."""

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Wait for the turn. ``Busy`` if it does not come in time, ``FileLost`` if the lock file
        cannot be made."""
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
                os.close(descriptor)  # which releases the lock
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
                self._taken, self._moved_at = True, stopwatch()
                return
            self._waiting.append(turn)
        first = min(STILL, self._patience)
        for seconds, is_last in ((0, False), (first, False), (self._patience - first, True)):
            if turn.acquire(timeout=seconds) or not self._may_wait(turn, is_last=is_last):
                return

    def _may_wait(self, turn: Lock, *, is_last: bool) -> bool:
        """Whether this writer may wait on. ``False`` if its turn came at the last moment; ``Busy``
        if it has waited for long enough, or too many wait before it while the queue stands
        still."""
        with self._line:
            if turn not in self._waiting:
                return False
            stands_still = stopwatch() - self._moved_at >= STILL
            ahead = self._waiting.index(turn)
            if is_last or (stands_still and ahead >= self.most_waiting):
                self._waiting.remove(turn)
                raise Busy
        return True

    def _call_next(self) -> None:
        with self._line:
            if self._waiting:
                self._moved_at = stopwatch()
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
            _LockWaiter(descriptor).wait(self._patience)
        return descriptor


class _LockWaiter(Thread):
    """Waits for a file lock in place of a writer, because the kernel's wait has no time limit."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(daemon=True)
        self._descriptor = descriptor
        self._locked = Event()
        self._decide = Lock()
        self._given_up = False
        self.start()

    def run(self) -> None:
        """Wait for the lock, and release it at once if the writer has given up."""
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
    """A connection class that closes at the gate, since the last connection to close writes the log
    back into the file. If the gate does not open, it closes without it."""

    class GatedConnection(kind):  # type: ignore[valid-type,misc]
        def close(self) -> None:
            with suppress(Busy, FileLost), gate():
                super().close()
                return
            super().close()

    return GatedConnection
