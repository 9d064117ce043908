"""The database file is deleted, replaced or written over while a server runs. No one gets a ticket
that is in no file."""

import http.client
import shutil
import sqlite3
import subprocess
import sys
import urllib.parse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event as ThreadEvent

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from eventreg.core.models.event import Event
from eventreg.storage.session import db, reading, transaction
from tests.server.test_server import ask, hidden
from tests.support.factories import ROOT, SECRET, House, bare_environment, toml
from tests.support.servers import Server, free_port, running
from tests.support.tokens import another

REGISTER = "/zh/events/small/register"
KEY = {"EVENTREG_SECRET_KEY": SECRET}


@pytest.fixture
def place(tmp_path: Path, migrated: Path) -> Path:
    """An instance folder with an event of 500 seats."""
    folder = tmp_path / "instance"
    folder.mkdir()
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=500))
    house.close()
    return folder


def copy_of(place: Path, to: Path) -> Path:
    """A sound copy of the database as it is now."""
    with (
        closing(sqlite3.connect(place / "eventreg.sqlite3")) as live,
        closing(sqlite3.connect(to)) as copy,
    ):
        live.backup(copy)
    return to


def people_in(file: Path) -> set[str]:
    """The names in the file, as another program reads them."""
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {row[0] for row in database.execute("SELECT name FROM attendees")}


def book(server: Server, form: dict[str, str], number: int) -> tuple[int, dict[str, str], str]:
    """Register one person. Returns status, headers and page."""
    typed = {"name": f"王{number}号", "phone": f"138{number:08d}", "confirmed": "yes"}
    place = urllib.parse.urlsplit(server.address)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request(
        "POST", REGISTER, urllib.parse.urlencode({**another(form, number), **typed}), kind
    )
    answer = connection.getresponse()
    said = answer.status, dict(answer.headers), answer.read().decode()
    connection.close()
    return said


def log_of(place: Path) -> str:
    """The logs of all servers on this folder."""
    return "".join(file.read_text() for file in place.parent.glob("*.log"))


