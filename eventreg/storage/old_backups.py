"""Delete automatic backups that may no longer be kept.

These are backups that hold names whose retention period has ended, and backups older than the
privacy page says. Only files with a name that this program makes are deleted, never an operator's
own files.
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from eventreg.storage import backups

KEPT = timedelta(days=35)
"""How long automatic backups are kept. The privacy page says the same."""
_OURS = re.compile(
    r"(?P<kind>before-upgrade-\w+|before-restore|after-purge)-(?P<made>\d{8}T\d{12})\.zip"
)
_AFTER = "after-purge"
_ABANDONED_AFTER = 24 * 60 * 60
"""Seconds after which an unfinished backup counts as abandoned."""


@dataclass(frozen=True)
class _Automatic:
    path: Path
    kind: str
    made: datetime

    def may_hold_purged(self, purged_at: datetime | None) -> bool:
        """Whether it was made before the last purge, so that it may hold names purged then."""
        if purged_at is None:
            return False
        return self.made < purged_at or (self.made == purged_at and self.kind != _AFTER)


def _all() -> Sequence[_Automatic]:
    found = []
    for path in sorted(backups.automatic().glob("*.zip")):
        name = _OURS.fullmatch(path.name)
        if name and path.is_file():
            made = datetime.strptime(name["made"], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
            found.append(_Automatic(path, name["kind"], made))
    return found


def overdue(*, now: datetime, purged_at: datetime | None) -> list[Path]:
    """The automatic backups that should have been deleted."""
    return [one.path for one in _all() if one.may_hold_purged(purged_at) or now - one.made > KEPT]


def delete(*, now: datetime, purged_at: datetime | None) -> None:
    """Delete the overdue backups, and folders of backups that were never finished.

    Before it deletes those that may hold purged names, it makes a new backup. If that fails, they
    are kept and the error is raised, as by ``backups.create``.
    """
    holding = [one for one in _all() if one.may_hold_purged(purged_at)]
    for one in _all():
        if now - one.made > KEPT:
            one.path.unlink(missing_ok=True)
    _delete_abandoned()
    if any(one.path.exists() for one in holding):
        backups.keep(_AFTER)
        for one in holding:
            one.path.unlink(missing_ok=True)


def _delete_abandoned() -> None:
    """Delete the folders of backups that were killed while they were made."""
    folders = list(backups.automatic().glob(f"{backups.WORKSHOP}*"))
    if not folders:
        return
    with backups.workshop(backups.automatic()) as fresh:
        # the time of the file system, not of our clock
        limit = fresh.stat().st_mtime - _ABANDONED_AFTER
        for folder in folders:
            if folder.stat().st_mtime < limit:
                shutil.rmtree(folder, ignore_errors=True)
