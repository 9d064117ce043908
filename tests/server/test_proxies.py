"""Behind a proxy each guest has an own limit, https is recognised, and no log has a name."""

import os
import re
import urllib.parse
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventreg.settings.proxies import Proxies, household, parse_address, parse_networks
from eventreg.web.wire.forwarded import Forwarded
from tests.server.test_server import hidden
from tests.support import proxies, redis
from tests.support.factories import PASSWORD, SECRET, House, toml
from tests.support.proxies import Proxy
from tests.support.servers import Server, free_port, running
from tests.support.tokens import another

GREEDY, GUEST = "127.0.0.2", "127.0.0.3"
UNKNOWN = "A" * 26
REGISTER = "/zh/events/small/register"
WHOLE = os.environ.get("EVENTREG_PROOFS") == "whole"
FRONTS = {"nginx": proxies.nginx, "caddy": proxies.caddy}
HOUSES = [
    (front, workers, engine)
    for front in FRONTS
    for workers in ("1", "2")
    for engine in ("sqlite", "postgresql")
    if WHOLE or (front == "nginx") == (workers == "1") == (engine == "sqlite")
]
"""Every combination of proxy, number of processes and database. The short round has each pair of
values once."""


@pytest.fixture
def redis_url() -> Iterator[str]:
    """An empty Redis, in which several processes count together."""
    with redis.running() as (url, _):
        yield url


def prepared(folder: Path, **environment: str) -> dict[str, str]:
    """Make an instance with an event and staff. Returns the settings of its server."""
    given = {"EVENTREG_SECRET_KEY": SECRET, "EVENTREG_RATE_LIMITS": "on", **environment}
    house = House(folder, **environment)
    with house.app.app_context():
        house.apply(toml(capacity=30))
        house.hire()
    house.close()
    return given


@pytest.mark.parametrize(("front", "workers", "engine"), HOUSES)
def test_guests_and_staff_can_use_everything_through_a_proxy(
    front: str,
    workers: str,
    engine: str,
    folder: Path,
    tmp_path: Path,
    redis_url: str,
    request: pytest.FixtureRequest,
) -> None:
    port, behind = free_port(), free_port()
    environment = {
        "EVENTREG_PUBLIC_URL": f"https://localhost:{port}",
        "EVENTREG_TRUSTED_PROXIES": "1",
    }
    if engine == "postgresql":
        environment["EVENTREG_DATABASE_URL"] = request.getfixturevalue("database")
    if workers != "1":
        environment["EVENTREG_REDIS_URL"] = redis_url
    told = prepared(folder, **environment) | {"EVENTREG_WORKERS": workers, "PORT": str(behind)}
    with running(folder, **told) as server, FRONTS[front](tmp_path / front, port, behind) as proxy:
        ticket = register_guest(proxy)
        check_limits_of_two_addresses(proxy, ticket)
        cookie = sign_in_olga(proxy)
        found = proxy.ask(
            "GET", "/staff/events/small/attendees?q=%E5%BC%A0%E6%A1%82%E8%8A%B3", Cookie=cookie
        )
        assert "张桂芳" in found.text
        log = proxy.log()
    log += server_log(server, folder)
    for secret in (
        ticket.removeprefix("/T/"),
        "张桂芳",
        "%E5%BC%A0",
        "13800138000",
        PASSWORD,
        "q=",
        cookie[-20:],
    ):
        assert secret not in log, f"{secret} stands in a log"
    line = r'"request": "\w+", "method": "GET", "route": "ticket.ticket", .*"status": 200'
    assert re.search(line, log), "the route of a request is in the log"


def register_guest(proxy: Proxy) -> str:
    """Fill in the form and confirm it. Returns the path of the ticket."""
    form = proxy.ask("GET", REGISTER, source=GUEST)
    assert "max-age=" in form.headers["Strict-Transport-Security"]
    typed = {**another(hidden(form.text), older=10), "name": "张桂芳", "phone": "13800138000"}
    check = proxy.ask("POST", REGISTER, source=GUEST, body=urllib.parse.urlencode(typed))
    assert check.status == 200
    confirmed = {**typed, **hidden(check.text), "confirmed": "yes"}
    check = proxy.ask("POST", REGISTER, source=GUEST, body=urllib.parse.urlencode(confirmed))
    assert check.status == 303
    ticket = urllib.parse.urlsplit(check.headers["Location"]).path
    assert proxy.ask("GET", ticket, source=GUEST).status == 200
    return ticket


def check_limits_of_two_addresses(proxy: Proxy, ticket: str) -> None:
    """One address guesses tickets with forged headers and is stopped. Another one is not."""
    said = [
        proxy.ask(
            "GET", f"/T/{UNKNOWN}", source=GREEDY, X_Forwarded_For=f"203.0.113.{number}"
        ).status
        for number in range(25)
    ]
    assert (said[0], said[-1]) == (404, 429), "a forged header does not change the address"
    assert proxy.ask("GET", f"/T/{UNKNOWN}", source=GUEST).status == 404, (
        "another address has its own limit"
    )
    assert proxy.ask("GET", ticket, source=GUEST).status == 200


