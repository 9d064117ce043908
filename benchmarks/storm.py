"""400 people register at once for 50 seats, on two servers."""

import selectors
import socket
import statistics
import time
from urllib.parse import urlencode, urlsplit

from benchmarks.report import Figure
from benchmarks.rush import place
from tests.proofs import faults
from tests.server.test_server import ask, hidden
from tests.support.factories import SECRET, House
from tests.support.servers import Server, started
from tests.support.tokens import another

PEOPLE, SEATS = 400, 50
_PATH = "/zh/events/big/register"
_PATIENCE = 60
"""Seconds until the client gives up."""


def storm(fault: str = "") -> tuple[int, float, float]:
    """Returns the tickets, the seconds until the last ticket, and those until the last answer."""
    with place(SEATS) as folder:
        if fault:
            house = House(folder)
            with house.app.app_context():
                faults.drop_schema_guards()
            house.close()
        key = {"EVENTREG_SECRET_KEY": SECRET, "EVENTREG_RATE_LIMITS": "off"}
        with started(folder, fault, **key) as one, started(folder, fault, **key) as other:
            return _rush((one, other))


def _rush(servers: tuple[Server, Server]) -> tuple[int, float, float]:
    """Everybody is connected; then all forms are sent. One thread sends and reads, so that the
    client takes little processor time from the servers."""
    for server in servers:  # both have shown the page before
        form = hidden(ask(server, "GET", _PATH)[2])
    waiting = selectors.DefaultSelector()
    for number in range(PEOPLE):
        at = urlsplit(servers[number % 2].address)
        guest = socket.create_connection((at.hostname, at.port))
        waiting.register(guest, selectors.EVENT_READ, _form_of(number, form, at.netloc))
    began = time.monotonic()
    for key in list(waiting.get_map().values()):
        key.fileobj.sendall(key.data)  # type: ignore[union-attr]
    tickets, last_ticket = 0, 0.0
    while waiting.get_map():
        for key, _ in waiting.select(_PATIENCE) or _nobody_answers():
            guest = key.fileobj  # type: ignore[assignment]
            status = guest.recv(65536).split(b" ", 2)[1]
            waiting.unregister(guest)
            guest.close()
            if status == b"303":
                tickets, last_ticket = tickets + 1, time.monotonic() - began
    return tickets, last_ticket, time.monotonic() - began


def _nobody_answers() -> list[tuple[selectors.SelectorKey, int]]:
    raise TimeoutError(f"no answer in {_PATIENCE} seconds")


def _form_of(number: int, form: dict[str, str], host: str) -> bytes:
    """The request of one guest."""
    typed = {"name": f"王{number}号", "phone": f"138{number:08d}", "confirmed": "yes"}
    body = urlencode({**another(form, number), "waitlist": "", **typed})
    head = (
        f"POST {_PATH} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", body)).encode()


def storms() -> list[Figure]:
    """The rush gives exactly 50 seats, and too many if the guard is taken out."""
    calm = [storm() for _ in range(5)]
    broken = storm("no_guard")
    return [
        Figure(
            "storm 400 for 50: seats sold off by, worst of 5",
            max(abs(tickets - SEATS) for tickets, *_ in calm),
            0,
            at_most=True,
        ),
        Figure(
            "storm: seconds until the last seat",
            statistics.median(seconds for _, seconds, _ in calm),
            0.35,
            at_most=True,
        ),
        Figure(
            "storm: seconds until all are answered",
            statistics.median(seconds for *_, seconds in calm),
            0.8,
            at_most=True,
        ),
        Figure("control, guard taken out: sold too many", broken[0] - SEATS, 1),
    ]
