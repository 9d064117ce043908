"""Password hashing is limited, as it costs time and memory: public pages stay fast in a flood."""

import http.client
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from threading import Barrier, Event
from typing import Any

import pyotp
import pytest
from pytest import MonkeyPatch

from eventreg.core.staff import accounts, passwords, second_factor
from eventreg.storage.session import transaction
from eventreg.web.limits.hashing import Hashing
from eventreg.web.limits.limits import TooOften
from tests.server.test_server import hidden
from tests.support.factories import LONG_PASSWORD, PASSWORD, House
from tests.support.pages import fill, get, sign_in
from tests.support.servers import Server, running
from tests.web.staff.test_second_factor import FACTOR, OWN_PASSWORD, link_for, send

FLOOD = 30


def asked(
    server: Server, path: str, body: str = "", cookie: str = ""
) -> tuple[int, dict[str, str], str, float]:
    """One request; returns status, headers, text and seconds."""
    began = time.monotonic()
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=60)
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST" if body else "GET", path, body or None, headers if body else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.headers), text, time.monotonic() - began


def test_a_flood_of_sign_ins_does_not_slow_public_pages(small: House, folder: Path) -> None:
    with running(folder) as server:
        _, headers, text, _ = asked(server, "/staff/sign-in")
        cookie = headers["Set-Cookie"].split(";")[0]
        together = Barrier(FLOOD + 1)

        def guess(number: int) -> list[tuple[int, str]]:
            together.wait()
            typed = {**hidden(text), "username": f"olga{number}", "password": "wrong wrong wrong"}
            answers = [
                asked(server, "/staff/sign-in", urllib.parse.urlencode(typed), cookie)
                for _ in range(4)
            ]
            return [(status, headers.get("Retry-After", "")) for status, headers, _, _ in answers]

        with ThreadPoolExecutor(FLOOD) as pool:
            guessing = pool.map(guess, range(FLOOD))
            together.wait()
            pages = [asked(server, "/zh/events/small") for _ in range(20)]
            answers = Counter(answer for one in guessing for answer in one)
    assert {status for status, *_ in pages} == {200}
    assert max(seconds for *_, seconds in pages) < 3
    assert set(answers) == {(422, ""), (429, "2")}, answers
    assert answers[422, ""] >= 4, "those in the queue are answered"


@pytest.mark.parametrize(
    ("threads", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (8, 4), (16, 8), (20, 10), (64, 10)]
)
def test_hashing_uses_at_most_half_of_the_threads(threads: int, most: int) -> None:
    """Seventy come at once. Those without a place are refused at once, the others are served."""
    hashing, away, leave = Hashing(threads), Queue[int](), Event()

    def come(_: int) -> bool:
        try:
            with hashing:
                return leave.wait(10)
        except TooOften as wait:
            away.put(wait.seconds)
            return False

    with ThreadPoolExecutor(70) as pool:
        served = pool.map(come, range(70))
        sent_away = [away.get(timeout=5) for _ in range(70 - most)]
        leave.set()
        assert Counter(served) == {True: most, False: len(sent_away)}


class Watched(Hashing):
    """The real queue, which counts how many are inside."""

    inside = 0

    def __enter__(self) -> None:
        super().__enter__()
        self.inside += 1

    def __exit__(self, *_: object) -> None:
        self.inside -= 1
        super().__exit__()


def test_no_page_hashes_outside_the_queue(small: House, monkeypatch: MonkeyPatch) -> None:
    """Visits every page that checks or sets a password, with real hashes."""
    queue = Watched(8)
    small.app.extensions["hashing"] = queue
    hashed: Counter[bool] = Counter()

    def watched(really: Callable[..., Any]) -> Callable[..., Any]:
        def hashing(*given: Any) -> Any:
            hashed[queue.inside > 0] += 1
            return really(*given)

        return hashing

    for name in ("verify", "hashed"):
        monkeypatch.setattr(passwords, name, watched(getattr(passwords, name)))
    olga = small.signed_in("olga")
    sign_in(small.client(), "nobody", PASSWORD)
    fill(olga, "/staff/password", password=PASSWORD)
    fill(small.client(), link_for(small, "dora"), password=LONG_PASSWORD)
    secret = second_factor.new_secret()
    send(olga, FACTOR, password=PASSWORD, secret=secret, code=pyotp.TOTP(secret).at(small.now))
    with transaction() as session:
        accounts.by_name(session, "olga").totp_secret = None
        accounts.by_name(session, "desmond").totp_secret = secret
        desmond_id = accounts.by_name(session, "desmond").id
    send(olga, f"/staff/accounts/{desmond_id}/second-factor", password=PASSWORD)
    send(olga, OWN_PASSWORD, password=PASSWORD, new_password=LONG_PASSWORD)
    assert get(olga, "/staff/me").status == 200
    assert hashed == {True: 8}
