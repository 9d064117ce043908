"""Whether this server can do its work. Each fault has a code that a monitor can read."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory
from flask import Flask, current_app
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from eventreg.core import deliveries, operation_runs
from eventreg.core.errors import Busy
from eventreg.core.operation_runs import Operation
from eventreg.settings.table import Settings
from eventreg.storage import checks
from eventreg.storage.session import reading, transaction

MEGABYTE = 1_000_000
DISK_NEEDED = 200
"""Megabytes that must be free where the database is."""
OLDEST_MAIL = timedelta(minutes=30)
"""A mail that no sender has tried for so long says that mails are stuck."""
OLDEST_BACKUP = timedelta(hours=26)
HIDDEN_FROM_GUESTS = frozenset({"outbox", "backup"})
"""Faults that a person must mend while guests can go on registering."""
_TOLD = {
    "starting": "the tables are being brought up to date",
    "stopping": "the server answers what it has received, and ends",
    "database": "nothing could be written to the database",
    "schema": "the tables are not those of this program",
    "disk": "{} MB are free, at least 200 MB are needed",
    "outbox": "the oldest mail has been waiting for {} minutes",
    "backup": "the last backup is {} hours old",
}
CODES = tuple(_TOLD)


@dataclass(frozen=True)
class Fault:
    """One reason why the server is not ready. ``amount`` is its number, if it has one: megabytes,
    minutes or hours."""

    code: str
    amount: int | None = None

    @property
    def detail(self) -> str:
        """What is wrong, for the operator."""
        if self.code == "backup" and self.amount is None:
            return "no backup has succeeded yet"
        return _TOLD[self.code].format(self.amount)


class _NotKept(Exception):
    """Ends the transaction that was only a try."""


def faults(app: Flask, now: datetime) -> list[Fault]:
    """Everything that keeps this server from being ready; empty if it is."""
    found = [Fault("stopping")] if app.extensions["is_stopping"]() else []
    with app.app_context():
        return [*found, *of_disk(free_megabytes()), *_of_database(now)]


def of_disk(free: int) -> Iterator[Fault]:
    """A fault if fewer than ``DISK_NEEDED`` megabytes are free."""
    if free < DISK_NEEDED:
        yield Fault("disk", free)


def free_megabytes() -> int:
    """The space that is free in the instance folder or beside the database file, whichever is
    less."""
    settings: Settings = current_app.extensions["settings"]
    places = {settings.instance}
    url = make_url(settings.database_url)
    if url.drivername == "sqlite" and url.database:
        places.add(Path(settings.instance, url.database).parent)
    return min((_free(place) for place in places), default=0)


def _free(place: Path) -> int:
    try:
        return shutil.disk_usage(place).free // MEGABYTE
    except OSError:  # the folder is gone
        return 0


def _of_database(now: datetime) -> Iterator[Fault]:
    try:
        found = _schema_after_a_write()
        ours = _head(current_app.extensions["migrate"].directory)
        if found != ours and not checks.has_usable_tables():
            yield Fault("schema")
            return
        yield from _of_outbox(now)
        yield from _of_backup(now)
    except (Busy, SQLAlchemyError):
        yield Fault("database")


def _schema_after_a_write() -> str | None:
    """Write something and take it back. Returns the schema that the tables have."""
    found: str | None = None
    with suppress(_NotKept), transaction() as session:
        found = session.scalar(text("SELECT version_num FROM alembic_version"))
        session.execute(text("UPDATE alembic_version SET version_num = version_num"))
        raise _NotKept
    return found


@cache
def _head(directory: str) -> str:
    """The schema that this program needs. It reads every migration, so it is kept."""
    return str(ScriptDirectory(directory).get_current_head())


def _of_outbox(now: datetime) -> Iterator[Fault]:
    if current_app.extensions["settings"].smtp_url:
        since = deliveries.oldest_owed(reading(), untried=True)
        if since is not None and now - since > OLDEST_MAIL:
            yield Fault("outbox", (now - since) // timedelta(minutes=1))


def _of_backup(now: datetime) -> Iterator[Fault]:
    if not current_app.extensions["settings"].backups:
        return
    run = operation_runs.last(reading(), Operation.BACKUP)
    if run.succeeded_at is None:
        if run.is_failing:
            yield Fault("backup")
    elif now - run.succeeded_at > OLDEST_BACKUP:
        yield Fault("backup", (now - run.succeeded_at) // timedelta(hours=1))
