"""Backups of both databases are made, verified and restored, and wrong ones are refused."""

import hashlib
import json
import os
import zipfile
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import make_url

from eventreg.core import invariants
from eventreg.core.backups.faults import BackupRefused
from eventreg.storage import backups, postgresql_tools
from eventreg.storage.session import reading
from tests.support.factories import House, toml
from tests.support.pages import get

pytestmark = pytest.mark.both_databases


def test_a_restore_gives_the_state_of_the_backup(small: House, tmp_path: Path) -> None:
    file = tmp_path / "before.zip"
    made = small.run("backup", "create", str(file))
    assert made.exit_code == 0, made.output
    assert "3 registrations" in made.output
    assert "secret key" in made.output
    assert small.run("backup", "verify", str(file)).exit_code == 0
    small.cancel(1)
    small.register("赵一", waitlist=True)
    restored = small.run("backup", "restore", str(file))
    assert restored.exit_code == 0, restored.output
    found = invariants.of_event(reading(), small.event(), now=small.now)
    assert (found.confirmed, found.waiting, found.holds) == (2, 1, True)
    kept = list((small.settings.instance / "backups").glob("before-restore-*.zip"))
    assert len(kept) == 1
    assert backups.verify(kept[0]).rows["registrations"] == 4
    small.cancel(1)  # the restored event can be used
    assert invariants.of_event(reading(), small.event(), now=small.now).holds


def test_after_a_restore_the_pages_show_the_restored_event(small: House, tmp_path: Path) -> None:
    file = tmp_path / "before.zip"
    backups.create(file)
    guest, address = small.client(), "/en/events/small"
    small.apply(toml(capacity=9))
    assert "Seats are available" in get(guest, address).text
    reading().rollback()
    backups.restore(file)
    assert "All seats are taken" in get(guest, address).text
    assert "2 seats" in get(guest, address).text, "with the text of that time"


def test_a_backup_is_never_written_over_another(small: House, tmp_path: Path) -> None:
    file = tmp_path / "kept.zip"
    file.write_text("mine")
    refused = small.run("backup", "create", str(file))
    assert (refused.exit_code, file.read_text()) == (1, "mine")
    assert "exists already" in refused.output
    assert small.run("backup", "create", str(tmp_path / "nowhere" / "x.zip")).exit_code == 1
    assert not list(tmp_path.glob(".backup-*"))


def test_no_list_of_processes_shows_the_password_of_postgresql() -> None:
    shown = postgresql_tools._bare(make_url("postgresql://eventreg:secret@db.internal/eventreg"))
    assert shown == "postgresql://eventreg@db.internal/eventreg"


def spoil(file: Path, change: dict[str, Any] | None = None, body: bytes | None = None) -> None:
    """Make a backup wrong."""
    with zipfile.ZipFile(file) as packed:
        inside = {name: packed.read(name) for name in packed.namelist()}
    manifest = {**json.loads(inside["manifest.json"]), **(change or {})}
    name = next(name for name in inside if name != "manifest.json")
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("manifest.json", json.dumps(manifest))
        packed.writestr(name, inside[name] if body is None else body)


@pytest.mark.parametrize("wrong", ["no zip", "cut", "checksum", "other engine", "missing"])
def test_a_damaged_backup_is_refused_and_nothing_is_restored(
    small: House, tmp_path: Path, wrong: str
) -> None:
    file = tmp_path / "before.zip"
    backups.create(file)
    match wrong:
        case "no zip":
            file.write_bytes(b"x")
        case "cut":
            os.truncate(file, file.stat().st_size // 2)
        case "checksum":
            spoil(file, body=b"something else")
        case "other engine":
            spoil(file, {"engine": "oracle"})
        case "missing":
            file.unlink()
    assert small.run("backup", "verify", str(file)).exit_code == 1
    refused = small.run("backup", "restore", str(file))
    assert refused.exit_code == 1
    assert len(refused.output.strip().splitlines()) == 1
    assert small.seats().taken == 2


def test_a_backup_of_the_other_database_is_refused(
    small: House, tmp_path: Path, engine: str
) -> None:
    file = tmp_path / "before.zip"
    backups.create(file)
    other = "postgresql" if engine == "sqlite" else "sqlite"
    with pytest.raises(BackupRefused):
        spoil(file, {"engine": other})
        backups.restore(file)


def test_a_damaged_sqlite_copy_is_refused(small: House, tmp_path: Path, engine: str) -> None:
    if engine != "sqlite":
        return
    file = tmp_path / "before.zip"
    backups.create(file)
    with zipfile.ZipFile(file) as packed:
        body = bytearray(packed.read("database.sqlite3"))
    body[100:900] = b"\xff" * 800
    spoil(file, {"sha256": hashlib.sha256(body).hexdigest()}, bytes(body))
    with pytest.raises(BackupRefused, match=r"damaged|other rows"):
        backups.verify(file)


def test_a_backup_does_not_wait_for_writers_nor_they_for_it(
    small: House, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer is inside the gate all the time. What had to pass it would be refused."""
    gate = small.app.extensions["gate"]
    monkeypatch.setattr(gate, "_patience", 0.1)
    entered, leave = Event(), Event()

    def write_for_long() -> None:
        with gate():
            entered.set()
            leave.wait(60)

    writer = Thread(target=write_for_long)
    writer.start()
    entered.wait(60)
    try:
        assert backups.create(tmp_path / "meanwhile.zip").rows["registrations"] == 3
    finally:
        leave.set()
        writer.join()
