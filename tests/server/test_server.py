"""The server of `make run`: first and later starts, half-sent requests, and the rush for seats."""

import http.client
import re
import socket
import sqlite3
import stat
import time
import urllib.parse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tests.support.factories import SECRET, SHIPPED, House, toml
from tests.support.servers import Server, refused, running, started
from tests.support.tokens import another

EVENT = "june-10-self-care"
PEOPLE, SEATS = 400, 50
EVERYWHERE = "0.0.0.0"  # noqa: S104 - on a test's own port


def ask(
    server: Server, method: str, path: str, form: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Send one request. Returns status, location and text."""
    place = urllib.parse.urlsplit(server.address)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
    body = urllib.parse.urlencode(form) if form else None
    connection.request(
        method, path, body, {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    )
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers.get("Location", ""), text


def hidden(text: str) -> dict[str, str]:
    """The hidden fields of the form."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text))


def test_the_first_start_prepares_everything_and_later_ones_change_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    with running(folder) as first:
        assert first.link.startswith(first.address)
        assert ask(first, "GET", "/zh/")[2].count('data-seats-left="50"') == 1
        assert ask(first, "GET", urllib.parse.urlsplit(first.link).path)[0] == 200
        form = hidden(ask(first, "GET", f"/zh/events/{EVENT}/register")[2])
        typed = {"name": "张桂芳", "phone": "13800138000", "confirmed": "yes"}
        status, ticket, _ = ask(first, "POST", f"/zh/events/{EVENT}/register", {**form, **typed})
        assert status == 303
    with started(folder) as later:
        assert later.cpu < 3, "ready within three seconds of an idle machine"
        assert not later.link, "the link is printed once"
        assert "张桂芳" in ask(later, "GET", ticket)[2], (
            "nothing is lost, and the link still opens the ticket"
        )
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_two_starts_at_once_agree_on_one_key_one_event_and_one_link(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    with running(folder) as one, running(folder) as other:
        links = [server.link for server in (one, other) if server.link]
        assert len(links) == 1
        form = hidden(ask(one, "GET", f"/zh/events/{EVENT}/register")[2])
        typed = {"name": "张桂芳", "phone": "13800138000", "confirmed": "yes"}
        status, ticket, _ = ask(other, "POST", f"/zh/events/{EVENT}/register", {**form, **typed})
        assert status == 303, "the other process accepts the form"
        assert "张桂芳" in ask(one, "GET", ticket)[2]


def test_the_clock_starts_at_the_given_time_and_runs_on(tmp_path: Path) -> None:
    with running(tmp_path / "instance", EVENTREG_CLOCK="2030-06-10T08:44:58+08:00") as server:
        deadline = time.monotonic() + 20
        while "网上报名已经结束" not in ask(server, "GET", "/zh/")[2]:
            assert time.monotonic() < deadline, "registration closes at 8:45 by that clock"


def test_two_hundred_half_sent_requests_do_not_delay_others(tmp_path: Path) -> None:
    with running(tmp_path / "instance") as server:
        place = urllib.parse.urlsplit(server.address)
        half = []
        for number in range(240):
            connection = socket.create_connection(
                (str(place.hostname), int(place.port or 0)), timeout=10
            )
            head = f"POST /zh/events/{EVENT}/register HTTP/1.1\r\nHost: {place.netloc}\r\n"
            connection.sendall(
                (head if number % 2 else f"{head}Content-Length: 500\r\n\r\nname=").encode()
            )
            half.append(connection)
        seconds = []
        for _ in range(20):
            began = time.monotonic()
            assert ask(server, "GET", "/zh/")[0] == 200
            seconds.append(time.monotonic() - began)
        assert sorted(seconds)[10] < 3
        for connection in half:
            connection.close()


def test_four_hundred_people_at_once_get_exactly_fifty_seats_from_two_servers(folder: Path) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(SHIPPED.read_text(encoding="utf-8"))
    house.close()
    with (
        running(folder, EVENTREG_SECRET_KEY=SECRET) as one,
        running(folder, EVENTREG_SECRET_KEY=SECRET) as other,
    ):
        path = f"/zh/events/{EVENT}/register"
        form = hidden(ask(one, "GET", path)[2])
        forms = [another(form, number) for number in range(PEOPLE)]
        together = Barrier(100)

        def rush(number: int) -> tuple[int, str]:
            if number < 100:
                together.wait()
            typed = {"name": f"王{number}号", "phone": f"138{number:08d}", "confirmed": "yes"}
            status, ticket, text = ask(
                (one, other)[number % 2], "POST", path, {**forms[number], **typed}
            )
            page = re.search(r'data-page="([\w-]+)"', text)
            return status, ticket or (page[1] if page else "")

        began = time.monotonic()
        with ThreadPoolExecutor(100) as crowd:
            answers = list(crowd.map(rush, range(PEOPLE)))
        seconds = time.monotonic() - began
        tickets = [where for status, where in answers if status == 303]
        assert len(set(tickets)) == SEATS
        assert Counter(where for status, where in answers if status != 303) == {
            "full": PEOPLE - SEATS
        }
        assert all(ask(other, "GET", ticket)[0] == 200 for ticket in tickets), (
            "every acknowledged ticket opens"
        )
        print(f"{PEOPLE} people, two servers: {SEATS} seats, all answered after {seconds:.1f} s")  # noqa: T201
    database = sqlite3.connect(folder / "eventreg.sqlite3")
    taken, people = (
        database.execute(q).fetchone()[0]
        for q in ("SELECT taken FROM event_seats", "SELECT count(*) FROM attendees")
    )
    database.close()
    assert (taken, people) == (SEATS, SEATS)


def test_several_workers_share_the_seats_and_the_clock(folder: Path) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=5))
    house.close()
    settings = {
        "EVENTREG_WORKERS": "2",
        "EVENTREG_THREADS": "4",
        "EVENTREG_CLOCK": "2030-06-03T10:00:00+08:00",
    }
    with running(folder, **settings) as server:
        path = "/zh/events/small/register"
        forms = [hidden(ask(server, "GET", path)[2]) for _ in range(20)]

        def book(number: int) -> int:
            typed = {"name": f"王{number}号", "phone": f"138{number:08d}", "confirmed": "yes"}
            return ask(server, "POST", path, {**forms[number], **typed})[0]

        with ThreadPoolExecutor(20) as crowd:
            assert Counter(crowd.map(book, range(20))) == {303: 5, 409: 15}


