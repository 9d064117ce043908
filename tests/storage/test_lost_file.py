"""The database file is deleted, moved away or replaced by another one while a server runs. No one
gets a ticket that is in no file."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event as ThreadEvent

import pytest

from tests.server.test_server import ask, hidden
from tests.storage.live_file import KEY, REGISTER, book, command, copy_of, log_of, people_in
from tests.support.factories import ROOT, bare_environment
from tests.support.servers import Server, refused, running


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
    started = refused(place, **KEY)
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


IDLE = """
import os, sys
from eventreg.app import create_app
from eventreg.core.event import events
from eventreg.settings import read
from eventreg.storage.session import close, reading
app = create_app(read(os.environ))
with app.app_context():
    events.all_events(reading())
print("has it open", flush=True)
sys.stdin.readline()
close(app)
"""


def test_a_program_that_still_has_the_deleted_log_open_does_not_delete_the_new_one(
    place: Path,
) -> None:
    with running(place, **KEY) as server:
        form = hidden(ask(server, "GET", REGISTER)[2])
        assert book(server, form, 1)[0] == 303
        idle = subprocess.Popen(
            [sys.executable, "-c", IDLE],
            cwd=ROOT,
            env=bare_environment(EVENTREG_INSTANCE=str(place), **KEY),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert idle.stdin is not None
        assert idle.stdout is not None
        assert idle.stdout.readline() == b"has it open\n"
        for ending in ("-wal", "-shm"):
            Path(f"{place / 'eventreg.sqlite3'}{ending}").unlink()
        tried = {number: book(server, form, number)[0] for number in range(2, 12)}
        kept = {number for number, status in tried.items() if status == 303}
        assert kept
    idle.communicate(b"\n")
    assert idle.returncode == 0
    assert {f"王{number}号" for number in {1, *kept}} <= people_in(place / "eventreg.sqlite3")
