"""Check whether the database is safe to use on this machine.

Each start and ``doctor`` check the database's settings, the schema and the secret key. Each start
also checks the file system, and ``doctor`` the file. The module also makes the tables and scrubs
the database's files.
"""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from flask_migrate import upgrade
from sqlalchemy import Connection, inspect, select, text

from eventreg import log
from eventreg.core.errors import Busy
from eventreg.core.models.registration import Registration
from eventreg.core.registration import tickets
from eventreg.storage import backups, fitting_programs, modes
from eventreg.storage.move import moved_tables
from eventreg.storage.session import PRAGMAS, SESSION, alone, db
from eventreg.storage.sqlite import soundness
from eventreg.storage.sqlite.sqlite_file import SqliteFile

_NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "ncpfs",
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "vboxsf",
    "drvfs",
}
_LAST_TICKET = (
    select(Registration.ticket_seed, Registration.ticket_digest)
    .order_by(Registration.id.desc())
    .limit(1)
)
_MUST_BE_ON = ("fsync", "full_page_writes")


class Unsafe(Exception):
    """The database is not safe to use: a confirmed seat could be lost. The text says why, in one
    line."""


def has_log_repair(version: Sequence[int]) -> bool:
    """Whether this SQLite has the repair of 2026 of its write-ahead log. Before it, writing and
    checkpointing at the same moment could damage the file."""
    v = tuple(version)
    return v >= (3, 51, 3) or (3, 50, 7) <= v < (3, 51) or (3, 44, 6) <= v < (3, 45)


def mode() -> str:
    """How writes are kept safe with this database, in one line."""
    if db.engine.dialect.name == "postgresql":
        return "PostgreSQL: READ COMMITTED, synchronous_commit on, row locks, lock_timeout 3s"
    if has_log_repair(sqlite3.sqlite_version_info):
        return f"SQLite {sqlite3.sqlite_version}: WAL, synchronous FULL, fair queue of writers"
    return (
        f"SQLite {sqlite3.sqlite_version}, older than the repair of its log: "
        "WAL, synchronous FULL, and all writes and checkpoints behind one file lock"
    )


def file_system(path: Path, mounts: str) -> str:
    """The type of the file system that holds a path, from the kernel's list of mounts."""
    best, kind = "", ""
    for line in filter(None, mounts.splitlines()):
        fields, _, rest = line.partition(" - ")
        point = fields.split()[4].replace("\\040", " ")
        if path.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, rest.split()[0]
    return kind


def check_file(path: Path, mounts: str) -> None:
    """``Unsafe`` if the SQLite file is on a network file system: locks may not work there between
    machines."""
    kind = file_system(path.resolve(), mounts)
    if kind in _NETWORK:
        raise Unsafe(
            f"EVENTREG_INSTANCE: {path.parent} is on a network file system ({kind}), "
            "whose locks SQLite cannot trust; use a local disk, or PostgreSQL"
        )


def wrong_settings() -> Iterator[str]:
    """Each setting of the database that is not as it must be, in one line."""
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "postgresql":
            wanted = {**dict.fromkeys(_MUST_BE_ON, "on"), **SESSION}
            for name, value in wanted.items():
                found = connection.execute(text(f"SHOW {name}")).scalar_one()
                if found != value:
                    yield f"PostgreSQL: {name} is {found}, and must be {value}"
            return
        kept: dict[str, str | int] = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        for name, right in kept.items():
            found = connection.execute(text(f"PRAGMA {name}")).scalar_one()
            if found != right:
                yield f"SQLite: {name} is {found}, and must be {PRAGMAS[name]}"


def can_lose_a_commit(connection: Connection) -> Iterator[str]:
    """Each setting of a PostgreSQL server with which a crash could lose a commit, in one line."""
    for name in (*_MUST_BE_ON, "synchronous_commit"):
        found = connection.execute(text(f"SHOW {name}")).scalar_one()
        if found != "on":
            yield f"PostgreSQL: {name} is {found}, and must be on"


def sqlite_damage() -> str:
    """What SQLite finds wrong with its file; empty if it is sound."""
    return soundness.damage(db.engine)


def lost_file() -> str:
    """What is wrong with the place of the SQLite file; empty if nothing is, or on PostgreSQL."""
    file: SqliteFile | None = current_app.extensions["sqlite_file"]
    return file.fault(db.engine) if file else ""


def left_over() -> Path | None:
    """The log of a replaced database file, if one is kept. It may hold people who are in no other
    file."""
    file: SqliteFile | None = current_app.extensions["sqlite_file"]
    return file.left_over if file and file.left_over.exists() else None


