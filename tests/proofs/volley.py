"""Requests that arrive at one moment: first all but the last byte of each, then the last bytes."""

import socket
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Thread

from tests.support.servers import Server


@dataclass(frozen=True)
class Answer:
    """An answer; ``status`` is 0 if none came."""

    status: int
    location: str
    text: str


def request(server: Server, path: str, form: dict[str, str]) -> bytes:
    """The bytes of a request that sends a form."""
    body = urllib.parse.urlencode(form).encode()
    netloc = urllib.parse.urlsplit(server.address).netloc
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {netloc}\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def read(connection: socket.socket) -> Answer:
    """Read one answer to its end."""
    whole = b""
    try:
        while part := connection.recv(65536):
            whole += part
    except OSError:
        pass
    head, _, body = whole.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not lines[0].startswith("HTTP/"):
        return Answer(0, "", "")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    return Answer(
        int(lines[0].split()[1]), headers.get("Location", ""), body.decode("utf-8", "replace")
    )


def volley(servers: Sequence[Server], path: str, forms: Sequence[dict[str, str]]) -> list[Answer]:
    """Send all these forms at one moment, spread over the servers. Returns the answers in order."""
    held = []
    for number, form in enumerate(forms):
        server = servers[number % len(servers)]
        place = urllib.parse.urlsplit(server.address)
        connection = socket.create_connection(
            (str(place.hostname), int(place.port or 0)), timeout=60
        )
        wire = request(server, path, form)
        connection.sendall(wire[:-1])
        held.append((connection, wire[-1:]))
    answers: list[Answer] = [Answer(0, "", "")] * len(held)

    def finish(number: int) -> None:
        answers[number] = read(held[number][0])

    readers = [Thread(target=finish, args=(number,)) for number in range(len(held))]
    for connection, last in held:
        connection.sendall(last)
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    for connection, _ in held:
        connection.close()
    return answers
