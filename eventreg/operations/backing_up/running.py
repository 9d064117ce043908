"""Make the backup that is due, delete old ones, copy to the second place, and drill once a month.

A timer of the system and the server itself both call ``run``. Only one of them is at work at a
time, and nothing is done twice. What was done, or why not, is noted in ``operation_runs``.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from flask import current_app

from eventreg.core import operation_runs
from eventreg.core.backups import faults, names, times
from eventreg.core.backups.faults import BackupRefused, DiskFault
from eventreg.core.backups.names import Kind
from eventreg.core.backups.times import BusyTime
from eventreg.core.errors import Busy, first_line
from eventreg.core.event import events
from eventreg.core.event.events import Phase
from eventreg.core.operation_runs import Operation, Run
from eventreg.operations.backing_up import lock, second_place
from eventreg.operations.backing_up.drill import Drilled, clear_up, drill
from eventreg.settings import Settings
from eventreg.storage import backups, old_backups
from eventreg.storage.session import AWAY, Session, db, reading, write

T = TypeVar("T")

_LEAST_FREE = 50 * 10**6
"""Bytes that a backup leaves free on the disk of the database: without them, nobody can register.
"""


@dataclass
class Done:
    """What a run did. ``failed`` has a line for each operation that could not be done."""

    made: Path | None = None
    copied: int | None = None
    drilled: Drilled | None = None
    failed: dict[Operation, str] = field(default_factory=dict)
    was_busy: bool = False
    """Another process was at work, so nothing was done."""


def run(*, now: datetime, is_new_place: bool = False) -> Done:
    """Do what is due. Raises one of ``AWAY`` if the database cannot be asked."""
    done = Done()
    if old_backups.scheduled_folder() is None:
        return done
    with lock.alone() as is_ours:
        if not is_ours:
            done.was_busy = True
            return done
        busy = _busy_times(now)
        _back_up(done, busy, now)
        _thin_out(now)
        _copy(done, now, is_new_place=is_new_place)
        _drill(done, busy, now)
    return done


def run_drill(*, now: datetime, file: Path | None, identity: Path | None) -> Done:
    """Drill now, whether or not it is due."""
    done = Done()
    with lock.alone() as is_ours:
        done.was_busy = not is_ours
        if is_ours:
            done.drilled = _attempt(
                done, Operation.DRILL, lambda: drill(now=now, file=file, identity=identity), now
            )
    return done


def _back_up(done: Done, busy: list[BusyTime], now: datetime) -> None:
    last = _last(Operation.BACKUP)
    made_at = last.succeeded_at if old_backups.scheduled() else None  # somebody deleted them
    if times.is_due(made_at, last.failing_since, busy, now):
        done.made = _attempt(done, Operation.BACKUP, lambda: _make(now), now)


def _make(now: datetime) -> Path:
    settings: Settings = current_app.extensions["settings"]
    folder = old_backups.scheduled_folder()
    if folder is None:
        raise BackupRefused("EVENTREG_BACKUPS is off", "off")
    if folder == backups.automatic():
        folder.mkdir(mode=0o700, exist_ok=True)  # any other may be a disk that is not mounted
    _require_room(folder, settings)
    recipient = settings.backup_recipient
    target = folder / names.name(Kind.SCHEDULED, now, is_encrypted=bool(recipient))
    backups.create(target, recipient)
    return target


def _require_room(folder: Path, settings: Settings) -> None:
    """``BackupRefused`` if the backup would fill the disk on which the database is."""
    if not folder.is_dir():
        raise BackupRefused(f"{folder}: no such folder", DiskFault.GONE)
    if folder.stat().st_dev != settings.instance.stat().st_dev:
        return
    found = os.statvfs(folder)
    size = 0
    if db.engine.dialect.name == "sqlite":
        size = Path(db.engine.url.database or "").stat().st_size
    if found.f_bavail * found.f_frsize - 2 * size < _LEAST_FREE:
        raise BackupRefused(f"{folder}: too little room is left on the disk", DiskFault.FULL)


def _thin_out(now: datetime) -> None:
    try:
        old_backups.thin_out(now=now)
    except OSError as error:
        current_app.logger.error("old backups were not deleted: %s", first_line(error))


def _copy(done: Done, now: datetime, *, is_new_place: bool) -> None:
    settings: Settings = current_app.extensions["settings"]
    place, found = settings.backup_copy, old_backups.scheduled()
    if place is None or not found:
        return
    last = _last(Operation.COPY)
    is_due = times.is_copy_due(found[-1].made, last.succeeded_at, last.failing_since, now)
    if is_due or is_new_place:
        done.copied = _attempt(
            done,
            Operation.COPY,
            lambda: second_place.copy(place, now=now, is_new_place=is_new_place),
            now,
        )


def _drill(done: Done, busy: list[BusyTime], now: datetime) -> None:
    last = _last(Operation.DRILL)
    if last.was_broken_off:
        clear_up()
    is_due = times.is_drill_due(last.succeeded_at, last.failing_since, busy, now)
    if is_due and old_backups.scheduled() and not _last(Operation.BACKUP).is_failing:
        done.drilled = _attempt(done, Operation.DRILL, lambda: drill(now=now), now)


def failing() -> list[Run]:
    """The operations that have failed and have not succeeded since. Only those that are set up."""
    settings: Settings = current_app.extensions["settings"]
    if settings.backups is None:
        return []
    watched = [Operation.BACKUP, Operation.DRILL]
    if settings.backup_copy is not None:
        watched.append(Operation.COPY)
    return [one for one in map(_last, watched) if one.is_failing]


def _busy_times(now: datetime) -> list[BusyTime]:
    """The days of the events that take place."""
    found = [
        times.busy_time(event.check_in_opens_at, event.starts_at, event.ends_at, event.timezone)
        for event in events.all_events(reading())
        if events.phase(event, now) is not Phase.CANCELLED
    ]
    reading().rollback()
    return found


def _last(operation: Operation) -> Run:
    found = operation_runs.last(reading(), operation)
    reading().rollback()
    return found


def _attempt(done: Done, operation: Operation, act: Callable[[], T], now: datetime) -> T | None:
    """Do it, and note how it ended. ``None`` if it failed."""
    _note(lambda session: operation_runs.started(session, operation, now=now))
    try:
        made = act()
    except Exception as error:
        code = _code_of(error)
        _note(lambda session: operation_runs.failed(session, operation, code, now=now))
        if code == _BUG:
            raise
        done.failed[operation] = first_line(error)
        current_app.logger.error("%s failed: %s: %s", operation, code, first_line(error))
        return None
    _note(lambda session: operation_runs.succeeded(session, operation, now=now))
    return made


_BUG = "unexpected"


def _code_of(error: Exception) -> str:
    is_of_database = isinstance(error, (Busy, sqlite3.Error, *AWAY))
    return faults.code_of(error, "database" if is_of_database else _BUG)


def _note(act: Callable[[Session], None]) -> None:
    """Write it down. If the database cannot be written, the age of the last backup tells it too."""
    with suppress(Busy, *AWAY):
        write(act)
    reading().rollback()