def has_column(table: str, column: str) -> bool:
    """Whether the database has this table with this column."""
    found = inspect(db.engine)
    return found.has_table(table) and column in {one["name"] for one in found.get_columns(table)}


_PATIENCE = 1000
"""Milliseconds that a scrub waits for readers. No one can write meanwhile."""


def scrub() -> bool:
    """Remove erased data from the database's files.

    SQLite overwrites deleted data (``secure_delete``), but its log still holds the old pages.
    PostgreSQL keeps old rows until a VACUUM.

    Returns whether it was done: the log cannot be cut while someone reads an older state. Raises
    ``Busy`` if the disk is full or the file is locked, and one of ``AWAY`` on PostgreSQL.
    """
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET statement_timeout = 0"))
            for table in db.metadata.sorted_tables:
                connection.execute(text(f"VACUUM {table.name}"))
            connection.invalidate()  # so that no one else gets a connection without a time limit
        return True
    with current_app.extensions["gate"](), db.engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        if driver is None:
            return False
        driver.execute(f"PRAGMA busy_timeout={_PATIENCE}")
        try:
            driver.execute("VACUUM")
            stopped, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as error:
            raise Busy from error
        finally:
            driver.execute(f"PRAGMA busy_timeout={PRAGMAS['busy_timeout']}")
    return not stopped


def schema() -> tuple[str | None, str]:
    """The schema that the tables have, and the one that this program needs."""
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    with db.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    return found, str(scripts.get_current_head())


def is_newer(found: str | None) -> bool:
    """Whether a version of this program that is newer than this one has made this schema."""
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    return found is not None and found not in {one.revision for one in scripts.walk_revisions()}


def has_usable_tables() -> bool:
    """Whether this program runs on the tables as they are: they are its own, or those of a newer
    version that says so."""
    found, ours = schema()
    if found == ours or not is_newer(found):
        return found == ours
    with db.engine.connect() as connection:
        return fitting_programs.has_program(connection, ours)


def check_schema() -> None:
    """``Unsafe`` if a newer version has made the tables, and this one does not run on them."""
    found, _ = schema()
    if is_newer(found) and not has_usable_tables():
        raise Unsafe(
            f"the database is of a newer eventreg ({found}); "
            "start that one, or restore an older backup"
        )


def make_tables(*, keep: bool = True) -> None:
    """Bring the tables up to date, one process at a time.

    ``keep`` makes a backup first; after a restore it is not needed. An upgrade that was interrupted
    is continued. Raises ``Unsafe``, ``Busy`` if another process holds the database too long, and
    ``BackupRefused``.
    """
    if has_usable_tables():
        return
    with alone():
        check_schema()
        if has_usable_tables():
            return
        found, head = schema()
        if keep and found is not None and found != head:
            backups.before_upgrade(found)
        upgrade()


def has_our_key() -> bool:
    """Whether the newest ticket was made with our secret key. True if there is none."""
    with db.engine.connect() as connection:
        last = connection.execute(_LAST_TICKET).first()
    key = current_app.config["SECRET_KEY"]
    return (
        last is None or tickets.digest(tickets.token(key, last.ticket_seed)) == last.ticket_digest
    )


def check_key() -> None:
    """Refuse or warn if the tickets were made with another secret key.

    On PostgreSQL, another machine has that key, and each would hand out links that the other does
    not know: ``Unsafe``. On SQLite the key was lost, which nothing can mend: a warning.
    """
    if has_our_key():
        return
    if db.engine.dialect.name == "postgresql":
        raise Unsafe(
            "EVENTREG_SECRET_KEY: the tickets in this database were made with another key; "
            "every machine needs that"
        )
    log.event(
        "other-secret-key",
        "the secret key is not the one of the tickets in the database: their links no longer open",
    )


def require_usable_database() -> None:
    """Close the instance's files to others. ``Unsafe`` if the server must not start on this
    database."""
    modes.close(current_app.extensions["settings"])
    file = db.engine.url.database if db.engine.dialect.name == "sqlite" else None
    mounts = Path("/proc/self/mountinfo")
    if file and mounts.exists():
        check_file(Path(file), mounts.read_text())
    if file is None and shutil.which("pg_dump") is None:
        log.event("no-pg-dump", "pg_dump is not installed: no backups can be made from here")
    check_schema()
    check_unmoved()
    for fault in wrong_settings():
        raise Unsafe(fault)


def check_unmoved() -> None:
    """``Unsafe`` if the data of this PostgreSQL database was moved to another. An SQLite file
    refuses to be opened by itself."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect() as connection:
            if where := moved_tables.target(connection):
                raise Unsafe(moved_tables.message(where))
