"""An SQLite connection that knows which files it has open.

SQLite goes on writing into a file or a log (``-wal``) after it was deleted. The program then sees
its own writes, but the next program sees none of them.
"""

import fcntl
import os
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from pathlib import Path

Inode = tuple[int, int] | None
"""The device and number that identify a file, whatever its name. ``None`` for no file."""


class FileLost(sqlite3.OperationalError):
    """The file is gone, or is not the one that may be written. Nothing was confirmed to anyone."""


class State(Enum):
    """Whether the files of an open connection are still in their place."""

    IN_PLACE = auto()
    GONE = auto()
    """The database file was deleted, or another file has its name."""
    LOG_GONE = auto()
    """The database file is there, but its log or the log's index is not."""
    CLOSED = auto()


def inode(path: str) -> Inode:
    """The file that has this name now."""
    try:
        # called three times per request; a Path would double its cost
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino


Log = tuple[Inode, Inode]
"""The log of a database (``-wal``) and its index (``-shm``)."""


def log_of(path: str) -> Log:
    """The log that the next program would open."""
    return inode(f"{path}-wal"), inode(f"{path}-shm")


SHARED = (510, 0x40000002)
"""The bytes that SQLite locks while a connection is open: how many, and at which offset."""


@contextmanager
def held_open(descriptor: int) -> Iterator[None]:
    """Let SQLite see the file as open elsewhere, so that no closing connection is the last one.

    The lock belongs to the descriptor and not to the process, as SQLite's own do
    (https://man7.org/linux/man-pages/man2/fcntl_locking.2.html). Without such locks, as on systems
    other than Linux, it does nothing.
    """

    def lock(kind: int) -> None:
        how_many, offset = SHARED
        with suppress(OSError):
            fcntl.fcntl(
                descriptor, fcntl.F_OFD_SETLK, struct.pack("hhqqi", kind, 0, offset, how_many, 0)
            )

    if not hasattr(fcntl, "F_OFD_SETLK"):
        yield
        return
    lock(fcntl.F_RDLCK)
    try:
        yield
    finally:
        lock(fcntl.F_UNLCK)


class FileConnection(sqlite3.Connection):
    """One connection. While it is open, no other file gets the inode number of one of its files."""

    path: str
    opened: Inode
    descriptor: int | None = None
    """The same file, opened once more. It outlives all connections of this process."""
    log: Log = (None, None)
    is_in_use = False
    """Whether someone uses it."""
    is_old = False
    """Whether its log was saved and given up. It is closed as soon as no one uses it."""
    is_closed = False

    def note_files(self, path: str, opened: Inode, log: Log, descriptor: int | None) -> None:
        """Note which files are open, after the first statements have opened the log. ``FileLost``
        if they are not the files that had these names before."""
        self.path, self.opened, self.descriptor = path, opened, descriptor
        self.execute("PRAGMA schema_version").fetchone()
        self.log = log_of(path)
        in_wal_mode = self.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        replaced = any(was not in (None, now) for was, now in zip(log, self.log, strict=True))
        if inode(path) != opened or replaced or (in_wal_mode and None in self.log):
            raise FileLost(f"the files of the database are being replaced: {path}")

    def acts(self) -> int:
        """The number of the last act in the file and its log (see ``file_ledger``)."""
        return int(self.execute("PRAGMA user_version").fetchone()[0])

    def state(self) -> State:
        """Whether the open files are still those that the next program will open."""
        if self.is_closed:
            return State.CLOSED
        if inode(self.path) != self.opened:
            return State.GONE
        return State.IN_PLACE if log_of(self.path) == self.log else State.LOG_GONE

    def save_log(self) -> bool:
        """Only at the gate, outside a transaction. Write the content of a removed log into the
        file, and return whether that was done.

        It is not done if another program has begun a new log: that program has saved the old one.
        ``FileLost`` if someone still reads the old one.
        """
        with suppress(OSError):
            if inode(f"{self.path}-wal") != self.log[0] and Path(f"{self.path}-wal").stat().st_size:
                return False
        busy, _, _ = self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise FileLost(f"somebody still reads what is to be saved: {self.path}")
        return True

    def close(self) -> None:
        """Close it, and remember that for the pool.

        SQLite deletes the log with the last connection, by its name. If the log has been replaced,
        that would delete the new one, with all that other programs have written.
        """
        if self.descriptor is None or self.is_closed or self.state() is State.IN_PLACE:
            super().close()
        else:
            with held_open(self.descriptor):
                super().close()
        self.is_closed = True
