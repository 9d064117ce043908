"""Which database file was written last, and how much is in it, in a small file beside it. So no
program takes an empty file, an older copy, or somebody else's file for the one that has the people
in it.

Each act that is written has a number. It stands in the database (``user_version``), and here. A
file whose number is lower than the one here lacks what somebody was promised.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from eventreg.storage.file_connection import log_of

_USER_VERSION = 60
"""Where it stands in the file, four bytes, the highest first
(https://www.sqlite.org/fileformat2.html, 1.3)."""
_SPOILED = 1 << 32
"""A number that no file has."""
_WIDTH = 160
"""Bytes. The line is always as long, so that a new one covers the old one whole."""
_SHARED = (510, 0x40000002)
"""The bytes of its file that SQLite locks as long as a connection is open: how many, and from
where."""


class Heads:
    """Reads the number in the head of the database file. The descriptor stays open: to close it
    would give up the locks that SQLite holds on the same file in this process
    (https://www.sqlite.org/howtocorrupt.html, 2.2)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: dict[str, int] = {}

    def number(self, present: str) -> int:
        """Of the file that is there now; 0 if none is. ``present`` says which it is."""
        which = " ".join(present.split()[:2])
        try:
            if which not in self._open:
                self._open[which] = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            return int.from_bytes(os.pread(self._open[which], 4, _USER_VERSION))
        except OSError:
            return 0

    def close(self) -> None:
        """Close the descriptors."""
        while self._open:
            os.close(self._open.popitem()[1])

    def __del__(self) -> None:
        self.close()


class FileLedger:
    """Read and written at the gate, each time somebody passes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._book = path.with_name(f"in-use-{path.name}.txt")
        self._before = ""
        self._heads = Heads(path)
        self.written = 0
        """Inside the gate: the number of the last act of which somebody was told that it is
        written."""
        self.is_strange = False
        """Inside the gate: whether the file is another than was written last, or was written past
        the gate."""

    @property
    def name(self) -> str:
        """Of the small file."""
        return self._book.name

    def entered(self) -> None:
        """The gate was passed: is the file as it was when the gate was passed last?"""
        self._before = self.remembered()
        self.written = _numbers(self._before)[1]
        self.is_strange = bool(self._before) and not _same(self._before, self.present())
        if (
            self.is_strange and self.head_went_back()
        ):  # before SQLite mixes the old content with what stands in the log
            self._remember(f"{' '.join(self._before.split()[:6])} {_SPOILED} {self.written}")

    def accept(self, written: int) -> None:
        """The strange file is sound, ours, and lacks nothing: this is the file from now on, with
        that many acts."""
        self.is_strange, self._before, self.written = False, "", written

    def leaving(self) -> None:
        """Remember the file as it is now, unless it is a strange one, or has become another
        meanwhile."""
        present = self.present()
        if self.is_strange or not present:
            return
        before = self._before.split()
        is_as_before = before[:6] == present.split()
        if is_as_before and before[7:] == [str(self.written)]:
            return
        if not before or before[:2] == present.split()[:2]:
            head = before[6] if is_as_before and len(before) == 8 else self._heads.number(present)
            self._remember(f"{present} {head} {self.written}")

    def _remember(self, line: str) -> None:
        with suppress(OSError):  # on a full disk, the next one looks through the file
            descriptor = os.open(self._book, os.O_CREAT | os.O_WRONLY, 0o600)
            os.write(descriptor, line.ljust(_WIDTH).encode())
            os.close(descriptor)

    def remembered(self) -> str:
        """The file as it was; empty where none ever was."""
        try:
            descriptor = os.open(self._book, os.O_RDONLY)
        except OSError:
            return ""
        with os.fdopen(descriptor, "rb", buffering=0) as book:
            return book.read(_WIDTH).decode("ascii", "replace").strip()

    def acts_written(self) -> int:
        """The number of the last act of which somebody was told that it is written."""
        return _numbers(self.remembered())[1]

    def was_replaced(self) -> bool:
        """Whether another file has the name of the one that was written last."""
        before, now = self._both()
        return before[:2] != now[:2]

    def head(self) -> int:
        """The number of the last act in the file alone, without its log."""
        return self._heads.number(self.present())

    def head_went_back(self) -> bool:
        """Whether the file alone holds less than it did: it was written over with an older copy.
        From then on it is not used, whatever is written into it; another file in its place may
        be."""
        return not self.was_replaced() and self.head() < _numbers(self.remembered())[0]

    def close(self) -> None:
        """Give back what was opened to look at the file. Only if no connection is open."""
        self._heads.close()

    def present(self) -> str:
        """The file as it is: which it is, when it was written, how long (only a checkpoint at the
        gate changes that), and which log and index lie beside it."""
        try:
            found = self._path.stat()
        except OSError:
            return ""
        beside = " ".join(str(one[1]) if one else "-" for one in log_of(str(self._path)))
        return f"{found.st_dev} {found.st_ino} {found.st_mtime_ns} {found.st_size} {beside}"

    def fault(self) -> str:
        """What is wrong with a file that is there; empty where nothing is."""
        before, now = self.remembered(), self.present()
        return (
            f"{self._path} is not as it was last written"
            if before and now and not _same(before, now)
            else ""
        )

    def log_is_left_over(self) -> bool:
        """Whether another file has come into the place of the one that was written last, and the
        log of that one is still there. SQLite would take it for the log of the new file, and spoil
        it."""
        before, now = self._both()
        return self.was_replaced() and before[4] == now[4] != "-"

    def log_was_removed(self) -> bool:
        """Whether the log of the file has gone while another program has the file open, so that
        what it wrote last is in nobody else's reach. Only for a program that has no connection yet:
        asking would give up its locks."""
        before, now = self._both()
        if before[:2] != now[:2] or before[4] == "-" or before[4:] == now[4:]:
            return False
        descriptor = os.open(self._path, os.O_RDWR)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, *_SHARED)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _both(self) -> tuple[list[str], list[str]]:
        before, now = self.remembered().split()[:6], self.present().split()
        return (before, now) if len(before) == len(now) == 6 else (["-"] * 6, ["-"] * 6)


def _same(one: str, other: str) -> bool:
    """But for the log, which comes and goes with the first and the last connection."""
    return one.split()[:4] == other.split()[:4]


def _numbers(line: str) -> tuple[int, int]:
    """Of a remembered line: the number in the file alone, and that of the last act. 0 if an older
    version wrote the line."""
    numbers = line.split()[6:]
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else (0, 0)
