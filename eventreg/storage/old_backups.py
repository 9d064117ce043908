"""Delete automatic backups that may no longer be kept.

These are backups that hold names whose retention period has ended, and backups older than the
privacy page says. Only files with a name that this program makes are deleted, never an operator's
own files.
"""

import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from flask import current_app

from eventreg.core.backups import names, times
from eventreg.core.backups.names import BackupFile, Kind
from eventreg.settings import Settings
from eventreg.storage import backups

KEPT = times.KEPT
"""How long automatic backups are kept. The privacy page says the same."""
_ABANDONED_AFTER = 24 * 60 * 60
"""Seconds after which an unfinished backup counts as abandoned."""


def scheduled_folder() -> Path | None:
    """The folder of the backups by schedule; ``None`` if they are switched off."""
    settings: Settings = current_app.extensions["settings"]
    return settings.backups


def scheduled() -> list[BackupFile]:
    """The backups by schedule on this machine, the oldest first."""
    folder = scheduled_folder()
    return [one for one in names.in_folder(folder) if one.kind == Kind.SCHEDULED] if folder else []


def thin_out(*, now: datetime) -> None:
    """Delete the backups by schedule that need not be kept any more (see ``core.backups.times``).
    ``OSError`` if the folder cannot be written."""
    found = scheduled()
    superfluous = times.superfluous({one.made for one in found}, now)
    for one in found:
        if one.made in superfluous:
            one.path.unlink(missing_ok=True)


def _folders() -> set[Path]:
    return {backups.automatic(), scheduled_folder() or backups.automatic()}


def _all() -> Sequence[BackupFile]:
    return [one for folder in sorted(_folders()) for one in names.in_folder(folder)]


def _may_hold_purged(one: BackupFile, purged_at: datetime | None) -> bool:
    """Whether it was made before the last purge, so that it may hold names purged then."""
    if purged_at is None:
        return False
    return one.made < purged_at or (one.made == purged_at and one.kind != Kind.AFTER_PURGE)


def _too_old(found: Iterable[BackupFile], now: datetime) -> list[BackupFile]:
    """Those that were kept long enough. The last backup by schedule is kept until there is another:
    while no new one can be made, it is all there is."""
    last = max((one.made for one in scheduled()), default=None)
    return [
        one
        for one in found
        if now - one.made > KEPT and not (one.kind == Kind.SCHEDULED and one.made == last)
    ]


def overdue(*, now: datetime, purged_at: datetime | None) -> list[Path]:
    """The automatic backups that should have been deleted."""
    too_old = _too_old(_all(), now)
    return [one.path for one in _all() if _may_hold_purged(one, purged_at) or one in too_old]


def delete(*, now: datetime, purged_at: datetime | None) -> None:
    """Delete the overdue backups, and folders of backups that were never finished.

    Before it deletes those that may hold purged names, it makes a new backup. If that fails, they
    are kept and the error is raised, as by ``backups.create``.
    """
    holding = [one for one in _all() if _may_hold_purged(one, purged_at)]
    for one in _too_old(_all(), now):
        one.path.unlink(missing_ok=True)
    for folder in _folders():
        _delete_abandoned(folder)
    if any(one.path.exists() for one in holding):
        backups.keep(Kind.AFTER_PURGE)
        for one in holding:
            one.path.unlink(missing_ok=True)


def _delete_abandoned(folder: Path) -> None:
    """Delete the folders of backups that were killed while they were made."""
    found = list(folder.glob(f"{backups.WORKSHOP}*"))
    if not found:
        return
    with backups.workshop(folder) as fresh:
        # the time of the file system, not of our clock
        limit = fresh.stat().st_mtime - _ABANDONED_AFTER
        for one in found:
            if one.stat().st_mtime < limit:
                shutil.rmtree(one, ignore_errors=True)
