"""Make, verify and restore backups of an SQLite or PostgreSQL database.

A backup is made while the server runs, is verified before it gets its name, and never replaces
another file. It is one zip file: the dump that the database's own tool writes, and a manifest with
checksum, schema and row counts.
"""

import hashlib
import json
import os
import sqlite3
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC
from pathlib import Path

from flask import current_app
from sqlalchemy import URL, Connection, inspect, text

from eventreg.app_clock import current_time
from eventreg.storage import last_backup
from eventreg.storage.session import db
from eventreg.storage.sqlite_file import SqliteFile

_MANIFEST = "manifest.json"
_BODIES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
_VERSION_TABLE = "alembic_version"
WORKSHOP = ".backup-"
"""The first part of the name of a folder in which a backup is made."""


class BackupRefused(Exception):
    """A backup was not made, is damaged, or was not restored. The text says why, in one line."""


@dataclass(frozen=True)
class Manifest:
    """The description of a backup, inside it."""

    engine: str
    schema: str
    made_at: str
    sha256: str
    rows: dict[str, int]


def create(target: Path) -> Manifest:
    """Back up the running database into a new file. The file appears only when it is complete,
    verified and on the disk. Raises ``BackupRefused``, or ``OSError`` if the disk is full."""
    if target.exists():
        raise BackupRefused(f"{target}: exists already; a backup is never written over another")
    if not target.parent.is_dir():
        raise BackupRefused(f"{target.parent}: no such folder")
    with workshop(target.parent) as folder:
        engine = db.engine.dialect.name
        body = folder / _BODIES[engine]
        schema, rows = _dump_sqlite(body) if engine == "sqlite" else _dump_postgresql(body)
        made_at = current_time().isoformat(timespec="seconds")
        manifest = Manifest(engine, schema, made_at, _sha256(body), rows)
        whole = folder / "whole.zip"
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            packed.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=1))
            packed.write(body, body.name)
        verify(whole)
        whole.chmod(0o600)
        _sync(whole)
        os.link(whole, target)  # unlike a rename, it fails if the file exists by now
    _sync(target.parent)
    last_backup.note(made_at)
    return manifest


@contextmanager
def workshop(beside: Path) -> Iterator[Path]:
    """A private folder inside ``beside``, deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix=WORKSHOP, dir=beside) as folder:
        yield Path(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file() -> SqliteFile:
    file: SqliteFile = current_app.extensions["sqlite_file"]
    return file


def _dump_sqlite(body: Path) -> tuple[str, dict[str, int]]:
    """Copy with SQLite's own function, at the gate, so that no one writes meanwhile."""
    gate = current_app.extensions["gate"]
    with gate(), closing(_file().open()) as live, closing(sqlite3.connect(body)) as copy:
        live.backup(copy)
    return _read_sqlite(body)


def _read_sqlite(body: Path) -> tuple[str, dict[str, int]]:
    """The schema and row counts of a copy. Raises ``BackupRefused`` if it is damaged."""
    with closing(sqlite3.connect(f"file:{body}?mode=ro&immutable=1", uri=True)) as copy:
        try:
            sound = [row[0] for row in copy.execute("PRAGMA integrity_check")]
            orphans = copy.execute("PRAGMA foreign_key_check").fetchall()
            if sound != ["ok"] or orphans:
                raise BackupRefused(
                    f"the copy is damaged: {'; '.join(sound)}, {len(orphans)} orphan rows"
                )
            tables = [
                row[0]
                for row in copy.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
                )
            ]
            rows = {
                table: copy.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608 - our tables
                for table in tables
                if not table.startswith("sqlite_")
            }
            return copy.execute("SELECT version_num FROM alembic_version").fetchone()[0], rows
        except sqlite3.DatabaseError as error:
            raise BackupRefused(f"the copy is damaged: {error}") from error


def _dump_postgresql(body: Path) -> tuple[str, dict[str, int]]:
    """Dump in pg_dump's own format. The rows are counted in the same snapshot."""
    with db.engine.connect() as connection:
        connection.execute(
            text(
                "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0"
            )
        )
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        _tool(
            "pg_dump",
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            f"--file={body}",
        )
        schema = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        return schema, _rows(connection)


def _rows(connection: Connection) -> dict[str, int]:
    tables = sorted(inspect(connection).get_table_names())
    counts = [text(f'SELECT count(*) FROM "{name}"') for name in tables]  # noqa: S608 - our tables
    return {
        name: connection.execute(count).scalar_one()
        for name, count in zip(tables, counts, strict=True)
    }