def command(place: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a process of its own, beside the server."""
    return subprocess.run(
        [Path(sys.executable).with_name("flask"), "--app", "wsgi", *words],
        cwd=ROOT,
        env=bare_environment(EVENTREG_INSTANCE=str(place), **KEY),
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_one_gets_a_ticket_from_a_deleted_file(place: Path) -> None:
    file = place / "eventreg.sqlite3"
    with running(place, **KEY) as one, running(place, **KEY) as other:
        form = hidden(ask(one, "GET", REGISTER)[2])
        for number, server in enumerate((one, other, one, other)):
            assert book(server, form, number)[0] == 303
        copy = copy_of(place, place.parent / "copy.sqlite3")
        file.unlink()
        for number in range(4, 12):
            status, headers, page = book((one, other)[number % 2], form, number)
            assert (status, headers.get("Retry-After")) == (503, "5"), "nothing is promised"
            assert 'data-page="error"' in page
            assert "tel:+8657487654321" in page, "the page for trouble says whom to call"
        assert ask(one, "GET", "/zh/events/small")[0] == 503, "the event page is refused too"
        doctor = command(place, "doctor")
        assert doctor.returncode == 1
        assert (
            "NO database: file is the one that was last written to (the database file is gone"
            in doctor.stdout
        )
        for words in (["event", "list"], ["backup", "create", str(place.parent / "x.zip")]):
            said = command(place, *words)
            assert (said.returncode, "the database file is gone" in said.stderr) == (1, True), said
            assert len(said.stderr.splitlines()) == 1
        assert not file.exists(), "no program makes an empty file in its place"
        shutil.copy(copy, file)
        assert book(one, form, 12)[0] == book(other, form, 13)[0] == 303
    assert people_in(file) == {f"王{number}号" for number in (0, 1, 2, 3, 12, 13)}
    assert "the database file is gone" in log_of(place)


def test_a_start_without_the_file_is_refused_in_one_line_until_a_restore(
    place: Path,
) -> None:
    backup = place.parent / "kept.zip"
    with running(place, **KEY):
        assert command(place, "backup", "create", str(backup)).returncode == 0
    for file in place.glob("eventreg.sqlite3*"):
        file.unlink()
    started = subprocess.run(
        [sys.executable, "-m", "eventreg.serve"],
        cwd=ROOT,
        env=bare_environment(EVENTREG_INSTANCE=str(place), PORT=str(free_port()), **KEY),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (started.returncode, len(started.stderr.splitlines())) == (1, 1), started
    assert "the database file is gone" in started.stderr
    restored = command(place, "backup", "restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    with running(place, **KEY) as server:
        assert book(server, hidden(ask(server, "GET", REGISTER)[2]), 1)[0] == 303


def rushing(
    servers: tuple[Server, ...], form: dict[str, str], meanwhile: Callable[[], None]
) -> dict[int, str]:
    """Register 120 people, and call ``meanwhile`` in the middle. Returns the tickets."""
    begun, tickets = ThreadEvent(), {}

    def one(number: int) -> None:
        status, headers, _ = book(servers[number % len(servers)], form, number)
        assert status in {303, 503}
        if status == 303:
            tickets[number] = headers["Location"]
        if number > 30:
            begun.set()

    with ThreadPoolExecutor(9) as crowd:
        done = [crowd.submit(one, number) for number in range(120)]
        begun.wait(20)
        meanwhile()
        for each in done:
            each.result()
    return tickets


@pytest.mark.parametrize("endings", [["-wal"], ["-wal", "-shm"]], ids=["log", "log and its index"])
def test_every_ticket_survives_the_deletion_of_the_log(place: Path, endings: list[str]) -> None:
    def delete() -> None:
        for ending in endings:
            Path(f"{place / 'eventreg.sqlite3'}{ending}").unlink()

    with running(place, **KEY) as one, running(place, **KEY) as other:
        form = hidden(ask(one, "GET", REGISTER)[2])
        tickets = rushing((one, other), form, delete)
        assert len(tickets) > 30
        late = {
            number
            for number in range(200, 220)
            if book((one, other)[number % 2], form, number)[0] == 303
        }
        assert len(late) > 10, "the servers register people again"
        assert all(ask(other, "GET", ticket)[0] == 200 for ticket in tickets.values())
    assert {f"王{number}号" for number in {*tickets, *late}} <= people_in(
        place / "eventreg.sqlite3"
    )
    assert "the log of the database was removed under us" in log_of(place)


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
    started = subprocess.run(
        [sys.executable, "-m", "eventreg.serve"],
        cwd=ROOT,
        env=bare_environment(EVENTREG_INSTANCE=str(place), PORT=str(free_port()), **KEY),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (started.returncode, len(started.stderr.splitlines())) == (1, 1), started
    assert "was replaced by an older one, which lacks the last" in started.stderr
    (place / "in-use-eventreg.sqlite3.txt").unlink()
    with running(place, **KEY) as server:
        assert book(server, hidden(ask(server, "GET", REGISTER)[2]), 2)[0] == 303


def test_while_the_folder_is_moved_away_there_is_no_ticket_and_no_traceback(
    place: Path,
) -> None:
    away = place.with_name("away")
    with running(place, **KEY) as server:
        form = hidden(ask(server, "GET", REGISTER)[2])
        assert book(server, form, 1)[0] == 303
        place.rename(away)
        for number in range(2, 8):
            status, _, page = book(server, form, number)
            assert status == 503
            assert 'data-page="error"' in page
        away.rename(place)
        assert book(server, form, 20)[0] == 303
    assert people_in(place / "eventreg.sqlite3") == {"王1号", "王20号"}
    assert "Traceback" not in log_of(place)


@pytest.mark.parametrize("other", ["empty", "foreign", "noise"])
def test_a_file_that_is_not_ours_is_never_written(place: Path, other: str) -> None:
    file, strange = place / "eventreg.sqlite3", place.parent / "strange"
    if other == "foreign":
        with closing(sqlite3.connect(strange)) as database:
            database.execute("CREATE TABLE x (y)")
    else:
        strange.write_bytes(b"" if other == "empty" else b"noise " * 3000)
    before = strange.read_bytes()
    with running(place, **KEY) as server:
        form = hidden(ask(server, "GET", REGISTER)[2])
        assert book(server, form, 1)[0] == 303
        aside = copy_of(place, place.parent / "aside.sqlite3")
        strange.replace(file)
        said = {book(server, form, number)[0] for number in range(2, 12)}
        assert said <= {500, 503}
        if other != "empty":  # SQLite writes its head into an empty one
            assert file.read_bytes()[100:] == before[100:]
        assert command(place, "doctor").returncode == 1
        for leftover in place.glob("eventreg.sqlite3-*"):
            leftover.unlink()
        aside.replace(file)
        assert [book(server, form, number)[0] for number in range(20, 30)][-1] == 303
    assert "王1号" in people_in(file)


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
        with closing(sqlite3.connect(file)) as shell:
            shell.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        house.register("李四")
    house.close()
    assert people_in(file) == {"张桂芳", "李四"}