def sign_in_olga(proxy: Proxy) -> str:
    """Sign in, and check that the cookies are for https only. Returns the session cookie."""
    page = proxy.ask("GET", "/staff/sign-in")
    first = page.cookies[0]
    assert first.startswith("__Host-") and "Secure" in first
    body = urllib.parse.urlencode({**hidden(page.text), "username": "olga", "password": PASSWORD})
    done = proxy.ask("POST", "/staff/sign-in", body=body, Cookie=first.split(";")[0])
    assert done.status == 303, done.text
    return next(one for one in done.cookies if one.startswith("__Host-s=")).split(";")[0]


def server_log(server: Server, folder: Path) -> str:
    """The log of the server."""
    port = urllib.parse.urlsplit(server.address).port
    return (folder.parent / f"{folder.name}-{port}.log").read_text()


def unknown_tickets(address: str, headers: list[dict[str, str]]) -> list[int]:
    """Guess a ticket once with each set of headers. Returns the status codes."""
    place = urllib.parse.urlsplit(address)
    said = []
    for each in headers:
        connection = HTTPConnection(str(place.hostname), place.port, timeout=30)
        connection.request("GET", f"/T/{UNKNOWN}", headers=each)
        said.append(connection.getresponse().status)
        connection.close()
    return said


@pytest.mark.parametrize(
    "setting",
    [{}, {"EVENTREG_TRUSTED_PROXIES": "1", "EVENTREG_PROXY_ADDRESSES": "192.0.2.1"}],
    ids=["no proxy", "a proxy elsewhere"],
)
def test_without_a_trusted_proxy_a_forged_header_is_ignored(
    setting: dict[str, str], folder: Path
) -> None:
    told = prepared(folder)
    forged = [
        {
            "X-Forwarded-For": f"203.0.113.{n}",
            "Forwarded": f"for=203.0.113.{n}",
            "X-Real-IP": f"203.0.113.{n}",
        }
        for n in range(25)
    ]
    with running(folder, **told, **setting) as server:
        said = unknown_tickets(server.address, forged)
    assert (said[0], said[-1]) == (404, 429)


LOOPBACK = Proxies(1, parse_networks("127.0.0.0/8, ::1"))


@pytest.mark.parametrize(
    ("peer", "header", "who"),
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "10.9.9.9, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7:51000", "203.0.113.7"),
        ("127.0.0.1", '"[2001:db8::7]:51000"', "2001:db8::"),
        ("127.0.0.1", "[2001:db8::7]", "2001:db8::"),
        ("127.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("::1", "2001:db8:1:2:3::4", "2001:db8:1:2::"),
        ("::ffff:127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("198.51.100.1", "203.0.113.7", "198.51.100.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "_hidden, x\x00y", "127.0.0.1"),
        ("", "203.0.113.7", "unknown"),
    ],
)
def test_the_client_is_the_address_that_the_trusted_proxy_saw(
    peer: str, header: str, who: str
) -> None:
    assert household(LOOPBACK.client(peer, header)) == who


def test_each_entry_is_believed_only_from_our_own_proxy() -> None:
    two = Proxies(2, parse_networks("127.0.0.1, 10.0.0.0/24"))
    assert str(two.client("127.0.0.1", "203.0.113.7, 10.0.0.5")) == "203.0.113.7"
    assert str(two.client("127.0.0.1", "203.0.113.7, 198.51.100.1")) == "198.51.100.1", (
        "the last entry is not a proxy, so it is the client"
    )
    assert str(two.client("127.0.0.1", "192.0.2.1, 203.0.113.7, 10.0.0.5")) == "203.0.113.7", (
        "at most two entries are read"
    )
    assert str(Proxies(0, two.networks).client("127.0.0.1", "203.0.113.7")) == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "count", "scheme"),
    [("127.0.0.1", 1, "https"), ("198.51.100.1", 1, "http"), ("127.0.0.1", 0, "http")],
)
def test_https_is_believed_only_from_our_own_proxy(peer: str, count: int, scheme: str) -> None:
    seen: dict[str, object] = {}

    def app(environ: dict[str, object], _start: object) -> list[bytes]:
        seen.update(environ)
        return []

    trusted = Proxies(count, LOOPBACK.networks)
    said = {
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_FORWARDED": "for=1.2.3.4",
    }
    Forwarded(app, trusted)({"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", **said}, None)
    assert seen["wsgi.url_scheme"] == scheme
    assert not seen.keys() & said.keys(), "the application does not see the headers"


@given(st.text(max_size=60), st.text(max_size=60))
def test_every_header_gives_a_client_and_no_error(peer: str, header: str) -> None:
    assert household(LOOPBACK.client(peer, header))
    assert household(LOOPBACK.client("127.0.0.1", header))


@given(st.ip_addresses())
def test_every_spelling_of_an_address_is_the_same_client(address: object) -> None:
    text = str(address)
    written = [text, f'"{text}"', f" {text} ", f"[{text}]:443" if ":" in text else f"{text}:443"]
    written += [f"::ffff:{text}"] if ":" not in text else []
    assert len({household(parse_address(one)) for one in written}) == 1
