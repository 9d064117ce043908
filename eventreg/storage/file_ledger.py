"""The ledger: a small file beside the database that says which database file was written last.

With it, a program notices an empty file, an older copy or a foreign file in the place of the
database.

Each act (a transaction that changes something) has a number. The number is in the database
(``user_version``) and in the ledger. A file with a lower number than the ledger's lacks acts that
were confirmed to someone.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from eventreg.storage.file_connection import SHARED, Inode, log_of

_USER_VERSION = 60
"""Its offset in the file: four bytes, the highest first
(https://www.sqlite.org/fileformat2.html, 1.3)."""
_UNREACHABLE = 1 << 32
"""A number that no file can have."""
_WIDTH = 160
"""Bytes. Each line has this length, so that it covers the line before it."""


class Heads:
    """Reads the number of the last act in the header of the database file.

    The descriptor stays open: closing it would release the locks that SQLite holds on the same file
    in this process (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: dict[str, int] = {}

    def number(self, present: str) -> int:
        """The number in the file that ``present`` names; 0 if there is none."""
        try:
            descriptor = self._descriptor(" ".join(present.split()[:2]))
            return int.from_bytes(os.pread(descriptor, 4, _USER_VERSION))
        except OSError:
            return 0

    def descriptor(self, opened: Inode) -> int | None:
        """The descriptor of this file; ``None`` if another one has come into its place."""
        if opened is None:
            return None
        try:
            descriptor = self._descriptor(f"{opened[0]} {opened[1]}")
        except OSError:
            return None
        found = os.fstat(descriptor)
        return descriptor if (found.st_dev, found.st_ino) == opened else None

    def _descriptor(self, which: str) -> int:
        if which not in self._open:
            self._open[which] = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        return self._open[which]

    def close(self) -> None:
        """Close the descriptors."""
        while self._open:
            os.close(self._open.popitem()[1])

    def __del__(self) -> None:
        self.close()


class FileLedger:
    """The ledger of one database file. It is read and written each time a writer passes the
    gate."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._book = path.with_name(f"in-use-{path.name}.txt")
        self._before = ""
        self._heads = Heads(path)
        self.written = 0
        """Inside the gate: the number of the last act that was confirmed to someone."""
        self.was_changed_outside = False
        """Inside the gate: whether the file was replaced, or written without passing the gate."""

    @property
    def name(self) -> str:
        """The name of the ledger's file."""
        return self._book.name

    def entered(self) -> None:
        """A writer has passed the gate: compare the file with the one that was left last. A file
        that an older copy was written over is marked as refused for good."""
        self._before = self.remembered()
        self.written = _numbers(self._before)[1]
        self.was_changed_outside = bool(self._before) and not _same(self._before, self.present())
        if self.was_changed_outside and self.head_went_back():
            # From here on the file stays refused, also after SQLite has mixed it with the log.
            self._remember(f"{' '.join(self._before.split()[:6])} {_UNREACHABLE} {self.written}")

    def accept(self, written: int) -> None:
        """Use the changed file from now on; ``written`` is the number of its last act."""
        self.was_changed_outside, self._before, self.written = False, "", written

    def leaving(self) -> None:
        """Note the file as it is now, unless it was changed from outside."""
        present = self.present()
        if self.was_changed_outside or not present:
            return
        before = self._before.split()
        is_as_before = before[:6] == present.split()
        if is_as_before and before[7:] == [str(self.written)]:
            return
        if not before or before[:2] == present.split()[:2]:
            head = before[6] if is_as_before and len(before) == 8 else self._heads.number(present)
            self._remember(f"{present} {head} {self.written}")

    def _remember(self, line: str) -> None:
        with suppress(OSError):  # on a full disk, the next writer checks the whole file
            descriptor = os.open(self._book, os.O_CREAT | os.O_WRONLY, 0o600)
            os.write(descriptor, line.ljust(_WIDTH).encode())
            os.close(descriptor)

    def remembered(self) -> str:
        """The file as it was noted last; empty if none was."""
        try:
            descriptor = os.open(self._book, os.O_RDONLY)
        except OSError:
            return ""
        with os.fdopen(descriptor, "rb", buffering=0) as book:
            return book.read(_WIDTH).decode("ascii", "replace").strip()

    def acts_written(self) -> int:
        """The number of the last act that was confirmed to someone."""
        return _numbers(self.remembered())[1]

    def was_replaced(self) -> bool:
        """Whether another file has come into the place of the one that was written last."""
        before, now = self._both()
        return before[:2] != now[:2]

    def head(self) -> int:
        """The number of the last act in the file itself, without its log."""
        return self._heads.number(self.present())

    def head_went_back(self) -> bool:
        """Whether the file itself holds fewer acts than before, because an older copy was written
        over it. Such a file is never used again; another file in its place may be."""
        return not self.was_replaced() and self.head() < _numbers(self.remembered())[0]

    def descriptor(self, opened: Inode) -> int | None:
        """This file, opened once more until ``close``; ``None`` if it is no longer there."""
        return self._heads.descriptor(opened)

    def close(self) -> None:
        """Close the descriptors. Only if no connection is open."""
        self._heads.close()

    def present(self) -> str:
        """The file as it is now: its identity, its time and size (which only a checkpoint at the
        gate changes), and the log and index beside it."""
        try:
            found = self._path.stat()
        except OSError:
            return ""
        beside = " ".join(str(one[1]) if one else "-" for one in log_of(str(self._path)))
        return f"{found.st_dev} {found.st_ino} {found.st_mtime_ns} {found.st_size} {beside}"

    def fault(self) -> str:
        """What is wrong with a file that is there; empty if nothing is."""
        before, now = self.remembered(), self.present()
        return (
            f"{self._path} is not as it was last written"
            if before and now and not _same(before, now)
            else ""
        )

    def log_is_left_over(self) -> bool:
        """Whether the file was replaced, but the log of the old one is still there. SQLite would
        take it for the log of the new file, and damage that."""
        before, now = self._both()
        return self.was_replaced() and before[4] == now[4] != "-"

    def log_was_removed(self) -> bool:
        """Whether the log was removed while another program has the file open, so that only that
        program can read what it wrote last.

        Only for a program that has no connection yet, because asking would release its locks.
        """
        before, now = self._both()
        if before[:2] != now[:2] or before[4] == "-" or before[4:] == now[4:]:
            return False
        descriptor = os.open(self._path, os.O_RDWR)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, *SHARED)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _both(self) -> tuple[list[str], list[str]]:
        before, now = self.remembered().split()[:6], self.present().split()
        return (before, now) if len(before) == len(now) == 6 else (["-"] * 6, ["-"] * 6)


def _same(one: str, other: str) -> bool:
    """Whether two lines describe the same file content. The log is not compared: it comes and goes
    with the first and the last connection."""
    return one.split()[:4] == other.split()[:4]


def _numbers(line: str) -> tuple[int, int]:
    """The last act in the file itself, and the last act at all, from a line of the ledger. Both are
    0 if an older version wrote the line."""
    numbers = line.split()[6:]
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else (0, 0)
