"""Lost answers: a proxy drops answers after the commit, and the guest sends the form again."""

import random
import socket
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from eventreg.core import invariants
from eventreg.storage.session import reading
from tests.proofs.conftest import rounds
from tests.proofs.crowd import Place
from tests.proofs.volley import Answer, read, request
from tests.server.test_server import ask, hidden
from tests.support.factories import SECRET, House, toml
from tests.support.servers import Server, running
from tests.support.tokens import another

REGISTER = "/zh/events/small/register"

pytestmark = pytest.mark.both_databases


@contextmanager
def proxy(server: Server, most: int) -> Iterator[tuple[str, list[int]]]:
    """A proxy before the server that drops about half of the answers, at most ``most``. Yields its
    address, and the statuses of the dropped answers."""
    place, dropped = urllib.parse.urlsplit(server.address), list[int]()
    chance = random.Random("proxy")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    guest, _ = listener.accept()
                except OSError:
                    return
                with (
                    guest,
                    socket.create_connection((str(place.hostname), int(place.port or 0))) as beyond,
                ):
                    beyond.sendall(_whole(guest))
                    answer = b""
                    while part := beyond.recv(65536):
                        answer += part
                    if len(dropped) < most and chance.randrange(2):
                        # The server has answered, but the guest gets nothing.
                        dropped.append(int(answer.split()[1]))
                    else:
                        guest.sendall(answer)

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", dropped
        listener.shutdown(socket.SHUT_RDWR)


def _whole(guest: socket.socket) -> bytes:
    wire = b""
    while b"\r\n\r\n" not in wire:
        wire += guest.recv(65536)
    head, _, body = wire.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += guest.recv(65536)
    return head + b"\r\n\r\n" + body


def until_answered(address: str, server: Server, form: dict[str, str]) -> tuple[Answer, int]:
    """Send a form until an answer comes. Returns the answer, and how often the form was sent."""
    place = urllib.parse.urlsplit(address)
    for sent in range(1, 100):
        with socket.create_connection(
            (str(place.hostname), int(place.port or 0)), timeout=60
        ) as connection:
            connection.sendall(request(server, REGISTER, form))
            answer = read(connection)
        if answer.status:
            return answer, sent
    raise AssertionError("no answer")


def lose(server: Server, wanted: int) -> tuple[set[str], int, int]:
    """Register people until so many answers were dropped. Returns the tickets, the number of people
    and the number of forms sent."""
    shown = hidden(ask(server, "GET", REGISTER)[2])
    tickets: set[str] = set()
    people = forms = 0
    with proxy(server, wanted) as (address, dropped):
        while len(dropped) < wanted:
            people += 1
            form = {
                **another(shown, people),
                "name": f"王{people}号",
                "phone": f"138{people:08d}",
                "confirmed": "yes",
            }
            answer, sent = until_answered(address, server, form)
            assert answer.status == 303, answer
            tickets.add(answer.location)
            forms += sent
        assert set(dropped) == {303}
    return tickets, people, forms


def test_after_lost_answers_every_guest_has_exactly_one_registration(
    house: House, place: Place, folder: Path
) -> None:
    house.apply(toml(capacity=100_000))
    wanted = rounds(15, 500)
    with running(folder, EVENTREG_SECRET_KEY=SECRET, **place.environment) as server:
        tickets, people, forms = lose(server, wanted)
        assert all(ask(server, "GET", ticket)[0] == 200 for ticket in tickets)
    assert len(tickets) == house.seats().taken == people
    assert forms == people + wanted
    assert invariants.of_event(reading(), house.event(), now=house.now).holds
    print(f"{wanted} answers lost, {people} people, {forms} forms")  # noqa: T201
