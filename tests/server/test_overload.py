"""More guests than the database takes: each gets an answer in bounded time and keeps the form, and
those who only read are served."""

import fcntl
import os
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

from tests.server.test_many_machines import REGISTER, grown_up, typed
from tests.server.test_server import ask
from tests.support.factories import SECRET, House, toml
from tests.support.servers import Server, running

GUESTS = 120
MOST_SECONDS = 45
"""Without a bound they wait in eights, each for five seconds: 75 seconds in all."""


def send(server: Server, form: dict[str, str]) -> tuple[int, str | None, bool]:
    """Send a form. Returns the status, Retry-After, and whether the page still has what was
    typed."""
    place = urllib.parse.urlsplit(server.address)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=120)
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", REGISTER, urllib.parse.urlencode(form), head)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    kept = f'value="{form["name"]}"' in text and f'value="{form["phone"]}"' in text
    return answer.status, answer.headers["Retry-After"], kept


def test_while_nobody_can_write_guests_are_told_soon_and_keep_their_form(folder: Path) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=200))
    house.close()
    with (
        running(folder, EVENTREG_SECRET_KEY=SECRET) as server,
        ThreadPoolExecutor(GUESTS + 1) as crowd,
    ):
        form = grown_up(server)
        lock = os.open(folder / "eventreg.sqlite3.lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(lock, fcntl.LOCK_EX)
        began = time.monotonic()
        waiting = [crowd.submit(send, server, typed(form, number)) for number in range(GUESTS)]
        assert ask(server, "GET", "/zh/events/small")[0] == 200
        answers = [one.result() for one in waiting]
        seconds = time.monotonic() - began
        os.close(lock)
        assert set(answers) == {(503, "5", True)}, answers
        assert seconds < MOST_SECONDS, seconds
        assert send(server, typed(form, 7))[0] == 303, "afterwards the same form gets its seat"
