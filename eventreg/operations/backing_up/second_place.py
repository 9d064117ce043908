"""Copy the backups to a second place, such as a disk of another machine that is mounted here.

Whatever happens there, the backups on this machine stay good.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from flask import current_app

from eventreg.core import erasure
from eventreg.core.backups.faults import BackupRefused, DiskFault
from eventreg.operations import erasure_log
from eventreg.operations.backing_up.copier import Order
from eventreg.settings import ROOT
from eventreg.storage import old_backups
from eventreg.storage.session import reading

PATIENCE = 120.0
"""Seconds that all copies of one run may take. The rest is copied by the next."""
_COPIER = "eventreg.operations.backing_up.copier"


def copy(
    place: Path, *, now: datetime, is_new_place: bool = False, patience: float = PATIENCE
) -> int:
    """Copy what the second place lacks, and delete there what may not be kept. Returns how many
    backups were copied. Raises ``BackupRefused`` with the code of a ``DiskFault``."""
    instance = Path(current_app.instance_path)
    purged_at = erasure.purged_at(reading())
    reading().rollback()
    order = Order(
        files=[str(one.path) for one in reversed(old_backups.scheduled())],
        beside=[str(path) for path in [erasure_log.path()] if path.exists()],
        place=str(place),
        note=str(instance / "copy-place.txt"),
        lock=str(instance / "copying.lock"),
        now=now.isoformat(),
        purged_at=purged_at.isoformat() if purged_at else None,
        is_new_place=is_new_place,
    )
    told = json.loads(_follow(order, patience) or "{}")
    if "copied" not in told:
        text = told.get("text", f"{place}: the copy ended without a result")
        raise BackupRefused(text, told.get("code", DiskFault.BROKEN))
    return int(told["copied"])


def _follow(order: Order, patience: float) -> bytes:
    """Start the copier, and return what it printed."""
    kept = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    copier = subprocess.Popen(  # noqa: S603 - our own program, no shell
        [sys.executable, "-m", _COPIER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=kept,
    )
    try:
        return copier.communicate(json.dumps(asdict(order)).encode(), timeout=patience)[0]
    except subprocess.TimeoutExpired as error:
        copier.kill()
        with suppress(subprocess.TimeoutExpired):  # a disk that hangs holds it even then
            copier.communicate(timeout=1)
        raise BackupRefused(
            f"{order.place}: does not answer, or takes longer than {patience:g} seconds",
            DiskFault.HANGS,
        ) from error
