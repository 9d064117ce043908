"""Whether the database can keep our promises on this machine: where the file lies, which SQLite it
is, what PostgreSQL was told, and whether the tables are those of this program. Asked at the start,
and again by ``doctor``."""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from flask_migrate import upgrade
from sqlalchemy import inspect, select, text

from eventreg.core.errors import Busy
from eventreg.core.models.registration import Registration
from eventreg.core.registration import tickets
from eventreg.storage import backups, modes, sqlite_file
from eventreg.storage.session import PRAGMAS, SESSION, alone, db
from eventreg.storage.sqlite_file import SqliteFile

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
_KEPT_TRUE = ("fsync", "full_page_writes")


class Unsafe(Exception):
    """Starting here could cost somebody a seat; the text says why, in one line."""


def fixed_since(version: Sequence[int]) -> bool:
    """Whether this SQLite has the repair of its write-ahead log of 2026 (PROMISES 3.7)."""
    v = tuple(version)
    return v >= (3, 51, 3) or (3, 50, 7) <= v < (3, 51) or (3, 44, 6) <= v < (3, 45)


def mode() -> str:
    """How writes are kept safe here, in one line."""
    if db.engine.dialect.name == "postgresql":
        return "PostgreSQL: READ COMMITTED, synchronous_commit on, row locks, lock_timeout 3s"
    if fixed_since(sqlite3.sqlite_version_info):
        return f"SQLite {sqlite3.sqlite_version}: WAL, synchronous FULL, fair queue of writers"
    return (
        f"SQLite {sqlite3.sqlite_version}, older than the repair of its log: WAL, synchronous "
        "FULL, and all writes and "
        "checkpoints behind one file lock"
    )


def file_system(path: Path, mounts: str) -> str:
    """The kind of file system under a path, from the kernel's list of mounts."""
    best, kind = "", ""
    for line in filter(None, mounts.splitlines()):
        fields, _, rest = line.partition(" - ")
        point = fields.split()[4].replace("\\040", " ")
        if path.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, rest.split()[0]
    return kind


def check_file(path: Path, mounts: str) -> None:
    """``Unsafe`` for an SQLite file on a network file system, whose locks may not hold between
    machines."""
    kind = file_system(path.resolve(), mounts)
    if kind in _NETWORK:
        raise Unsafe(
            f"EVENTREG_INSTANCE: {path.parent} is on a network file system ({kind}), whose locks "
            "SQLite cannot trust; "
            "use a local disk, or PostgreSQL"
        )


def faults() -> Iterator[str]:
    """What the open database says that it should not; empty where all is well."""
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "postgresql":
            wanted = {**dict.fromkeys(_KEPT_TRUE, "on"), **SESSION}
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


def sqlite_damage() -> str:
    """What SQLite finds wrong with its own file; empty where it is sound."""
    return sqlite_file.damage(db.engine)


def lost_file() -> str:
    """What is wrong with the place of the SQLite file; empty where nothing is, or where there is no
    such file."""
    file: SqliteFile | None = current_app.extensions["sqlite_file"]
    return file.fault(db.engine) if file else ""


def left_over() -> Path | None:
    """The log of a database file that was replaced, if one is kept: it may hold people who are in
    no other file."""
    file: SqliteFile | None = current_app.extensions["sqlite_file"]
    return file.left_over if file and file.left_over.exists() else None


def has_column(table: str, column: str) -> bool:
    """Whether the database has such a table with such a column already."""
    found = inspect(db.engine)
    return found.has_table(table) and column in {one["name"] for one in found.get_columns(table)}


_PATIENCE = 1000
"""Milliseconds that a scrub waits for readers: meanwhile nobody can write."""


def scrub() -> bool:
    """After something was erased: leave it in no part of the database's files either. SQLite
    overwrites what is deleted (``secure_delete``), but its log still holds the pages as they were;
    PostgreSQL keeps old rows until it is told.

    Says whether all is done: the log cannot be cut while somebody still reads what was there
    before. ``Busy`` where it cannot be done now, since the disk is full or the file locked.
    """
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET statement_timeout = 0"))
            for table in db.metadata.sorted_tables:
                connection.execute(text(f"VACUUM {table.name}"))
            connection.invalidate()  # its time limit is not that of the others
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
    """Which state the tables are in, and which this program wants."""
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    with db.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    return found, str(scripts.get_current_head())


def check_schema() -> None:
    """``Unsafe`` for tables that a newer program has made."""
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    found, _ = schema()
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise Unsafe(
            f"the database is of a newer eventreg ({found}); start that one, or restore an older "
            "backup"
        )


def make_tables(*, keep: bool = True) -> None:
    """Bring the tables up to date, one process at a time; what is there is backed up first, unless
    it was just restored from a backup. An upgrade that was cut short is run again from where it
    was."""
    found, head = schema()
    if found == head:
        return
    with alone():
        check_schema()
        found, head = schema()
        if keep and found is not None and found != head:
            backups.before_upgrade(found)
        upgrade()


def knows_the_key() -> bool:
    """Whether our secret key is the one with which the tickets in the database were made; true
    where there are none."""
    with db.engine.connect() as connection:
        last = connection.execute(_LAST_TICKET).first()
    key = current_app.config["SECRET_KEY"]
    return (
        last is None or tickets.digest(tickets.token(key, last.ticket_seed)) == last.ticket_digest
    )


def check_key() -> None:
    """``Unsafe`` where the tickets were made with another key: on PostgreSQL, another machine has
    it, and the two would hand out links that the other does not know. On a file the key was lost,
    which is said and nothing more can be done about."""
    if knows_the_key():
        return
    if db.engine.dialect.name == "postgresql":
        raise Unsafe(
            "EVENTREG_SECRET_KEY: the tickets in this database were made with another key; every "
            "machine needs that"
        )
    current_app.logger.warning(
        "the secret key is not the one of the tickets in the database: their links no longer open"
    )


def check() -> None:
    """``Unsafe`` where this is no place to begin. What others on the machine could read is closed
    to them."""
    modes.close(current_app.extensions["settings"])
    file = db.engine.url.database if db.engine.dialect.name == "sqlite" else None
    mounts = Path("/proc/self/mountinfo")
    if file and mounts.exists():
        check_file(Path(file), mounts.read_text())
    if file is None and shutil.which("pg_dump") is None:
        current_app.logger.warning("pg_dump is not installed: no backups can be made from here")
    check_schema()
    for fault in faults():
        raise Unsafe(fault)
