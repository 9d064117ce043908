"""File modes: only the owner may read the instance's files.

Each start of a server corrects the modes, and ``doctor`` reports wrong ones.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from eventreg.settings.table import Settings

OURS_ALONE = 0o077
"""The umask of our programs, and the mode bits that our files must not have."""


def open_to_others(settings: Settings) -> list[Path]:
    """The folders and files of the instance, and of a database outside it, to which others have
    access."""
    return [path for path in _everything(settings) if _mode(path) & OURS_ALONE]


def close(settings: Settings) -> None:
    """Close these files to others. One of another owner stays as it is, and ``doctor`` names it."""
    for path in open_to_others(settings):
        with suppress(OSError):
            path.chmod(_mode(path) & ~OURS_ALONE)


def write(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read. An existing file is closed to others first."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):  # not a terminal or a pipe
            os.fchmod(descriptor, 0o600)
        file.write(content)


def _everything(settings: Settings) -> Iterator[Path]:
    yield settings.instance
    yield from sorted(settings.instance.rglob("*"))
    if settings.database_url.startswith("sqlite:///"):
        database = Path(settings.instance, settings.database_url.removeprefix("sqlite:///"))
        if not database.is_relative_to(settings.instance):
            yield from sorted(database.parent.glob(f"*{database.name}*"))


def _mode(path: Path) -> int:
    """The permission bits of a path; 0 if it is gone or is a link, whose own mode has no effect."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return 0 if stat.S_ISLNK(found.st_mode) else stat.S_IMODE(found.st_mode)
