"""Monitors ask a real server: with several processes, behind a proxy, while it starts and stops."""

import fcntl
import os
import select
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import make_url

from eventreg import serve
from eventreg.settings.reading import SettingsInvalid, read
from tests.server.test_proxies import FRONTS
from tests.server.test_server import ask
from tests.server.test_slow_clients import connect
from tests.server.test_stopping import whole_answer
from tests.support.factories import House, bare_environment, toml
from tests.support.forked.programs import FORKS
from tests.support.servers import Forked, Server, free_port, processes_of, running

TOKEN = "the-word-of-the-monitor"
PAGES = 60


def status_of(address: str, path: str) -> tuple[int, str]:
    """Status and text of an answer; 0 if there is none."""
    place = Server(address, "", 0, 0)
    with suppress(OSError):
        status, _, text = ask(place, "GET", path)
        return status, text
    return 0, ""


def wait_until(holds: Callable[[], bool], told: str) -> None:
    """Wait for a condition, for a minute at most."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, told
        time.sleep(0.02)


def counted(server: Server, route: str, status: int) -> float:
    """How many requests of a page the server says it has answered so."""
    label = f'eventreg_requests_total{{route="{route}",status="{status}"}} '
    found = [line for line in ask(server, "GET", "/metrics")[2].splitlines() if label in line]
    return float(found[0].removeprefix(label)) if found else 0


@pytest.mark.both_databases
def test_the_counts_of_two_processes_add_up_and_outlive_them(
    folder: Path, environment: dict[str, str]
) -> None:
    house = House(folder, **environment)
    with house.app.app_context():
        house.apply(toml())
    house.close()
    with running(folder, EVENTREG_WORKERS="2", **environment) as server:
        with ThreadPoolExecutor(20) as guests:
            answers = guests.map(lambda _: ask(server, "GET", "/zh/events/small")[0], range(PAGES))
        assert set(answers) == {200}
        assert counted(server, "public.event", 200) == PAGES
        assert "eventreg_clock_offset_seconds" in ask(server, "GET", "/metrics")[2]
        before = processes_of(server)
        for child in before:
            os.kill(child, signal.SIGKILL)
        wait_until(
            lambda: len(set(processes_of(server)) - set(before)) == len(before),
            "they are started again",
        )
        assert counted(server, "public.event", 200) == PAGES
        assert status_of(server.address, "/readyz") == (200, "ready\n")


@pytest.mark.parametrize("front", FRONTS)
def test_a_proxy_does_not_pass_monitors_on(front: str, folder: Path, tmp_path: Path) -> None:
    port, behind = free_port(), free_port()
    told = {
        "EVENTREG_PUBLIC_URL": f"https://localhost:{port}",
        "EVENTREG_TRUSTED_PROXIES": "1",
        "EVENTREG_METRICS_TOKEN": TOKEN,
        "PORT": str(behind),
    }
    with running(folder, **told) as server, FRONTS[front](tmp_path / front, port, behind) as proxy:
        for address in ("/livez", "/readyz", "/metrics"):
            assert ask(server, "GET", address)[0] == 200
            assert proxy.ask("GET", address).status == 404
            assert proxy.ask("GET", address, Authorization="Bearer another word").status == 404
            with_token = proxy.ask("GET", address, Authorization=f"Bearer {TOKEN}")
            assert with_token.status == 200


def test_a_token_that_can_be_guessed_stops_the_start() -> None:
    with pytest.raises(SettingsInvalid, match="EVENTREG_METRICS_TOKEN: must have at least 16"):
        read({"EVENTREG_METRICS_TOKEN": "short"})


def test_a_live_server_says_so_while_all_its_threads_wait(folder: Path) -> None:
    """Otherwise a monitor would kill a server in the middle of a rush."""
    with (
        running(folder, EVENTREG_THREADS="1") as server,
        no_writer_in(folder),
        connect(server) as waiting,
    ):
        waiting.sendall(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert status_of(server.address, "/livez") == (200, "alive\n")
        assert not select.select([waiting], [], [], 0)[0], "the only thread waits for the writer"


def test_requests_sent_together_are_answered_in_their_order(folder: Path) -> None:
    """One that is answered at once does not overtake another one of its connection."""
    with running(folder) as server, connect(server) as one, one.makefile("rb") as answers:
        for paths in (("/livez", "/readyz", "/livez", "/livez"), ("/readyz", "/livez", "/readyz")):
            one.sendall(
                b"".join(
                    f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() for path in paths
                )
            )
            said: list[bytes] = []
            while len(said) < len(paths):
                line = answers.readline()
                assert line, said
                said += [line.strip()] if line in {b"alive\n", b"ready\n"} else []
            assert said == [b"alive" if path == "/livez" else b"ready" for path in paths]


@contextmanager
def no_writer_in(folder: Path) -> Iterator[None]:
    """Keep all writers of an SQLite file waiting."""
    with (folder / "eventreg.sqlite3.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def starting(folder: Path, **environment: str) -> Iterator[tuple[str, Forked]]:
    """A server that is not waited for. Yields its address."""
    port = free_port()
    given = bare_environment(
        EVENTREG_INSTANCE=str(folder), PORT=str(port), EVENTREG_RATE_LIMITS="off", **environment
    )
    log = folder.parent / f"{folder.name}-{port}.log"
    log.touch()
    process = Forked("", log, given)
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()
        assert "Traceback" not in log.read_text(), log.read_text()


def test_a_server_whose_tables_are_being_made_is_alive_and_not_ready(
    tmp_path: Path, cluster: Any
) -> None:
    url = cluster.create("unmade")
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(False)) as one:
        one.execute("SELECT pg_advisory_lock(7301)")
        with starting(tmp_path / "instance", EVENTREG_DATABASE_URL=url) as (address, _):
            wait_until(lambda: status_of(address, "/livez") == (200, "alive\n"), "it is alive")
            for _ in range(20):
                assert status_of(address, "/livez") == (200, "alive\n")
            assert status_of(address, "/readyz")[0] == 503
            assert status_of(address, "/readyz")[1].startswith("starting: ")
            assert status_of(address, "/metrics")[0] == 503
            place = Server(address, "", 0, 0)
            assert headers_of(place, "/zh/")[:2] == (503, "5"), "a guest is told when to come back"
            assert headers_of(place, "/livez", "X-Forwarded-For: 192.0.2.7")[0] == 404
            assert one.execute("SELECT to_regclass('events')").fetchone() == (None,)
            one.execute("SELECT pg_advisory_unlock(7301)")
            wait_until(lambda: status_of(address, "/readyz") == (200, "ready\n"), "it goes on")
            assert status_of(address, "/zh/")[0] == 200
    cluster.drop("unmade")


def test_a_start_can_be_stopped_while_it_waits(tmp_path: Path, cluster: Any) -> None:
    url = cluster.create("stopped")
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(False)) as one:
        one.execute("SELECT pg_advisory_lock(7301)")
        with starting(tmp_path / "instance", EVENTREG_DATABASE_URL=url) as (address, process):
            wait_until(lambda: status_of(address, "/livez")[0] == 200, "it is alive")
            process.terminate()
            assert process.wait(30) == 0
            assert status_of(address, "/livez")[0] == 0
    cluster.drop("stopped")


def _serve_deaf(folder: str, port: int, log: str) -> None:
    """Serve, with a start in which the first signal to stop gets lost."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)

    def prepare(_app: Flask) -> None:
        with suppress(SystemExit):  # as a finalizer does
            os.kill(os.getpid(), signal.SIGTERM)

    os.environ.update(EVENTREG_INSTANCE=folder, PORT=str(port), EVENTREG_RATE_LIMITS="off")
    serve.prepare = prepare  # type: ignore[assignment]
    serve.main()


