"""Clients that send slowly, send nothing, or do not read do not delay others."""

import os
import resource
import signal
import socket
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from eventreg.server import channel, listener
from tests.proofs.conftest import WHOLE
from tests.server.test_server import ask
from tests.support.servers import Server, processes_of, running, started

EVENT = "june-10-self-care"
OTHER_ADDRESS = "127.0.0.2"
SERVERS = pytest.mark.parametrize("workers", ["1", "2"] if WHOLE else ["2"])
NO_PROXY = "192.0.2.1"
"""An address that is not here. Without it, loopback counts as our own proxy, which has no limit of
connections."""


def running_with(folder: Path, workers: str, **more: str) -> object:
    """A server with this many processes, for which loopback is not a proxy."""
    return running(folder, EVENTREG_WORKERS=workers, EVENTREG_PROXY_ADDRESSES=NO_PROXY, **more)


def connect(server: Server, source: str = OTHER_ADDRESS) -> socket.socket:
    """Connect from an address of this machine that the guests do not use."""
    place = urllib.parse.urlsplit(server.address)
    return socket.create_connection((str(place.hostname), int(place.port or 0)), 10, (source, 0))


def half_a_request(server: Server, *, body: bool = True) -> bytes:
    """A request that ends in the middle of its body, or of its head."""
    place = urllib.parse.urlsplit(server.address)
    head = f"POST /zh/events/{EVENT}/register HTTP/1.1\r\nHost: {place.netloc}\r\n"
    return (f"{head}Content-Length: 500\r\n\r\nname=" if body else head).encode()


@contextmanager
def slow(server: Server, number: int) -> Iterator[list[socket.socket]]:
    """Open this many connections and send half a request on each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, number + 500)), hard))
    held: list[socket.socket] = []
    try:
        for one in range(number):
            connection = connect(server)
            held.append(connection)
            with suppress(ConnectionError):  # the server has closed it to make room
                connection.sendall(half_a_request(server, body=one % 2 == 0))
        yield held
    finally:
        for connection in held:
            connection.close()


def seconds_of_a_page(server: Server) -> float:
    """The time that a guest waits for the event page."""
    began = time.monotonic()
    assert ask(server, "GET", f"/zh/events/{EVENT}")[0] == 200
    return time.monotonic() - began


@SERVERS
def test_two_thousand_half_sent_requests_of_one_address_do_not_delay_another(
    workers: str, tmp_path: Path
) -> None:
    with running_with(tmp_path / "instance", workers) as server, slow(server, 2000):  # type: ignore[attr-defined]
        seconds = sorted(seconds_of_a_page(server) for _ in range(20))
        assert seconds[-1] < 3, seconds


@SERVERS
def test_half_sent_requests_through_our_own_proxy_do_not_delay_others(
    workers: str, tmp_path: Path
) -> None:
    with running(tmp_path / "instance", EVENTREG_WORKERS=workers) as server, slow(server, 1300):
        seconds = sorted(seconds_of_a_page(server) for _ in range(20))
        assert seconds[-1] < 3, seconds


@pytest.mark.parametrize(
    ("proxy", "most"),
    [(NO_PROXY, listener.MOST_OF_ONE_ADDRESS), ("127.0.0.0/8", listener.MOST_CONNECTIONS)],
    ids=["one address", "our own proxy"],
)
def test_the_number_of_open_connections_is_limited(proxy: str, most: int, tmp_path: Path) -> None:
    with (
        running(tmp_path / "instance", EVENTREG_PROXY_ADDRESSES=proxy) as server,
        slow(server, most + 50) as held,
    ):
        seconds_of_a_page(server)  # then all have been accepted
        ended = sum(map(is_ended, held))
        assert 50 <= ended <= 55, "the oldest were closed for the newest and for the page"


def is_ended(connection: socket.socket) -> bool:
    """Whether the server has closed its end."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_a_request_that_comes_slowly_or_never_is_ended_in_time(tmp_path: Path) -> None:
    with running(tmp_path / "instance") as server:
        head, silent, body = connect(server), connect(server), connect(server)
        head.sendall(half_a_request(server, body=False))
        body.sendall(half_a_request(server))
        slow_ones = [(head, b"x"), (silent, b"")]
        if WHOLE:  # it takes twenty seconds more
            slow_ones.append((body, b"x"))
        with body, ThreadPoolExecutor(3) as waiting:  # the pool ends first
            ended = [waiting.submit(trickle, *one) for one in slow_ones]
        found = [one.result() for one in ended]
    answers = [b"HTTP/1.1 408 ", b"", b"HTTP/1.1 408 "]
    assert [said[:13] for said, _ in found] == answers[: len(found)]
    limits = (channel.HEAD_SECONDS, channel.HEAD_SECONDS, channel.BODY_SECONDS)
    for (_, seconds), limit in zip(found, limits, strict=False):
        assert abs(seconds - limit) < 4


