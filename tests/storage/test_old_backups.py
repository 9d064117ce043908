"""Automatic backups are deleted if they hold names whose retention period has ended, or are older
than the privacy page says. No other backup is."""

import os
import sqlite3
import zipfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from flask_migrate import downgrade
from sqlalchemy import text

from eventreg.storage import backups, checks, old_backups
from eventreg.storage.session import db, reading
from tests.support.factories import House, local, toml
from tests.support.pages import get

pytestmark = pytest.mark.both_databases
NAME = "慕容翠花"
ENDS = local("2030-06-10 11:00")


@pytest.fixture
def small(house: House) -> House:
    """One guest, an automatic backup of the day before, and the operator's own files."""
    house.apply(toml())
    house.hire()
    house.register(NAME)
    house.now = ENDS - timedelta(days=1)
    backups.keep("before-restore")
    folder = backups.automatic()
    for name in OWN:
        (folder / name).write_text("mine")
    return house


OWN = (
    "mine.zip",
    "before-the-day.zip",
    "before-restore-copy.zip",
    "before-restore-20300609T110000000000.zip.bak",
)


def automatic() -> list[str]:
    """The kinds of the automatic backups in the folder."""
    return sorted(
        path.name.rsplit("-", 1)[0]
        for path in backups.automatic().iterdir()
        if path.name not in OWN
    )


def of_backups(house: House) -> str:
    """The line of doctor about automatic backups."""
    lines: list[str] = house.run("doctor").output.splitlines()
    return next(line for line in lines if "automatic backups" in line)


def own_files_are_there() -> bool:
    """Whether the operator's own files are unchanged."""
    return all((backups.automatic() / name).read_text() == "mine" for name in OWN)


def test_an_event_that_is_purged_leaves_no_names_in_automatic_backups(small: House) -> None:
    small.now = ENDS + timedelta(days=7)
    assert small.run("purge").exit_code == 0
    assert automatic() == ["before-restore"], "it may hold names until all are erased"
    small.now = ENDS + timedelta(days=30)
    assert small.run("purge").exit_code == 0
    assert automatic() == ["after-purge"]
    (fresh,) = backups.automatic().glob("after-purge-*.zip")
    assert backups.verify(fresh).rows["registrations"] == 1
    with zipfile.ZipFile(fresh) as packed:
        inside = b"".join(packed.read(one) for one in packed.namelist())
    assert NAME.encode() not in inside
    assert own_files_are_there()
    assert of_backups(small).startswith("ok")
    small.now += timedelta(hours=1)
    small.run("purge")
    assert [path for path in backups.automatic().iterdir() if path.name not in OWN] == [fresh], (
        "no second backup is made"
    )


def test_a_purge_on_the_page_replaces_automatic_backups_too(small: House) -> None:
    small.now = ENDS + timedelta(days=30)
    olga = small.signed_in("olga")
    olga.post(
        "/staff/events/small/forget", data=get(olga, "/staff/events/small/forget").form().fields
    )
    assert automatic() == ["after-purge"]


def test_old_backups_stay_until_a_fresh_one_is_there(
    small: House, engine: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    small.now = ENDS + timedelta(days=30)
    orphan = (
        "INSERT INTO gifts (event_id, attendee_id, given_at, by_staff_id) "
        "VALUES (1, 999, '2030-06-10', 1)"
    )
    path = os.environ["PATH"]
    if engine == "sqlite":  # a damaged copy is refused as a backup
        reading().rollback()
        with closing(sqlite3.connect(small.settings.instance / "eventreg.sqlite3")) as shell:
            shell.execute(orphan)
            shell.commit()
    else:
        monkeypatch.setenv("PATH", "/nowhere")
    said = small.run("purge")
    assert said.exit_code == 1
    assert "no fresh backup could be made" in said.output
    assert "old automatic ones are kept" in caplog.text
    assert automatic() == ["before-restore"]
    assert reading().execute(text("SELECT name FROM attendees")).scalar_one() != NAME, (
        "the names are erased anyway"
    )
    assert of_backups(small).startswith("NO")
    if engine == "sqlite":
        with db.engine.begin() as connection:
            connection.execute(text("DELETE FROM gifts"))
    monkeypatch.setenv("PATH", path)
    assert small.run("purge").exit_code == 0, "the next hour"
    assert automatic() == ["after-purge"]
    assert of_backups(small).startswith("ok")


def test_automatic_backups_are_kept_for_as_long_as_the_privacy_page_says(small: House) -> None:
    small.apply(toml(more="[privacy]\nkeep_days = 365"))
    small.now += old_backups.KEPT
    assert small.run("purge").exit_code == 0
    assert automatic() == ["before-restore"]
    small.now += timedelta(seconds=1)
    assert of_backups(small).startswith("NO")
    assert small.run("purge").exit_code == 0
    assert automatic() == []
    assert own_files_are_there()
    days = str(old_backups.KEPT.days)
    assert days in get(small.client(), "/zh/privacy").text
    assert days in get(small.client(), "/en/privacy").text


def test_a_restore_leaves_no_backup_with_names_whose_retention_has_ended(
    small: House, tmp_path: Path
) -> None:
    file = str(tmp_path / "before.zip")
    assert small.run("backup", "create", file).exit_code == 0
    small.now = ENDS + timedelta(days=30)
    small.run("purge")
    small.now += timedelta(days=1)
    assert small.run("backup", "restore", file).exit_code == 0
    assert automatic() == ["after-purge"]
    assert of_backups(small).startswith("ok")


def test_restoring_an_older_schema_makes_no_automatic_backup_of_it(
    small: House, tmp_path: Path
) -> None:
    """Its tables are brought up to date without a backup, since they may hold erased names."""
    reading().rollback()
    downgrade(revision="2026_11_26_name_search")
    db.session.remove()
    backups.create(tmp_path / "older.zip")
    checks.make_tables()
    before = automatic()
    small.now += timedelta(seconds=1)
    restored = small.run("backup", "restore", str(tmp_path / "older.zip"))
    assert restored.exit_code == 0, restored.output
    assert automatic() == sorted([*before, "before-restore"])


def test_the_remains_of_a_killed_backup_are_deleted(small: House) -> None:
    for name, days in (("old", 2), ("new", 0)):
        folder = backups.automatic() / f"{backups.WORKSHOP}{name}"
        folder.mkdir()
        (folder / "database.sqlite3").write_text(NAME)
        made = folder.stat().st_mtime - days * 86_400
        os.utime(folder, (made, made))
    assert small.run("purge").exit_code == 0
    assert [path.name for path in backups.automatic().glob(f"{backups.WORKSHOP}*")] == [
        f"{backups.WORKSHOP}new"
    ]
