"""Many registrations from one network address, on the real server: a script, a family, an office,
and the customers of a mobile carrier."""

import http.client
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from eventreg.clock import utc_now
from eventreg.core.desk import bursts
from eventreg.storage.session import reading
from tests.proofs.crowd import Place
from tests.proofs.volley import volley
from tests.support import redis
from tests.support.factories import SECRET, House, toml
from tests.support.servers import Server, running
from tests.support.tokens import token

REGISTER = "/zh/events/small/register"
SCRIPT, FAMILY, OFFICE, CARRIER = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"
"""Loopback addresses, so that the server sees four clients."""

pytestmark = pytest.mark.both_databases


@pytest.fixture
def place(house: House, environment: dict[str, str]) -> Place:
    """An event with fifty seats, and the place of its database."""
    house.apply(toml(capacity=50, more="[waitlist]\nopen = false"))
    return Place(str(house.settings.instance), environment)


@contextmanager
def limited(place: Place, **settings: str) -> Iterator[Server]:
    """Run the server with limits on."""
    given = {
        "EVENTREG_SECRET_KEY": SECRET,
        "EVENTREG_RATE_LIMITS": "on",
        **place.environment,
        **settings,
    }
    with running(Path(place.folder), **given) as server:
        yield server


def form(number: int, people: int = 1, *, key: str = "") -> dict[str, str]:
    """A confirmed form, shown ten seconds ago."""
    shown_at = int(time.time()) - 10  # the server uses the real clock
    filled = {"csrf_token": token("small", shown_at, key), "confirmed": "yes"}
    filled |= {"name": f"王{number}甲", "phone": f"138{number:08d}"}
    return filled if people == 1 else {**filled, "companion-1": f"王{number}乙"}


def send(server: Server, who: str, filled: dict[str, str]) -> tuple[int, str, str]:
    """Send a form from that address. Returns status, Retry-After and the page."""
    at = urllib.parse.urlsplit(server.address)
    connection = http.client.HTTPConnection(
        str(at.hostname), at.port, timeout=60, source_address=(who, 0)
    )
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", REGISTER, urllib.parse.urlencode(filled), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers.get("Retry-After", ""), text


def script(server: Server, first: int = 0, *, one_form: bool = False) -> int:
    """Twenty-five couples at one moment, from one address. Returns how many were registered."""
    key = "a" * 32 if one_form else ""
    answers = volley([server], REGISTER, [form(first + n, 2, key=key) for n in range(25)])
    assert {answer.status for answer in answers} <= {303, 422, 429}
    return sum(answer.status == 303 for answer in answers)


def test_a_script_gets_two_seats_with_one_form_and_at_most_ten_with_many(
    house: House, place: Place
) -> None:
    with limited(place) as server:
        assert script(server, one_form=True) == 1
        assert script(server, first=25) <= 4
        assert 2 < house.seats().taken <= 10
        (burst,) = bursts.of_event(reading(), house.event(), now=utc_now())
        assert len(burst.people) == house.seats().taken, "they share a mark"
        assert send(server, FAMILY, form(100))[0] == 303, "another address can register"
        (burst,) = bursts.of_event(reading(), house.event(), now=utc_now())
        assert "王100甲" not in {one.name for one in burst.people}


def test_without_the_limit_a_script_takes_all_seats(house: House, place: Place) -> None:
    with limited(place, EVENTREG_PEOPLE_PER_ADDRESS="1000/minute") as server:
        assert script(server) == 25
    assert house.seats().taken == 50


def test_a_family_of_six_and_an_office_of_ten_get_through_in_a_minute(
    house: House, place: Place
) -> None:
    with limited(place) as server, ThreadPoolExecutor(8) as together:
        family = together.map(lambda n: send(server, FAMILY, form(n, 2)), range(3))
        office = together.map(lambda n: send(server, OFFICE, form(n)), range(10, 20))
        assert {status for status, _, _ in (*family, *office)} == {303}
    assert house.seats().taken == 16


def test_the_forty_first_guest_behind_a_carrier_is_asked_to_call_and_keeps_the_input(
    house: House, place: Place
) -> None:
    """Only the limit per hour is set; the limit per minute would make the test take minutes."""
    with limited(place, EVENTREG_PEOPLE_PER_ADDRESS="40/hour") as server:
        answers = [send(server, CARRIER, form(n)) for n in range(50)]
        assert send(server, FAMILY, form(50))[0] == 303
    assert [status for status, _, _ in answers] == [303] * 40 + [429] * 10
    _, wait, page = answers[40]
    assert 3500 < int(wait) <= 3601
    for said in (
        'data-page="check"',
        "刚才报名的人太多了",
        "0574-87654321",
        "分钟后，也可以再按一次",
        'value="王40甲"',
    ):
        assert said in page, said


@pytest.fixture
def shared_redis() -> Iterator[str]:
    """The address of a running Redis."""
    with redis.running() as (url, _):
        yield url


def test_two_servers_that_share_a_redis_share_the_limit_and_the_mark(
    house: House, place: Place, shared_redis: str
) -> None:
    with (
        limited(place, EVENTREG_REDIS_URL=shared_redis) as one,
        limited(place, EVENTREG_REDIS_URL=shared_redis) as two,
    ):
        answers = volley([one, two], REGISTER, [form(n) for n in range(24)])
    assert sum(answer.status == 303 for answer in answers) == house.seats().taken <= 10
    assert house.seats().taken >= 8