def test_a_stop_during_the_start_is_not_lost(tmp_path: Path) -> None:
    log = tmp_path / "log"
    told = (str(tmp_path / "instance"), free_port(), str(log))
    process = FORKS.Process(target=_serve_deaf, args=told)
    process.start()
    process.join(60)
    ended = process.exitcode
    process.terminate()
    process.join()
    assert ended == 0, log.read_text()


def headers_of(server: Server, path: str, *more: str) -> tuple[int, str, bytes]:
    """Status, ``Retry-After`` and the whole answer."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *more, "", ""]
    with connect(server) as connection, connection.makefile("rb") as answer:
        connection.sendall("\r\n".join(lines).encode())
        whole = answer.read()
    head = whole.partition(b"\r\n\r\n")[0].decode().splitlines()
    fields = dict(line.split(": ", 1) for line in head[1:])
    return int(head[0].split()[1]), fields.get("Retry-After", ""), whole


@pytest.mark.both_databases
def test_a_stopping_server_is_alive_and_not_ready_until_it_ends(
    folder: Path, environment: dict[str, str]
) -> None:
    """A guest's request is in flight, and takes its time."""
    with running(folder, EVENTREG_WORKERS="2", **environment) as server, connect(server) as guest:
        whole = b"GET /zh/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        guest.sendall(whole[:20])
        assert status_of(server.address, "/readyz") == (200, "ready\n")
        os.kill(server.pid, signal.SIGTERM)
        wait_until(
            lambda: status_of(server.address, "/readyz")[1].startswith("stopping: "), "not ready"
        )
        said = Counter(
            status_of(server.address, path)[0]
            for path in ("/livez", "/readyz", "/metrics")
            for _ in range(20)
        )
        wait_until(lambda: headers_of(server, "/zh/")[:2] == (503, "5"), "others have to wait")
        assert status_of(server.address, "/livez") == (200, "alive\n")
        guest.sendall(whole[20:])
        assert whole_answer(guest) == 200, "the request in flight is answered"
    assert said == {200: 20, 503: 40}


def test_a_full_disk_is_a_fault(tmp_path: Path) -> None:
    folder = tmp_path / "small-disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100M", "tmpfs", str(folder)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        with running(folder / "instance") as server:
            status, text = status_of(server.address, "/readyz")
            assert status == 503
            assert text.startswith("disk: ") and "at least 200 MB are needed" in text
            assert status_of(server.address, "/livez")[0] == 200
            assert status_of(server.address, "/zh/")[0] == 200, "guests are still served"
    finally:
        subprocess.run(["umount", str(folder)], check=True)
