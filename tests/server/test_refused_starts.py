"""A server that cannot start says why in one line, with exit code 1."""

import fcntl
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eventreg import serve
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.storage.session import reading
from tests.proofs.conftest import WHOLE
from tests.support.factories import SHIPPED, House
from tests.support.servers import refused

FIRST = "2026_11_22_first"


@pytest.fixture
def instance(folder: Path, tmp_path: Path) -> Path:
    """The instance folder of the server that is to be started, with empty tables."""
    made = tmp_path / "instance"
    made.mkdir()
    (folder / "eventreg.sqlite3").rename(made / "eventreg.sqlite3")
    return made


def refusal(tmp_path: Path) -> str:
    """Start a server that must refuse. Returns its only line."""
    said = refused(tmp_path / "instance")
    assert (said.returncode, said.stdout) == (1, ""), said
    assert len(said.stderr.splitlines()) == 1, said.stderr
    return str(said.stderr)


def _without_tables_yet(instance: Path) -> None:
    (instance / "eventreg.sqlite3").unlink()


@pytest.mark.parametrize("is_first", [True, False] if WHOLE else [False])
def test_a_start_behind_a_program_that_keeps_the_queue_is_refused(
    tmp_path: Path, instance: Path, is_first: bool
) -> None:
    if is_first:
        _without_tables_yet(instance)
    with (instance / "eventreg.sqlite3.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "busy" in refusal(tmp_path)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_start_without_a_lock_file_is_refused(
    tmp_path: Path, instance: Path, is_first: bool
) -> None:
    if is_first:
        _without_tables_yet(instance)
    (instance / "eventreg.sqlite3.lock").mkdir()
    said = refusal(tmp_path)
    assert "Is a directory" in said
    assert "eventreg.sqlite3.lock" in said


def test_a_start_that_cannot_back_up_before_an_upgrade_is_refused(
    tmp_path: Path, instance: Path
) -> None:
    with closing(sqlite3.connect(instance / "eventreg.sqlite3")) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", [FIRST])
        database.execute(
            "INSERT INTO event_seats (event_id, capacity, taken, waiting, held, edition,"
            " allowed_over) VALUES (99, 1, 0, 0, 0, 1, 0)"
        )
        database.commit()
    assert "the copy is damaged: ok, 1 orphan rows" in refusal(tmp_path)
    (instance / "backups").rmdir()
    (instance / "backups").touch()
    assert "backups: File exists" in refusal(tmp_path)


def test_a_start_on_tables_that_are_not_ours_is_refused(tmp_path: Path, instance: Path) -> None:
    with closing(sqlite3.connect(instance / "eventreg.sqlite3")) as database:
        database.execute("ALTER TABLE registrations RENAME TO other")
        database.commit()
    assert "no such table" in refusal(tmp_path)


def test_an_event_applied_while_a_server_starts_stays_as_it_is(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL nothing keeps ``event apply`` from running beside a start."""
    (tmp_path / "other").mkdir()
    here = House(tmp_path, EVENTREG_DATABASE_URL=database)
    other = House(tmp_path / "other", EVENTREG_DATABASE_URL=database)
    looks: list[Sequence[Event]] = []

    def look(session: Any) -> Sequence[Event]:
        looks.append(events_before(session))
        if len(looks) == 1:
            with other.app.app_context():
                other.apply(SHIPPED.read_text(encoding="utf-8").replace("= 50", "= 49"))
        return looks[-1]

    events_before = events.all_events
    monkeypatch.setattr(events, "all_events", look)
    assert serve.prepare(here.app)
    monkeypatch.undo()
    assert [len(found) for found in looks[:2]] == [0, 1]
    with here.app.app_context():
        assert [event.capacity for event in _all(here)] == [49]
    here.close()
    other.close()


def _all(house: House) -> list[Any]:
    found = [event.slug for event in events.all_events(reading())]
    return [house.seats(slug) for slug in found]
