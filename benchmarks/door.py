"""The door over HTTP: check-ins by the page, uploads of devices, and what 100,000 people cost."""

import http.client
import json
import re
import statistics
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from uuid import uuid4

from sqlalchemy import text

from benchmarks.growth import fill_event
from benchmarks.report import Figure
from benchmarks.rush import ON_THE_DISK, TIMES
from benchmarks.servers import cpu_of_tree
from eventreg.core.audit import Actor
from eventreg.core.door import check_in
from eventreg.core.door.check_in import Arrival
from eventreg.core.event import events
from eventreg.storage.checks import make_tables
from eventreg.storage.session import Session, db, write
from tests.server.test_server import hidden
from tests.support.factories import PASSWORD, SECRET, House, toml
from tests.support.servers import started

CLOCK = "2030-06-10T08:50:00+08:00"
ACTS, HALL, CLIENTS = 500, 50, 4
HALLS_A_TURN, SECONDS = 20, 2
"""A thousand people: more than come through in that time."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _slug(event: int) -> str:
    return "small" if event == 1 else f"hall-{event}"


@contextmanager
def _halls(number: int, people: int) -> Iterator[Path]:
    """An instance folder with so many events, each with so many people who are expected."""
    with TemporaryDirectory(dir=ON_THE_DISK, prefix=".run-") as folder:
        instance = Path(folder) / "instance"
        instance.mkdir(mode=0o700)
        house = House(instance)
        with house.app.app_context():
            make_tables()
            house.hire()
            for event in range(1, number + 1):
                house.apply(toml(_slug(event), people, "[waitlist]\nsize = 0"))
            fill_event(number * people)
            _distribute(people)
        house.close()
        yield instance


def _distribute(people: int) -> None:
    with db.engine.begin() as connection:
        for table in ("registrations", "attendees"):
            of_event = f"UPDATE {table} SET event_id = 1 + (id - 1) / {people}"
            connection.execute(text(of_event))
        connection.execute(text(f"UPDATE event_seats SET taken = {people}, capacity = {people}"))
        connection.execute(text("ANALYZE"))


class _Door:
    """Dora's browser, on one connection."""

    def __init__(self, address: str, pid: int) -> None:
        place = urllib.parse.urlsplit(address)
        self.address, self.pid = address, pid
        self._connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
        self._cookies: dict[str, str] = {}
        shown = self.ask("GET", "/staff/sign-in")[2]
        form = {**hidden(shown), "username": "dora", "password": PASSWORD}
        self.ask("POST", "/staff/sign-in", urllib.parse.urlencode(form), _FORM)
        home = self.ask("GET", "/staff/")[2]
        self.token = hidden(home)["csrf_token"]

    @property
    def cookie(self) -> str:
        """The header of the session."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def ask(
        self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, str, str]:
        """Send one request. Returns status, address of a redirect, and text."""
        sent = {**(headers or {}), "Cookie": self.cookie}
        self._connection.request(method, path, body or None, sent)
        answer = self._connection.getresponse()
        said = answer.read().decode()
        for given in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = given.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer.status, answer.headers.get("Location", ""), said

    def upload(self, slug: str, body: str) -> float:
        """Upload a batch. Returns the seconds that it took."""
        headers = {"Content-Type": "application/json", "X-CSRF-Token": self.token}
        began = time.perf_counter()
        status, _, said = self.ask("POST", f"/door/{slug}/sync", body, headers)
        took = time.perf_counter() - began
        results = {one["result"] for one in json.loads(said)["results"]}
        assert (status, results) == (200, {"checked_in"}), said
        return took

    def check_in(self, slug: str, person: int) -> None:
        """Check a person in on the page, and open the page that follows."""
        form = urllib.parse.urlencode({"csrf_token": self.token, "attendee": f"{person:032x}"})
        status, there, said = self.ask("POST", f"/door/{slug}/check-ins", form, _FORM)
        assert status == 303, said
        assert self.ask("GET", there)[0] == 200


@contextmanager
def _door(folder: Path) -> Iterator[_Door]:
    """A server of one process on that folder, and a browser there."""
    given = {"EVENTREG_SECRET_KEY": SECRET, "EVENTREG_CLOCK": CLOCK, "EVENTREG_WORKERS": "1"}
    with started(folder, **given) as server:
        yield _Door(server.address, server.pid)


def _batch(first: int) -> str:
    acts = [
        {"key": uuid4().hex, "seq": one, "act": "check-in", "attendee": f"{one:032x}", "at": CLOCK}
        for one in range(first, first + ACTS)
    ]
    return json.dumps({"device": "door-1", "now": CLOCK, "acts": acts})


def _uploads() -> list[Figure]:
    """Batches of a device, each sent twice."""
    first, again = [], []
    with _halls(1, ACTS * (TIMES + 1)) as folder, _door(folder) as door:
        for turn in range(TIMES + 1):
            batch = _batch(1 + turn * ACTS)
            taken = door.upload("small", batch), door.upload("small", batch)
            if turn:  # the first one opens everything
                first.append(taken[0])
                again.append(taken[1])
    once, twice = statistics.median(first), statistics.median(again)
    detail = f"a batch takes {once * 1000:.0f} ms"
    return [
        Figure(f"sync, {ACTS} acts a batch: acts/s", ACTS / once, 5_000, detail=detail),
        Figure("sync: replay ÷ first", twice / once, 0.3, True, f"{twice * 1000:.0f} ms"),
    ]


_LUA = """
local threads, slugs = {}, {}
for slug in string.gmatch("%(slugs)s", "%%S+") do table.insert(slugs, slug) end
function setup(thread) table.insert(threads, thread); thread:set("id", #threads) end
function init() count = 0; done_here = 0; wrong = 0; there = nil end
request = function()
  if there then return wrk.format("GET", there, {Cookie = "%(cookie)s"}) end
  count = count + 1
  local place = (count - 1) * %(clients)d + id - 1
  local slug = slugs[math.floor(place / %(hall)d) + 1]
  local body = string.format("csrf_token=%(token)s&attendee=%%032x", %(first)d + place)
  return wrk.format("POST", "/door/" .. slug .. "/check-ins",
    {Cookie = "%(cookie)s", ["Content-Type"] = "application/x-www-form-urlencoded"}, body)
end
response = function(status, headers)
  if status ~= (there and 200 or 303) then wrong = wrong + 1 end
  if there then
    there, done_here = nil, done_here + 1
  else
    there = headers["Location"]
  end
end
function done(summary)
  local counted, failed = 0, 0
  for _, thread in ipairs(threads) do
    counted = counted + thread:get("done_here"); failed = failed + thread:get("wrong")
  end
  print("= seconds " .. summary.duration / 1e6)
  print("= count " .. counted)
  print("= wrong " .. failed)
end
"""


def _rush(door: _Door, turn: int) -> tuple[float, float]:
    """Four volunteers check in everybody in some halls. Returns check-ins per second, and the
    processor milliseconds of each."""
    halls = range(1 + turn * HALLS_A_TURN, 1 + (turn + 1) * HALLS_A_TURN)
    script = _LUA % {
        "slugs": " ".join(map(_slug, halls)),
        "cookie": door.cookie,
        "token": door.token,
        "clients": CLIENTS,
        "hall": HALL,
        "first": (halls[0] - 1) * HALL + 1,
    }
    with NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = [
            "wrk",
            f"-t{CLIENTS}",
            f"-c{CLIENTS}",
            f"-d{SECONDS}s",
            "-s",
            file.name,
            door.address,
        ]
        before = cpu_of_tree(door.pid)
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        used = cpu_of_tree(door.pid) - before
    found = {key: float(value) for key, value in re.findall(r"^= (\w+) ([\d.]+)$", said, re.M)}
    assert found["wrong"] == 0, said
    return found["count"] / found["seconds"], used / found["count"] * 1000


def _by_the_page() -> list[Figure]:
    """Check-ins on the page, at events of fifty people."""
    with _halls(HALLS_A_TURN * (TIMES + 1), HALL) as folder, _door(folder) as door:
        turns = [_rush(door, turn) for turn in range(TIMES + 1)][1:]
    rate, cpu = (statistics.median(one) for one in zip(*turns, strict=True))
    name = f"check-ins/s by the page, redirect followed, c={CLIENTS}"
    return [Figure(name, rate, 300, detail=f"CPU {cpu:.2f} ms")]


def _page_cpu(halls: int, people: int) -> float:
    """The processor milliseconds of a check-in on the page and the page that follows."""
    found = []
    with _halls(halls, people) as folder, _door(folder) as door:
        for turn in range(TIMES + 1):
            slug, first = (_slug(turn + 1), turn * people) if halls > 1 else ("small", turn * HALL)
            before = cpu_of_tree(door.pid)
            for person in range(first + 1, first + HALL + 1):
                door.check_in(slug, person)
            found.append((cpu_of_tree(door.pid) - before) / HALL * 1000)
    return statistics.median(found[1:])


def _core_cpu(people: int) -> float:
    """The processor milliseconds of a check-in without a page."""
    with _halls(1, people) as folder:
        house = House(folder)
        with house.app.app_context():

            def arrive(session: Session, person: int) -> None:
                came = Arrival(f"{person:032x}", house.now, house.now)
                event = events.get(session, "small")
                check_in.check_in(session, event, came, anyway=True, by=Actor("staff", 3))

            taken = []
            for person in range(1, HALL + 1):
                began = time.thread_time()
                write(partial(arrive, person=person))
                taken.append((time.thread_time() - began) * 1000)
        house.close()
    return statistics.median(taken)


def _growing() -> list[Figure]:
    """A check-in among fifty people and among 100,000."""
    page = _page_cpu(TIMES + 1, HALL), _page_cpu(1, 100_000)
    core = _core_cpu(HALL), _core_cpu(100_000)
    return [
        Figure(
            f"at 100,000 ÷ at 50 people: check-in{how}",
            large / small,
            1.2,
            at_most=True,
            detail=f"CPU {small:.2f} and {large:.2f} ms",
        )
        for how, (small, large) in ((" by the page", page), ("", core))
    ]


def doors() -> list[Figure]:
    """Everything about the door."""
    return [*_by_the_page(), *_uploads(), *_growing()]
