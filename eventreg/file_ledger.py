"""Which database file was written last, in a small file beside it. So no program takes an empty file, or somebody else's, for the
one that has the people in it."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from eventreg.file_connection import log_of

_SHARED = (510, 0x40000002)
"""The bytes of its file that SQLite locks as long as a connection is open: how many, and from where."""


class FileLedger:
    """Read and written at the gate, each time somebody passes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._book = path.with_name(f"in-use-{path.name}.txt")
        self._before = ""
        self.is_strange = False
        """Inside the gate: whether the file is another than was written last, or was written past the gate."""

    @property
    def name(self) -> str:
        """Of the small file."""
        return self._book.name

    def entered(self) -> None:
        """The gate was passed: is the file as it was when the gate was passed last?"""
        self._before = self.remembered()
        self.is_strange = bool(self._before) and not _same(self._before, self.present())

    def accept(self) -> None:
        """The strange file is sound and ours: this is the file from now on."""
        self.is_strange, self._before = False, ""

    def leaving(self) -> None:
        """Remember the file as it is now, unless it is a strange one, or has become another meanwhile."""
        now = self.present()
        if self.is_strange or not now or now == self._before:
            return
        if not self._before or self._before.split()[:2] == now.split()[:2]:
            with suppress(OSError):  # on a full disk, the next one looks through the file
                descriptor = os.open(self._book, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
                os.write(descriptor, now.encode())
                os.close(descriptor)

    def remembered(self) -> str:
        """The file as it was; empty where none ever was."""
        try:
            descriptor = os.open(self._book, os.O_RDONLY)
        except OSError:
            return ""
        with os.fdopen(descriptor, "rb", buffering=0) as book:
            return book.read(200).decode("ascii", "replace")

    def present(self) -> str:
        """The file as it is: which it is, when it was written, how long (only a checkpoint at the gate changes that), and
        which log and index lie beside it."""
        try:
            found = self._path.stat()
        except OSError:
            return ""
        beside = " ".join(str(one[1]) if one else "-" for one in log_of(str(self._path)))
        return f"{found.st_dev} {found.st_ino} {found.st_mtime_ns} {found.st_size} {beside}"

    def fault(self) -> str:
        """What is wrong with a file that is there; empty where nothing is."""
        before, now = self.remembered(), self.present()
        return f"{self._path} is not as it was last written" if before and now and not _same(before, now) else ""

    def log_is_left_over(self) -> bool:
        """Whether another file has come into the place of the one that was written last, and the log of that one is still
        there. SQLite would take it for the log of the new file, and spoil it."""
        before, now = self._both()
        return before[:2] != now[:2] and before[4] == now[4] != "-"

    def log_was_removed(self) -> bool:
        """Whether the log of the file has gone while another program has the file open, so that what it wrote last is in
        nobody else's reach. Only for a program that has no connection yet: asking would give up its locks."""
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
        before, now = self.remembered().split(), self.present().split()
        return (before, now) if len(before) == len(now) == 6 else (["-"] * 6, ["-"] * 6)


def _same(one: str, other: str) -> bool:
    """But for the log, which comes and goes with the first and the last connection."""
    return one.split()[:4] == other.split()[:4]
