"""Who else on this machine may read what we keep: nobody. Mended at each start of a server, and
told by ``doctor``."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from eventreg.settings import Settings

OURS_ALONE = 0o077
"""The umask of every program of ours, and the bits that no file of ours may have."""


def open_to_others(settings: Settings) -> list[Path]:
    """Every folder and file of the instance, and the database wherever it is, that others may read,
    write or enter."""
    return [path for path in _everything(settings) if _mode(path) & OURS_ALONE]


def close(settings: Settings) -> None:
    """Take from others what they may do with them, also with files that an older version made. What
    belongs to somebody else stays as it is; ``doctor`` names it."""
    for path in open_to_others(settings):
        with suppress(OSError):
            path.chmod(_mode(path) & ~OURS_ALONE)


def write(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, also if it was there and others might."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):  # a terminal or a pipe is somebody else's
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
    """0 for what is gone by now, and for links, whose own mode says nothing."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return 0 if stat.S_ISLNK(found.st_mode) else stat.S_IMODE(found.st_mode)
