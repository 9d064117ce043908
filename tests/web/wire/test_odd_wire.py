"""Malformed HTTP, sent to the real server: it is refused, and the next guest is served."""

import re
import socket
import urllib.parse
from pathlib import Path

import pytest

from tests.support.factories import House, toml
from tests.support.odd import TEXTS
from tests.support.servers import Server, running

HEADS = [
    b"GET /zh/\x00 HTTP/1.1",
    b"GET /zh/events/sm\x00all HTTP/1.1",
    b"GET /zh/?q=\x00 HTTP/1.1",
    b"GET /zh/?\xff\xfe=\xed\xa0\x80 HTTP/1.1",
    b"GET /\xff\xfe HTTP/1.1",
    b"GET /zh/events/%ED%A0%80 HTTP/1.1",
    b"GET /zh/events/%00 HTTP/1.1",
    b"GET  /zh/ HTTP/1.1",
    b"GET zh HTTP/1.1",
    b"GET http://[::1/zh/ HTTP/1.1",
    b"\x16\x03\x01\x02\x00",
    b"GET /zh/ HTTP/9.9",
    b"G\x00T /zh/ HTTP/1.1",
    b"GET /" + b"a" * 3000 + b" HTTP/1.1",
    b"GET /staff/events/small/registrations/9223372036854775808 HTTP/1.1",
    b"GET /T/" + b"%80" * 300 + b" HTTP/1.1",
    b"GET // HTTP/1.1",
    b"* * *",
]
FIELDS = [
    b"Accept-Language: " + b"zh;q=9," * 1000,
    b"Cookie: s=\xff\xfe; size=\x80; =",
    b"Cookie: " + b"s=" * 4000,
    b"Origin: \xff://\x80",
    b"Content-Length: -1",
    b"Content-Length: 9999999999999999999999999",
    b"Content-Length: \xc2\xb2",
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Transfer-Encoding: chunked\r\nContent-Length: 3",
    b"Transfer-Encoding: \xff",
    b"Content-Type: multipart/form-data",
    b"X: a\x00b",
    b": x",
    b"Host: localhost",
    b"If-None-Match: \xff",
    b"Range: bytes=-9999999999999999999999",
    b"X-Forwarded-For: \xff, \x80",
]


def answer_to(server: Server, sent: bytes) -> bytes:
    """The server's answer to these bytes; empty if it closes the connection."""
    place = urllib.parse.urlsplit(server.address)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=10) as wire:
        wire.sendall(sent)
        wire.shutdown(socket.SHUT_WR)
        pieces = []
        try:
            while piece := wire.recv(65536):
                pieces.append(piece)
        except ConnectionResetError:
            pass
    return b"".join(pieces)


@pytest.mark.both_databases
def test_malformed_requests_are_refused_and_the_next_guest_is_served(
    house: House, folder: Path, environment: dict[str, str]
) -> None:
    house.apply(toml())
    with running(folder, EVENTREG_CLOCK="2030-06-03T10:00:00+08:00", **environment) as server:
        host = server.address.removeprefix("http://").encode()
        plain = b"\r\nHost: " + host + b"\r\nConnection: close\r\n"
        requests = [head + plain + b"\r\n" for head in HEADS]
        requests += [
            b"GET /zh/events/small HTTP/1.1" + plain + field + b"\r\n\r\n" for field in FIELDS
        ]
        requests += [
            b"POST /staff/sign-in HTTP/1.1" + plain + field + b"\r\n\r\na=b" for field in FIELDS
        ]
        for text in TEXTS:
            body = b"username=" + text.replace(b"%", b"%25") + b"&\xff=\x00"
            counted = (
                b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
                % len(body)
            )
            requests += [b"POST /zh/find HTTP/1.1" + plain + counted + body]
        for sent in requests:
            answer = answer_to(server, sent)
            status = re.match(rb"HTTP/\d\.\d (\d{3}) ", answer)
            assert status is None or int(status[1]) < 500 or int(status[1]) in {501, 505}, (
                sent[:120],
                answer[:120],
            )
        assert answer_to(server, b"GET /zh/events/small HTTP/1.1" + plain + b"\r\n").startswith(
            b"HTTP/1.1 200 "
        )
