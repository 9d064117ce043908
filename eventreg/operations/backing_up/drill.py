"""The drill: restore a backup into a place of its own, and look whether it could be used.

The restore runs in a process of its own (``eventreg.try_restore``), on an instance folder of its
own and, on PostgreSQL, a database of its own. Both are removed afterwards. The erasure list is
replayed there, and ``doctor`` looks at the result.
"""

import json
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import current_app

from eventreg.clock import stopwatch
from eventreg.core.backups.faults import BackupRefused
from eventreg.operations import erasure_log
from eventreg.operations.backing_up import drill_database
from eventreg.settings.table import ROOT, Settings
from eventreg.storage import backups, dumps, encryption, old_backups
from eventreg.storage.session import db

_PATIENCE = 15 * 60
"""Seconds that the restore may take."""
_PROGRAM = "eventreg.try_restore"


@dataclass(frozen=True)
class Drilled:
    """A backup that could be restored. ``how`` says in which way it was tried."""

    file: Path
    how: str
    registrations: int
    attendees: int
    erased: int
    """How many are in the list of the erased, which was replayed."""
    seconds: float


def drill(*, now: datetime, file: Path | None = None, identity: Path | None = None) -> Drilled:
    """Restore ``file``, or the newest backup by schedule, into a place of its own. ``identity`` is
    the file with the private key of an encrypted one. Only inside ``lock.alone``.

    Raises ``BackupRefused`` with the reason, or ``OSError`` if there is no room.
    """
    began = stopwatch()
    clear_up()
    source = tried = file or _newest()
    folder = _folder()
    folder.mkdir(mode=0o700)
    try:
        how = "restored"
        if identity is None and encryption.is_encrypted(source):
            # Its key is not on this machine. One that is made in the same way can be opened.
            source, how = folder / "not-encrypted.zip", "made anew without encryption, and restored"
            backups.create(source)
        is_sqlite = db.engine.dialect.name == "sqlite"
        with nullcontext("") if is_sqlite else drill_database.made() as url:
            if url is None:
                rows, erased, how = _read(source, identity), 0, "only read to its end"
            else:
                rows, erased = _try(source, identity, url, now)
        seconds = stopwatch() - began
        return Drilled(tried, how, rows["registrations"], rows["attendees"], erased, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_up() -> None:
    """Remove what a drill has left that was killed: it holds names. Only inside ``lock.alone``."""
    shutil.rmtree(_folder(), ignore_errors=True)
    if db.engine.dialect.name == "postgresql":
        drill_database.drop()


def _newest() -> Path:
    found = old_backups.scheduled()
    if not found:
        raise BackupRefused("there is no backup by schedule yet", "no-backup")
    return found[-1].path


def _folder() -> Path:
    return Path(current_app.instance_path) / "backup-drill"


def _try(
    source: Path, identity: Path | None, url: str, now: datetime
) -> tuple[dict[str, int], int]:
    """Restore in a process of its own. Returns the rows of the backup, and how many are in the list
    of the erased."""
    kept = Path(current_app.instance_path) / "secret-key", erasure_log.path()
    for path in kept:
        if path.exists():
            shutil.copy(path, _folder())
    try:
        ended = subprocess.run(  # noqa: S603 - our own program, no shell
            [sys.executable, "-m", _PROGRAM, str(source), *([str(identity)] if identity else [])],
            capture_output=True,
            cwd=ROOT,
            env=_environment(url, now),
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BackupRefused(f"{source}: the restore did not end", "too-slow") from error
    told = json.loads(ended.stdout or "{}")
    if "rows" not in told:
        text = told.get("text") or f"the restore ended with {ended.returncode}"
        raise BackupRefused(text, told.get("code", "not-restored"))
    return told["rows"], told["erased"]


def _environment(url: str, now: datetime) -> dict[str, str]:
    settings: Settings = current_app.extensions["settings"]
    return {
        "PATH": os.environ.get("PATH", ""),
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(_folder()),
        "EVENTREG_INSTANCE": str(_folder()),
        "EVENTREG_DATABASE_URL": url,
        "EVENTREG_SECRET_KEY": current_app.config["SECRET_KEY"],
        "EVENTREG_PUBLIC_URL": settings.public_url,
        "EVENTREG_CLOCK": now.isoformat(),
        "EVENTREG_BACKUPS": "off",
    }


def _read(source: Path, identity: Path | None) -> dict[str, int]:
    """Without a database to restore into: read all rows of the dump, and count them."""
    with backups.opened(source, identity) as (manifest, body):
        rows = dumps.rows_in(body)
        lacking = {
            table: count for table, count in manifest.rows.items() if rows.get(table) != count
        }
    if lacking:
        raise BackupRefused(f"{source}: holds other rows than its manifest says", "counts")
    return rows
