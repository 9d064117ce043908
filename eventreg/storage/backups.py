"""Make, verify and restore backups of an SQLite or PostgreSQL database.

A backup is made while the server runs, is verified before it gets its name, and never replaces
another file. It is one zip file: the dump that the database's own tool writes, and a manifest with
checksum, schema and row counts. It may be encrypted.
"""

import errno
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from flask import current_app
from sqlalchemy import inspect

from eventreg.app_clock import current_time
from eventreg.core.backups import names
from eventreg.core.backups.faults import BackupRefused, DiskFault
from eventreg.core.backups.names import Kind
from eventreg.storage import dumps, encryption, last_backup
from eventreg.storage.session import db

_MANIFEST = "manifest.json"
_BODIES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
_VERSION_TABLE = "alembic_version"
WORKSHOP = ".backup-"
"""The first part of the name of a folder in which a backup is made."""


@dataclass(frozen=True)
class Manifest:
    """The description of a backup, inside it."""

    engine: str
    schema: str
    made_at: str
    sha256: str
    rows: dict[str, int]


def create(target: Path, recipient: str = "") -> Manifest:
    """Back up the running database into a new file. The file appears only when it is complete,
    verified and on the disk. With ``recipient``, an age public key, it is encrypted.

    Raises ``BackupRefused``, or ``OSError`` if the folder is full or cannot be written.
    """
    if target.exists():
        raise BackupRefused(f"{target}: exists already; a backup is never written over another")
    if not target.parent.is_dir():
        raise BackupRefused(f"{target.parent}: no such folder", DiskFault.GONE)
    with workshop(target.parent) as folder:
        whole = folder / "whole.zip"
        manifest = _pack(whole)
        _unpacked(whole, folder)
        if recipient:
            sealed = folder / "whole.age"
            encryption.encrypt(whole, sealed, recipient)
            whole = sealed
        whole.chmod(0o600)
        _sync(whole)
        os.link(whole, target)  # unlike a rename, it fails if the file exists by now
    _sync(target.parent)
    last_backup.note(manifest.made_at)
    return manifest


def _pack(whole: Path) -> Manifest:
    engine = db.engine.dialect.name
    body = whole.with_name(_BODIES[engine])
    schema, rows = dumps.make(body)
    made_at = current_time().isoformat(timespec="seconds")
    manifest = Manifest(engine, schema, made_at, _sha256(body), rows)
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=1))
        packed.write(body, body.name)
    body.unlink()
    return manifest


@contextmanager
def workshop(beside: Path) -> Iterator[Path]:
    """A private folder inside ``beside``, deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix=WORKSHOP, dir=beside) as folder:
        yield Path(folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def verify(source: Path, identity: Path | None = None) -> Manifest:
    """Check the checksum of a backup and, for SQLite, its soundness, schema and row counts; for
    PostgreSQL only whether ``pg_restore`` lists our tables. Raises as ``opened``."""
    with opened(source, identity) as (manifest, _):
        return manifest


@contextmanager
def opened(source: Path, identity: Path | None = None) -> Iterator[tuple[Manifest, Path]]:
    """The description and the dump of a backup that was checked; the dump is deleted afterwards.
    ``identity`` is the file with the private key of an encrypted one. Raises ``BackupRefused``, or
    ``OSError`` if there is no room for the dump."""
    with workshop(Path(tempfile.gettempdir())) as folder:
        if source.is_file() and encryption.is_encrypted(source):
            if identity is None:
                raise BackupRefused(
                    f"{source}: is encrypted; give the file of the age key with --identity",
                    "encrypted",
                )
            plain = folder / "plain.zip"
            encryption.decrypt(source, plain, identity)
            yield _unpacked(plain, folder)
        else:
            yield _unpacked(source, folder)


def _unpacked(source: Path, folder: Path) -> tuple[Manifest, Path]:
    try:
        with zipfile.ZipFile(source) as packed:
            manifest = Manifest(**json.loads(packed.read(_MANIFEST)))
            body = Path(packed.extract(_BODIES[manifest.engine], folder))
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise BackupRefused(
            f"{source}: is no whole backup of eventreg ({type(error).__name__})"
        ) from error
    if _sha256(body) != manifest.sha256:
        raise BackupRefused(f"{source}: the checksum is wrong")
    if manifest.engine == "sqlite":
        if dumps.read_sqlite(body) != (manifest.schema, manifest.rows):
            raise BackupRefused(f"{source}: holds other rows than its manifest says")
    elif not dumps.is_of_postgresql(body):
        raise BackupRefused(f"{source}: holds no tables of ours")
    return manifest, body


def restore(source: Path, identity: Path | None = None) -> Manifest:
    """Replace the content of the database with the backup. The old content is backed up first.

    Raises as ``opened``. The old content then still stands, unless the restored rows differ from
    the backup. The caller ends all sessions and erases again who was erased since.
    """
    with opened(source, identity) as (manifest, body):
        if manifest.engine != (engine := db.engine.dialect.name):
            raise BackupRefused(
                f"{source}: is a backup of {manifest.engine}, and this database is {engine}"
            )
        dumps.make_room()
        if inspect(db.engine).has_table(_VERSION_TABLE):
            keep(Kind.BEFORE_RESTORE)
        db.session.remove()
        db.engine.dispose()
        dumps.load(body)
        _compare(manifest)
    return manifest


def _compare(manifest: Manifest) -> None:
    if dumps.count_rows() != manifest.rows:
        raise BackupRefused(
            "the restored database holds other rows than the backup; it is not to be used", "counts"
        )


def before_upgrade(schema: str) -> None:
    """Make an automatic backup before a migration from this schema."""
    keep(f"{Kind.BEFORE_UPGRADE}-{schema}")


def automatic() -> Path:
    """The folder of the backups that the program makes before and after it changes much."""
    return Path(current_app.instance_path) / "backups"


def keep(kind: str) -> None:
    """Make such a backup; raises as ``create``. It stays on this machine, beside the database, so
    it is not encrypted: an upgrade that fails takes it back by itself."""
    automatic().mkdir(mode=0o700, exist_ok=True)
    create(automatic() / names.name(kind, current_time()))