def test_a_taken_port_is_reported_in_one_line_and_the_link_is_not_lost(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = refused(folder, PORT=str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == f"HOST, PORT: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
    )
    with running(folder) as server:
        assert server.link


def test_several_workers_with_limits_in_memory_do_not_start(tmp_path: Path) -> None:
    more = {"EVENTREG_WORKERS": "2", "EVENTREG_RATE_LIMITS": "on"}
    assert refused(tmp_path / "instance", **more).stderr.startswith("EVENTREG_WORKERS: ")


def test_a_server_on_all_addresses_without_a_public_url_gives_a_warning(tmp_path: Path) -> None:
    with running(tmp_path / "instance", HOST=EVERYWHERE) as server:
        assert "EVENTREG_PUBLIC_URL is not set" in server.printed
    with running(
        tmp_path / "instance", HOST=EVERYWHERE, EVENTREG_PUBLIC_URL="http://192.0.2.1"
    ) as server:
        assert "EVENTREG_PUBLIC_URL is not set" not in server.printed


@pytest.mark.parametrize(("address", "told"), [("", True), ("http://192.0.2.1", False)])
def test_dashboard_and_pairing_warn_if_links_open_on_this_machine_only(
    address: str, told: bool, folder: Path
) -> None:
    house = House(folder, EVENTREG_PUBLIC_URL=address)
    with house.app.app_context():
        house.apply(toml())
        house.hire()
        olga = house.signed_in("olga")
        for page in ("/staff/events/small", "/staff/events/small/telephones"):
            assert ("只有这台电脑打得开" in olga.get(page).text) is told, page
    house.close()