def test_the_time_of_a_body_counts_from_the_end_of_the_head() -> None:
    waiting = channel.Channel.__new__(channel.Channel)
    waiting.total_outbufs_len, waiting.requests, waiting.last_activity = 0, [], 1_019.0
    waiting._head_since, waiting._body_since = 995.0, 1_000.0
    assert not waiting.waits_too_long(1_000 + channel.BODY_SECONDS - 1)
    assert waiting.waits_too_long(1_000 + channel.BODY_SECONDS)


def trickle(connection: socket.socket, byte: bytes) -> tuple[bytes, float]:
    """Send bytes slowly until the server ends it. Returns its answer and the seconds."""
    began = time.monotonic()
    connection.settimeout(0.5)
    with connection:
        while time.monotonic() - began < 40:
            try:
                return connection.recv(1000), time.monotonic() - began
            except TimeoutError:
                connection.sendall(byte)
            except ConnectionError:
                break
    return b"", time.monotonic() - began


@SERVERS
def test_a_killed_process_is_restarted(workers: str, tmp_path: Path) -> None:
    with running(tmp_path / "instance", EVENTREG_WORKERS=workers) as server:
        before = processes_of(server)
        for child in before:
            os.kill(child, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while len(set(processes_of(server)) - set(before)) < len(before):
            assert time.monotonic() < deadline, "all of them were restarted"
        assert seconds_of_a_page(server) < 5


def test_the_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    alive: list[int] = []
    with suppress(AssertionError), running(tmp_path / "instance", EVENTREG_WORKERS="2") as server:
        alive = processes_of(server)
        assert len(alive) == 3
        os.kill(server.pid, signal.SIGKILL)
        deadline = time.monotonic() + 15
        while alive and time.monotonic() < deadline:
            alive = [child for child in alive if Path(f"/proc/{child}").exists()]
    assert alive == [], "otherwise they would hold the port"


def test_the_parent_has_no_thread_and_no_open_database(tmp_path: Path) -> None:
    with started(tmp_path / "instance") as server:
        assert len(list(Path(f"/proc/{server.pid}/task").iterdir())) == 1
        opened = [str(one.readlink()) for one in Path(f"/proc/{server.pid}/fd").iterdir()]
        assert not [one for one in opened if "sqlite3" in one], opened


def test_a_second_stop_signal_ends_the_server_at_once(tmp_path: Path) -> None:
    with running(tmp_path / "instance") as server, connect(server) as connection:
        connection.sendall(half_a_request(server))
        seconds_of_a_page(server)
        began = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        while (
            subprocess.run(
                ["pgrep", "-P", str(server.pid)], capture_output=True, check=False
            ).stdout.count(b"\n")
            > 1
        ):
            assert time.monotonic() - began < 15, "housekeeping has stopped"
        os.kill(server.pid, signal.SIGTERM)
    assert time.monotonic() - began < 20, "requests may take 30 seconds"
