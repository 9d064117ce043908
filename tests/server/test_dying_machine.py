"""One of two machines dies in the rush. No seat that a guest was told of is lost, no form gets two
seats, and whoever only reads does not notice."""

import os
import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event

import pytest
import yaml

from eventreg.core import invariants
from eventreg.storage.session import reading
from tests.deployment.rush import Rush, opened_form
from tests.proofs.conftest import WHOLE, rounds
from tests.support import proxies, redis, servers
from tests.support.factories import ROOT, SECRET, House, bare_environment, toml
from tests.support.forked.programs import FORKS
from tests.support.servers import answers, free_port

GUESTS, SEATS = 300, 200
FRONTS = {"nginx": proxies.nginx, "caddy": proxies.caddy}


def serve_in_a_group(log: str, environment: dict[str, str]) -> None:
    """Serve in a process group of its own; the body of one process."""
    os.setsid()
    servers._serve("", log, environment)


class Machine:
    """An application server with its own instance folder."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        given = {"EVENTREG_INSTANCE": str(folder), "PORT": str(self.port), **environment}
        self._log = folder.parent / f"{folder.name}.log"
        self._log.touch()
        self._process: BaseProcess = FORKS.Process(
            target=serve_in_a_group, args=(str(self._log), bare_environment(**given))
        )
        self._process.start()

    def wait_until_it_answers(self) -> None:
        """Wait for its first page."""
        deadline = time.monotonic() + 60
        while not answers(f"http://127.0.0.1:{self.port}"):
            assert self._process.is_alive() and time.monotonic() < deadline, self._log.read_text()
            Event().wait(0.05)

    def die(self) -> None:
        """All its processes are gone at once, as when the power fails."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.join()


@contextmanager
def machines(folder: Path, environment: dict[str, str]) -> Iterator[tuple[Machine, Machine]]:
    """Two of them, on one database and one Redis."""
    one, other = (Machine(folder / name, environment) for name in ("one", "other"))
    try:
        one.wait_until_it_answers()
        other.wait_until_it_answers()
        yield one, other
    finally:
        one.die()
        other.die()


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
@pytest.mark.parametrize("front", list(FRONTS))
@pytest.mark.parametrize("turn", range(rounds(1, 10)))
def test_a_machine_that_dies_in_the_rush_loses_no_seat_and_gives_none_twice(
    front: str, turn: int, database: str, tmp_path: Path
) -> None:
    port = free_port()
    with redis.running() as (url, _):
        environment = {
            "EVENTREG_DATABASE_URL": database,
            "EVENTREG_SECRET_KEY": SECRET,
            "EVENTREG_REDIS_URL": url,
            "EVENTREG_TRUSTED_PROXIES": "1",
            "EVENTREG_PUBLIC_URL": f"https://localhost:{port}",
        }
        house = House(tmp_path / "preparing", EVENTREG_DATABASE_URL=database)
        with house.app.app_context():
            house.apply(toml(capacity=SEATS))
        house.close()
        with (
            machines(tmp_path, environment) as (one, other),
            FRONTS[front](tmp_path / front, port, one.port, other.port) as proxy,
        ):
            rush = Rush(proxy, opened_form(proxy))
            said, seen = let_them_come(rush, one)
            print(f"{len(rush.pressed_again)} pressed again")  # noqa: T201
            check_answers(rush, said, seen)
            again = [rush.guest(number) for number in range(0, GUESTS, 7)]
            assert again == said[::7], "the same form, sent once more, gets the same answer"
    check_seats(database, tmp_path, [ticket for status, ticket in said if status == 303])


def let_them_come(rush: Rush, victim: Machine) -> tuple[list[tuple[int, str]], list[int]]:
    """All guests and readers at once; in the midst of it one machine dies. Returns the answers of
    both."""
    with ThreadPoolExecutor(24) as crowd, ThreadPoolExecutor(4) as others:
        guests = rush.come(crowd, range(GUESTS))
        readers = [others.submit(rush.reader, number) for number in range(GUESTS // 2)]
        rush.wait_until_told(SEATS // 4)
        victim.die()
        return [one.result() for one in guests], [one.result() for one in readers]


def check_answers(rush: Rush, said: list[tuple[int, str]], seen: list[int]) -> None:
    """Everybody got an answer. A page goes to the other machine by itself."""
    assert {status for status, _ in said} <= {303, 409}, said
    assert set(seen) == {200}, seen
    tickets = [ticket for status, ticket in said if status == 303]
    assert len(set(tickets)) == len(tickets) == SEATS
    assert all(rush.proxy.ask("GET", ticket).status == 200 for ticket in tickets[::5])


def check_seats(database: str, folder: Path, tickets: list[str]) -> None:
    """As many seats as tickets, and all that must hold."""
    house = House(folder / "after", EVENTREG_DATABASE_URL=database)
    with house.app.app_context():
        found = invariants.of_event(reading(), house.event(), now=house.now)
        assert (found.confirmed, found.free, found.holds) == (len(tickets), 0, True)
    house.close()


TWO = ROOT / "deploy" / "two-machines"


def test_the_compose_file_has_two_servers_that_differ_only_in_their_folder() -> None:
    whole = yaml.safe_load((TWO / "compose.yaml").read_text())
    services = whole["services"]
    one, other = services["eventreg-1"], services["eventreg-2"]
    folders = [one.pop("volumes"), other.pop("volumes")]
    assert folders == [["data-1:/var/lib/eventreg"], ["data-2:/var/lib/eventreg"]]
    assert one == other
    given = one["environment"]
    assert (
        given["EVENTREG_PROXY_ADDRESSES"]
        == (whole["networks"]["front"]["ipam"]["config"][0]["subnet"])
    )
    assert "EVENTREG_INSTANCE" not in given
    assert re.findall(r"eventreg-\d:8000", (TWO / "Caddyfile").read_text()) == [
        "eventreg-1:8000",
        "eventreg-2:8000",
    ]
    for behind in ("postgres", "redis"):
        assert services[behind]["networks"] == ["back"]
        assert "ports" not in services[behind]
    assert whole["networks"]["back"]["internal"] is True
    declared = set(whole["volumes"])
    used = {volume.split(":")[0] for one in services.values() for volume in one.get("volumes", [])}
    assert {*used, "data-1", "data-2"} - {"./Caddyfile"} == declared


def test_no_secret_of_the_compose_file_has_a_default() -> None:
    text = (TWO / "compose.yaml").read_text()
    for secret in ("POSTGRES_PASSWORD", "EVENTREG_SECRET_KEY"):
        assert re.search(rf"\$\{{{secret}:\?\}}", text)
        assert not re.search(rf"\$\{{{secret}:?-", text)
