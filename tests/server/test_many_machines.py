"""Several processes and machines share seats in PostgreSQL and limits in Redis. Unsafe starts are
refused."""

import signal
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from eventreg.core import invariants
from eventreg.storage.session import reading
from tests.server.test_server import ask, hidden
from tests.support import redis
from tests.support.factories import PASSWORD, SECRET, House, toml
from tests.support.servers import Server, refused, running
from tests.support.tokens import another

REGISTER = "/zh/events/small/register"


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """A Redis for the tests of this file."""
    with redis.running() as (url, _):
        yield url


@pytest.fixture
def shared(database: str, redis_url: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The settings of every application machine of one event."""
    shared = {
        "EVENTREG_DATABASE_URL": database,
        "EVENTREG_SECRET_KEY": SECRET,
        "EVENTREG_REDIS_URL": redis_url,
        "EVENTREG_TRUSTED_PROXIES": "1",
        "EVENTREG_RATE_LIMITS": "on",
    }
    house = House(tmp_path / "preparing", EVENTREG_DATABASE_URL=database)
    with house.app.app_context():
        house.apply(toml(capacity=30))
        house.hire()
    house.close()
    yield shared


def typed(form: dict[str, str], number: int) -> dict[str, str]:
    """The filled-in form of one person."""
    return {
        **another(form, number),
        "name": f"王{number}号",
        "phone": f"138{number:08d}",
        "confirmed": "yes",
    }


def send(server: Server, path: str, form: dict[str, str], who: str) -> tuple[int, str, str]:
    """Send a form from the address ``who``, as the proxy in front reports it."""
    place = urllib.parse.urlsplit(server.address)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=60)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": who}
    connection.request("POST", path, urllib.parse.urlencode(form), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers.get("Location", ""), text


def grown_up(server: Server) -> dict[str, str]:
    """A form that was shown ten seconds ago, since a form sent within two is refused."""
    return another(hidden(ask(server, "GET", REGISTER)[2]), older=10)


def test_two_application_machines_share_seats_sessions_tickets_and_limits(
    shared: dict[str, str], tmp_path: Path
) -> None:
    with (
        running(tmp_path / "one", **shared, EVENTREG_WORKERS="2", EVENTREG_THREADS="4") as one,
        running(tmp_path / "other", **shared) as other,
    ):
        both = (one, other)
        form = grown_up(one)
        with ThreadPoolExecutor(40) as crowd:
            answers = list(
                crowd.map(
                    lambda n: send(both[n % 2], REGISTER, typed(form, n), f"10.0.{n}.1"), range(120)
                )
            )
        assert Counter(status for status, _, _ in answers) == {303: 30, 409: 90}
        tickets = [where for status, where, _ in answers if status == 303]
        assert all(
            ask(both[number % 2], "GET", ticket)[0] == 200 for number, ticket in enumerate(tickets)
        )
        same = [send(both[n % 2], REGISTER, typed(form, 7), "10.0.7.1")[:2] for n in range(4)]
        assert len(set(same)) == 1, "the same form gets the same ticket from both machines"
        _check_that_limits_are_shared(both)
        _check_that_sessions_are_shared(both)
    house = House(tmp_path / "after", EVENTREG_DATABASE_URL=shared["EVENTREG_DATABASE_URL"])
    with house.app.app_context():
        found = invariants.of_event(reading(), house.event(), now=house.now)
        assert (found.confirmed, found.free, found.holds) == (30, 0, True)
    house.close()


def _check_that_limits_are_shared(both: tuple[Server, Server]) -> None:
    """One address tries to sign in repeatedly, at the two machines in turn."""
    page = hidden(ask(both[0], "GET", "/staff/sign-in")[2])
    tried = {**page, "username": "nobody", "password": "wrong wrong wrong"}
    cookie = _cookie(both[0])
    said = [
        _post_with(both[n % 2], "/staff/sign-in", {**tried, **cookie[1]}, cookie[0], "10.9.9.9")[0]
        for n in range(8)
    ]
    assert said.count(429) >= 2, "both machines count the same failures"


def _cookie(server: Server) -> tuple[str, dict[str, str]]:
    """A session cookie, and the hidden fields of the page that set it."""
    place = urllib.parse.urlsplit(server.address)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=60)
    connection.request("GET", "/staff/sign-in")
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return str(answer.headers["Set-Cookie"]).split(";")[0], hidden(text)


def _post_with(
    server: Server, path: str, form: dict[str, str], cookie: str, who: str
) -> tuple[int, str]:
    place = urllib.parse.urlsplit(server.address)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=60)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": cookie,
        "X-Forwarded-For": who,
    }
    connection.request("POST", path, urllib.parse.urlencode(form), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, "; ".join(
        one.split(";")[0] for one in answer.headers.get_all("Set-Cookie") or []
    )


def _check_that_sessions_are_shared(both: tuple[Server, Server]) -> None:
    cookie, fields = _cookie(both[0])
    status, signed_in = _post_with(
        both[0],
        "/staff/sign-in",
        {**fields, "username": "olga", "password": PASSWORD},
        cookie,
        "10.8.8.8",
    )
    assert status == 303
    place = urllib.parse.urlsplit(both[1].address)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=60)
    connection.request("GET", "/staff/events/small", headers={"Cookie": signed_in})
    answer = connection.getresponse()
    assert 'data-holds="yes"' in answer.read().decode()
    connection.close()


def test_while_redis_is_away_each_process_counts_by_itself(tmp_path: Path, folder: Path) -> None:
    with redis.running() as (url, process):
        house = House(folder, EVENTREG_RATE_LIMITS="on", EVENTREG_REDIS_URL=url)
        process.send_signal(signal.SIGTERM)
        process.wait()
        with house.app.app_context():
            house.apply(toml())
            guest = house.client()
            said = [guest.get(f"/T/{'A' * 26}").status_code for _ in range(22)]
        house.close()
    assert (said[0], said[-1]) == (404, 429)


def test_an_unsafe_start_is_refused_in_one_line(
    tmp_path: Path, database: str, cluster: Any
) -> None:
    newer = cluster.create("newer", str(make_url(database).database))
    cluster.sql("UPDATE alembic_version SET version_num = '2031_01_01_future'", "newer")
    cluster.sql("DELETE FROM fitting_programs", "newer")
    forgetful = cluster.create("forgetful", "migrated")
    cluster.sql("ALTER SYSTEM SET full_page_writes = off")
    cluster.sql("SELECT pg_reload_conf()")
    try:
        said = refused(tmp_path / "instance", EVENTREG_DATABASE_URL=forgetful)
    finally:
        cluster.sql("ALTER SYSTEM RESET full_page_writes")
        cluster.sql("SELECT pg_reload_conf()")
    assert (said.returncode, said.stderr) == (
        1,
        "PostgreSQL: full_page_writes is off, and must be on\n",
    )
    for begins, environment in {
        "EVENTREG_WORKERS: ": {"EVENTREG_WORKERS": "2"},
        "EVENTREG_REDIS_URL: Redis does not answer": {
            "EVENTREG_REDIS_URL": f"redis+unix://{tmp_path}/none"
        },
        "EVENTREG_REDIS_URL: must begin": {"EVENTREG_REDIS_URL": "http://127.0.0.1"},
        "EVENTREG_DATABASE_URL: the database cannot be asked": {
            "EVENTREG_DATABASE_URL": f"postgresql://nobody@/none?host={tmp_path}"
        },
        "EVENTREG_DATABASE_URL: must begin": {"EVENTREG_DATABASE_URL": "mysql://localhost/x"},
        "the database is of a newer eventreg": {"EVENTREG_DATABASE_URL": newer},
    }.items():
        said = refused(tmp_path / "instance", **environment)
        assert (said.returncode, said.stdout) == (1, ""), said
        assert said.stderr.startswith(begins), said.stderr
        assert len(said.stderr.splitlines()) == 1, said.stderr
    for name in ("newer", "forgetful"):
        cluster.drop(name)
