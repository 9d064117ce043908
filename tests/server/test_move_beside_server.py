"""A move while a server runs: no guest is told of a seat that is then lost."""

import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from eventreg.core import invariants
from eventreg.storage.session import reading
from tests.commands.test_commands import run
from tests.proofs.conftest import WHOLE
from tests.proofs.crowd import Place
from tests.server.test_many_machines import REGISTER, grown_up, typed
from tests.server.test_server import ask
from tests.support.factories import SECRET, House, toml
from tests.support.servers import Server, refused, running

Said = list[tuple[int, str]]


@pytest.fixture
def place(folder: Path, to: str, database: str) -> Iterator[Place]:
    """A database with an event: a file if the move goes to PostgreSQL, and the other way."""
    own = {} if to == "postgresql" else {"EVENTREG_DATABASE_URL": database}
    place = Place(str(folder), own)
    house = place.house()
    with house.app.app_context():
        house.apply(toml(capacity=10_000))
    house.close()
    yield place


def register_without_end(server: Server, number: int, stop: Event, first: Event) -> Said:
    """Register people one after another until ``stop``. Returns status and ticket of each."""
    form, said = grown_up(server), Said()
    while not stop.is_set():
        person = typed(form, number * 10_000 + len(said))
        status, where, _ = ask(server, "POST", REGISTER, person)
        said.append((status, where))
        first.set()
    return said


@pytest.mark.parametrize("to", ["postgresql", "file"] if WHOLE else ["postgresql"])
def test_while_the_data_moves_no_registration_is_lost(
    place: Place, to: str, database: str, tmp_path: Path
) -> None:
    url = database if to == "postgresql" else f"sqlite:///{tmp_path}/new.sqlite3"
    given = {"EVENTREG_SECRET_KEY": SECRET, **place.environment}
    with running(Path(place.folder), **given) as server, ThreadPoolExecutor(4) as crowd:
        stop, begun = Event(), [Event() for _ in range(4)]
        guests = [
            crowd.submit(register_without_end, server, number, stop, begun[number])
            for number in range(4)
        ]
        for one in begun:
            assert one.wait(30)
        last = typed(grown_up(server), 99_999)
        house = place.house()
        with house.app.app_context():
            moved = run(house, "move", "--to", url)
        house.close()
        stop.set()
        said = [answer for guest in guests for answer in guest.result()]
        check_that_it_is_closed(server, place, last)
    assert (moved.exit_code, moved.stderr) == (0, ""), moved.output
    promised = {where for status, where in said if status == 303}
    assert len(promised) >= 4
    assert {status for status, _ in said} <= {303, 503}
    check_that_all_are_there(promised, url, tmp_path)


def check_that_it_is_closed(server: Server, place: Place, form: dict[str, str]) -> None:
    """The running server takes no form any more, and its log says why. One that is started anew
    does not start."""
    assert ask(server, "POST", REGISTER, form)[0] == 503
    folder = Path(place.folder)
    if not place.environment:
        assert ask(server, "GET", "/zh/")[0] == 503, "an old list would mislead the door"
        port = urllib.parse.urlsplit(server.address).port
        log = (folder.parent / f"{folder.name}-{port}.log").read_text()
        assert '"event": "moved"' in log, log
    started = refused(folder, EVENTREG_SECRET_KEY=SECRET, **place.environment)
    assert (started.returncode, started.stdout) == (1, "")
    assert "was moved to" in started.stderr
    assert len(started.stderr.splitlines()) == 1, started.stderr


def check_that_all_are_there(promised: set[str], url: str, folder: Path) -> None:
    """Every ticket opens on the new database, and nobody else has a seat."""
    house = House(folder / "after", EVENTREG_DATABASE_URL=url)
    with house.app.app_context():
        found = invariants.of_event(reading(), house.event(), now=house.now)
        assert (found.confirmed, found.holds) == (len(promised), True)
        guest: Any = house.client()
        for where in sorted(promised)[:20]:
            path = urllib.parse.urlsplit(where).path
            assert guest.get(path).status_code == 200
    house.close()
