"""A server that is told to stop loses no request that it has received, and cuts none short."""

import os
import signal
import sqlite3
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from socket import socket

from tests.proofs.conftest import rounds
from tests.server.test_many_machines import typed
from tests.server.test_server import EVENT, ask, hidden
from tests.server.test_slow_clients import connect
from tests.support.factories import SECRET
from tests.support.servers import Server, running
from tests.support.tokens import another

READERS, GUESTS, SEATS = 100, 100, 50
"""Half of two hundred only read, the others register; the shipped event has fifty seats."""
REGISTER = f"/zh/events/{EVENT}/register"


def requests(server: Server) -> Iterator[bytes]:
    """Two hundred requests, those of readers and guests in turn."""
    host = urllib.parse.urlsplit(server.address).netloc
    form = another(hidden(ask(server, "GET", REGISTER)[2]), older=10)
    for number in range(GUESTS):
        body = urllib.parse.urlencode(typed(form, number)).encode()
        yield f"GET /zh/events/{EVENT} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        yield (
            f"POST {REGISTER} HTTP/1.1\r\nHost: {host}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body


def test_a_stopping_server_answers_everything_that_it_has_received(tmp_path: Path) -> None:
    """Ten requests arrive only in half before the signal, and the rest of them after it."""
    for turn in range(rounds(1, 20)):
        folder = tmp_path / f"instance-{turn}"
        with running(
            folder, EVENTREG_WORKERS="2", EVENTREG_THREADS="2", EVENTREG_SECRET_KEY=SECRET
        ) as server:
            sent = list(requests(server))
            waiting = [connect(server) for _ in sent]
            for connection, request in zip(waiting[:190], sent, strict=False):
                connection.sendall(request)
            for connection, request in zip(waiting[190:], sent[190:], strict=True):
                connection.sendall(request[:40])
            os.kill(server.pid, signal.SIGTERM)
            for connection, request in zip(waiting[190:], sent[190:], strict=True):
                connection.sendall(request[40:])
            with ThreadPoolExecutor(20) as crowd:
                answers = Counter(crowd.map(whole_answer, waiting))
        assert answers == {200: READERS, 303: SEATS, 409: GUESTS - SEATS}, answers
        assert seats_taken(folder) == SEATS


def seats_taken(folder: Path) -> int:
    """What the next start will find."""
    with closing(sqlite3.connect(folder / "eventreg.sqlite3")) as database:
        return int(database.execute("SELECT count(*) FROM attendees").fetchone()[0])


def whole_answer(connection: socket) -> int:
    """The status of the answer, read to its announced length. 0 if it is cut short."""
    with connection, connection.makefile("rb") as lines:
        try:
            status = lines.readline().split()
            length = 0
            while line := lines.readline().strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            return int(status[1]) if len(lines.read(length)) == length > 0 else 0
        except (ConnectionError, IndexError):
            return 0