def _tool(program: str, *arguments: str, url: URL | None = None) -> str:
    """Run one of PostgreSQL's programs on our database. The password is passed in the environment,
    so that no list of processes shows it."""
    url = (url or db.engine.url).set(drivername="postgresql")
    environment = {**os.environ, "PGPASSWORD": url.password or ""}
    target = () if program == "pg_restore" else ("--dbname", _bare(url))
    try:
        done = subprocess.run(  # noqa: S603 - no shell, our own arguments
            [program, *arguments, *target],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as missing:
        raise BackupRefused(
            f"{program} is not installed; it comes with PostgreSQL's client programs"
        ) from missing
    if done.returncode:
        raise BackupRefused(f"{program}: {(done.stderr.strip().splitlines() or ['failed'])[0]}")
    return done.stdout


def _bare(url: URL) -> str:
    return url._replace(password=None).render_as_string(hide_password=False)


def verify(source: Path) -> Manifest:
    """Check the checksum of a backup and, for SQLite, its soundness, schema and row counts; for
    PostgreSQL only whether ``pg_restore`` lists our tables. Raises ``BackupRefused``."""
    with workshop(Path(tempfile.gettempdir())) as folder:
        return _unpacked(source, folder)[0]


def _unpacked(source: Path, folder: Path) -> tuple[Manifest, Path]:
    try:
        with zipfile.ZipFile(source) as packed:
            manifest = Manifest(**json.loads(packed.read(_MANIFEST)))
            body = Path(packed.extract(_BODIES[manifest.engine], folder))
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise BackupRefused(
            f"{source}: is no whole backup of eventreg ({type(error).__name__})"
        ) from error
    if _sha256(body) != manifest.sha256:
        raise BackupRefused(f"{source}: the checksum is wrong")
    if manifest.engine == "sqlite":
        if _read_sqlite(body) != (manifest.schema, manifest.rows):
            raise BackupRefused(f"{source}: holds other rows than its manifest says")
    elif "alembic_version" not in _tool("pg_restore", "--list", str(body)):
        raise BackupRefused(f"{source}: holds no tables of ours")
    return manifest, body


def restore(source: Path) -> Manifest:
    """Replace the content of the database with the backup. The old content is backed up first.

    Raises ``BackupRefused``. The old content then still stands, unless the restored rows differ
    from the backup. The caller ends all sessions and erases again who was erased since.
    """
    engine = db.engine.dialect.name
    with workshop(Path(tempfile.gettempdir())) as folder:
        manifest, body = _unpacked(source, folder)
        if manifest.engine != engine:
            raise BackupRefused(
                f"{source}: is a backup of {manifest.engine}, and this database is {engine}"
            )
        if engine == "sqlite":
            _file().make(anew=True)
        if inspect(db.engine).has_table(_VERSION_TABLE):
            keep("before-restore")
        db.session.remove()
        db.engine.dispose()
        if engine == "sqlite":
            _restore_sqlite(body)
        else:
            _restore_postgresql(body, folder / "restore.sql")
        _compare(manifest)
    return manifest


def _restore_sqlite(body: Path) -> None:
    """Copy into the live file as one transaction, so that a running server goes on with the
    restored state."""
    with current_app.extensions["gate"](), closing(_file().open()) as live:
        live.execute("PRAGMA synchronous=FULL")
        with closing(sqlite3.connect(body)) as copy:
            copy.backup(live)
        _file().restored(live)


def _restore_postgresql(body: Path, script: Path) -> None:
    """In one transaction, drop every table and load the dump. Tables that an older backup does not
    know are dropped too."""
    with db.engine.connect() as connection:
        inspector = inspect(connection)
        quote = connection.dialect.identifier_preparer.quote
        schema = quote(inspector.default_schema_name or "public")
        tables = [f"{schema}.{quote(name)}" for name in inspector.get_table_names()]
    db.engine.dispose()
    with script.open("w", encoding="utf-8") as file:
        file.writelines(f"DROP TABLE IF EXISTS {table} CASCADE;\n" for table in tables)
        file.write(_tool("pg_restore", "--no-owner", "--file=-", str(body)))
    _tool(
        "psql",
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        f"--file={script}",
    )


def _compare(manifest: Manifest) -> None:
    with db.engine.connect() as connection:
        rows = _rows(connection)
    if rows != manifest.rows:
        raise BackupRefused(
            "the restored database holds other rows than the backup; it is not to be used"
        )


def before_upgrade(schema: str) -> None:
    """Make an automatic backup before a migration from this schema."""
    keep(f"before-upgrade-{schema}")


def automatic() -> Path:
    """The folder of automatic backups."""
    return Path(current_app.instance_path) / "backups"


def keep(name: str) -> None:
    """Make an automatic backup; raises as ``create``. ``old_backups`` reads its age in its name."""
    automatic().mkdir(mode=0o700, exist_ok=True)
    create(automatic() / f"{name}-{current_time().astimezone(UTC):%Y%m%dT%H%M%S%f}.zip")
