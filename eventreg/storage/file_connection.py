"""An SQLite connection that knows which files it has open. SQLite goes on writing into a file, or a
log (``-wal``), that was deleted: the program sees its own writes, and the next program none of
them."""

import os
import sqlite3
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

Inode = tuple[int, int] | None
"""Device and number: which file it is, whatever its name. ``None`` for no file."""


class FileLost(sqlite3.OperationalError):
    """The file is gone, or is not the one that may be written. Nothing was promised."""


class State(Enum):
    """How the files of an open connection stand on the disk."""

    IN_PLACE = auto()
    GONE = auto()
    """The database file has no name any more, or another file has it."""
    LOG_GONE = auto()
    """The database file is there, and its log, or the index of that, is not."""
    CLOSED = auto()


def inode(path: str) -> Inode:
    """Which file has that name."""
    try:
        # three times a request, and a Path costs as much again
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino


Log = tuple[Inode, Inode]
"""The log of a database, and the index of that."""


def log_of(path: str) -> Log:
    """Which log the next program would open."""
    return inode(f"{path}-wal"), inode(f"{path}-shm")


class FileConnection(sqlite3.Connection):
    """One connection. As long as it is open, no other file gets the number of one of its files."""

    path: str
    opened: Inode
    log: Log = (None, None)
    in_hand = False
    """Whether somebody works with it."""
    is_old = False
    """Whether its log has been saved and given up: to be closed as soon as nobody works with it."""
    is_closed = False

    def take_note(self, path: str, opened: Inode, log: Log) -> None:
        """After the first statements, which open the log: remember which files these are.
        ``FileLost`` if they are not the ones that had these names before."""
        self.path, self.opened = path, opened
        self.execute("PRAGMA schema_version").fetchone()
        self.log = log_of(path)
        in_wal_mode = self.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        replaced = any(was not in (None, now) for was, now in zip(log, self.log, strict=True))
        if inode(path) != opened or replaced or (in_wal_mode and None in self.log):
            raise FileLost(f"the files of the database are being replaced: {path}")

    def acts(self) -> int:
        """The number of the last act in the file and its log."""
        return int(self.execute("PRAGMA user_version").fetchone()[0])

    def state(self) -> State:
        """Whether the files that are open are still those that the next program will open."""
        if self.is_closed:
            return State.CLOSED
        if inode(self.path) != self.opened:
            return State.GONE
        return State.IN_PLACE if log_of(self.path) == self.log else State.LOG_GONE

    def save_log(self) -> bool:
        """Only at the gate, outside a transaction. Bring what stands in a log that has lost its
        name, or its index, into the file; whether that was done. It is not if another log was begun
        meanwhile: whoever did has saved the old one."""
        with suppress(OSError):
            if inode(f"{self.path}-wal") != self.log[0] and Path(f"{self.path}-wal").stat().st_size:
                return False
        busy, _, _ = self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise FileLost(f"somebody still reads what is to be saved: {self.path}")
        return True

    def close(self) -> None:
        """Close it; known to whoever finds it in the pool."""
        super().close()
        self.is_closed = True
