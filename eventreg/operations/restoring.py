"""Restore a backup, and make it fit for use again."""

from datetime import datetime
from pathlib import Path

from eventreg.core.staff import sessions
from eventreg.operations import forgetting
from eventreg.operations.forgetting import Purged
from eventreg.storage import backups, checks
from eventreg.storage.backups import Manifest
from eventreg.storage.session import write


def restore(file: Path, *, now: datetime, identity: Path | None = None) -> tuple[Manifest, Purged]:
    """Replace the database with the backup, bring its tables up to date, end all sessions, and
    erase again who was erased since. Returns the description of the backup, and what was erased.
    Raises as ``backups.restore`` and ``forgetting.catch_up``."""
    forgetting.note_before_restore()
    manifest = backups.restore(file, identity)
    checks.make_tables(keep=False)
    write(sessions.end_all)
    return manifest, forgetting.catch_up(now=now)
