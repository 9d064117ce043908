"""An older copy takes the place of the database file while a server runs. No one gets a ticket
that is in no file."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from eventreg.core.models.event import Event
from eventreg.storage.session import db, reading, transaction
from tests.server.test_server import ask, hidden
from tests.storage.live_file import KEY, REGISTER, book, command, copy_of, log_of, people_in
from tests.support.factories import House
from tests.support.servers import refused, running


def test_no_ticket_comes_from_an_older_copy_in_the_place_of_the_file(
    place: Path,
) -> None:
    """``cp eventreg.sqlite3 x; mv x eventreg.sqlite3``: the last acts are only in the log."""
    file, older = place / "eventreg.sqlite3", place.parent / "older.sqlite3"
    backup = place.parent / "kept.zip"
    with running(place, **KEY) as one, running(place, **KEY) as other:
        form = hidden(ask(one, "GET", REGISTER)[2])
        tickets = [book(one, form, number)[1]["Location"] for number in range(3)]
        assert command(place, "backup", "create", str(backup)).returncode == 0
        whole = copy_of(place, place.parent / "whole.sqlite3")
        shutil.copy(file, older)
        older.replace(file)
        for number in range(10, 20):
            status, headers, page = book((one, other)[number % 2], form, number)
            assert (status, headers.get("Retry-After")) == (503, "5"), "nothing is promised"
            assert "tel:+8657487654321" in page, "the page for trouble says whom to call"
        assert ask(one, "GET", tickets[0])[0] == 503, (
            "no one is told that the ticket does not exist"
        )
        doctor = command(place, "doctor")
        assert doctor.returncode == 1
        assert "which lacks the last 3 acts" in doctor.stdout
        assert command(place, "event", "list").returncode == 1
        whole.replace(file)
        assert book(one, form, 30)[0] == book(other, form, 31)[0] == 303
        assert ask(one, "GET", tickets[0])[0] == 200
        shutil.copy(file, older)
        older.replace(file)
        assert book(one, form, 40)[0] == 503
        restored = command(place, "backup", "restore", str(backup))
        assert restored.returncode == 0, restored.stderr
        assert book(one, form, 50)[0] == book(other, form, 51)[0] == 303
        assert "NO database: no log of a file that was replaced" in command(place, "doctor").stdout
    assert people_in(file) == {f"王{number}号" for number in (0, 1, 2, 50, 51)}
    assert "was replaced by an older one" in log_of(place)


def test_a_start_on_an_older_copy_is_refused_until_the_operator_accepts_it(
    place: Path,
) -> None:
    file, older = place / "eventreg.sqlite3", place.parent / "older.sqlite3"
    copy_of(place, older)
    with running(place, **KEY) as server:
        assert book(server, hidden(ask(server, "GET", REGISTER)[2]), 1)[0] == 303
    older.replace(file)
    started = refused(place, **KEY)
    assert (started.returncode, len(started.stderr.splitlines())) == (1, 1), started
    assert "was replaced by an older one, which lacks the last" in started.stderr
    (place / "in-use-eventreg.sqlite3.txt").unlink()
    with running(place, **KEY) as server:
        assert book(server, hidden(ask(server, "GET", REGISTER)[2]), 2)[0] == 303


def write_over(file: Path, source: Path) -> None:
    """Write other content into the same file, as ``cp`` does."""
    with file.open("r+b") as over:
        over.truncate(0)
        over.write(source.read_bytes())


def log_into_file() -> None:
    """Write the content of the log into the file."""
    reading().rollback()
    with db.engine.connect() as connection:
        connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]


def change(number: int) -> None:
    """An act that changes one page of the file, so that the file stays sound."""
    with transaction() as session:
        session.execute(update(Event).values(held_seats=number))


@pytest.mark.parametrize("has_a_log", [False, True], ids=["all in the file", "some in the log"])
def test_a_file_that_was_written_over_with_an_older_copy_is_not_used(
    place: Path, has_a_log: bool
) -> None:
    file, older = place / "eventreg.sqlite3", place.parent / "older.sqlite3"
    house = House(place)
    with house.app.app_context():
        house.register("张桂芳")
        log_into_file()
        shutil.copy(file, older)
        change(3)
        log_into_file()
        house.register("赵六")  # passes the gate once more, so that the ledger is up to date
        right = copy_of(place, place.parent / "right.sqlite3")
        if not has_a_log:
            log_into_file()
        write_over(file, older)
        for _ in range(3):
            with pytest.raises(OperationalError, match="was replaced by an older one"):
                house.register("李四")
    house.close()
    right.replace(file)
    later = House(place)
    with later.app.app_context():
        later.register("李四")
    later.close()
    assert people_in(file) == {"张桂芳", "赵六", "李四"}


def test_no_ticket_comes_after_an_older_copy_was_restored_with_the_sqlite_shell(
    place: Path,
) -> None:
    """``.restore`` writes through the log: it is the same file in the same place, with older
    content."""
    file, older = place / "eventreg.sqlite3", place.parent / "older.sqlite3"
    with running(place, **KEY) as one, running(place, **KEY) as other:
        form = hidden(ask(one, "GET", REGISTER)[2])
        backup = place.parent / "kept.zip"
        assert book(one, form, 1)[0] == 303
        assert command(place, "backup", "create", str(backup)).returncode == 0
        copy_of(place, older)
        assert book(one, form, 2)[0] == 303
        with closing(sqlite3.connect(older)) as copy, closing(sqlite3.connect(file)) as live:
            copy.backup(live)
        assert book(one, form, 10)[0] == book(other, form, 11)[0] == 503
        doctor = command(place, "doctor")
        assert (doctor.returncode, "lacks the last" in doctor.stdout) == (1, True)
        assert command(place, "backup", "restore", str(backup)).returncode == 0
        assert book(other, form, 20)[0] == 303
    assert people_in(file) == {"王1号", "王20号"}


def test_another_program_may_write_the_log_into_the_file(place: Path) -> None:
    """The SQLite shell does so if it is the last to close, and so do replication programs."""
    file = place / "eventreg.sqlite3"
    house = House(place)
    with house.app.app_context():
        house.register("张桂芳")
        reading().rollback()  # who reads keeps the log
        with closing(sqlite3.connect(file)) as shell:
            assert shell.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        house.register("李四")
    house.close()
    assert people_in(file) == {"张桂芳", "李四"}
