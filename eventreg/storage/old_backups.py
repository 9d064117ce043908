"""Automatic backups that may no longer be kept: those with names past their keeping time, and those
older than the privacy page says. Only files with a name that this program makes; what an operator
puts into the folder is never touched."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from eventreg.storage import backups

KEPT = timedelta(days=35)
"""The privacy page says so."""
_OURS = re.compile(
    r"(?P<kind>before-upgrade-\w+|before-restore|after-purge)-(?P<made>\d{8}T\d{12})\.zip"
)
_AFTER = "after-purge"
_STRAY = 24 * 60 * 60
"""Seconds after which an unfinished backup has no maker any more."""


@dataclass(frozen=True)
class _Automatic:
    path: Path
    kind: str
    made: datetime

    def holds_purged(self, purged_at: datetime | None) -> bool:
        """Whether it is from before the last event was purged, whose names it may hold."""
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


def to_let_go(*, now: datetime, purged_at: datetime | None) -> list[Path]:
    """The automatic backups that should not be there any more."""
    return [one.path for one in _all() if one.holds_purged(purged_at) or now - one.made > KEPT]


def let_go(*, now: datetime, purged_at: datetime | None) -> None:
    """Delete them. Before those go that are only too old for the event that was purged last, a
    fresh one is made and verified; if that fails, they are kept and the error is raised."""
    holding = [one for one in _all() if one.holds_purged(purged_at)]
    for one in _all():
        if now - one.made > KEPT:
            one.path.unlink(missing_ok=True)
    _sweep()
    if any(one.path.exists() for one in holding):
        backups.keep(_AFTER)
        for one in holding:
            one.path.unlink(missing_ok=True)


def _sweep() -> None:
    """What a backup left behind that was killed while it was made."""
    stray = list(backups.automatic().glob(f"{backups.WORKSHOP}*"))
    if not stray:
        return
    with backups.workshop(
        backups.automatic()
    ) as fresh:  # the disk's own time, by which the others were made
        limit = fresh.stat().st_mtime - _STRAY
        for folder in stray:
            if folder.stat().st_mtime < limit:
                shutil.rmtree(folder, ignore_errors=True)
