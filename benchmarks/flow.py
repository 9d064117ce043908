"""A guest's whole way: event page, form, check page, confirmation, ticket."""

import io
import re
import resource
import statistics
import subprocess
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urlencode

from benchmarks.growth import filled
from benchmarks.hello import app as hello_app
from benchmarks.report import Figure
from benchmarks.rush import TIMES, place
from benchmarks.servers import ROOT, Load, cpu_of_tree, hello, load, measured
from eventreg import log
from eventreg.app import create_app
from eventreg.settings.reading import read
from tests.support.factories import SECRET, bare_environment
from tests.support.servers import started

GUESTS = 8
"""At a time."""
_SECONDS = 5
_OPEN = {"EVENTREG_SECRET_KEY": SECRET, "EVENTREG_RATE_LIMITS": "off"}
_GOALS = {"event page": 0.15, "form": 0.5, "check page": 0.7, "confirmation": 0.9, "ticket": 1.0}


def flows(address: str, pid: int, first: int, seconds: float = _SECONDS) -> tuple[Load, float]:
    """So many guests at a time go the whole way. ``first`` numbers them. Returns the load, counted
    in ways, and the processor time of the client for one, in ms."""
    before, client = cpu_of_tree(pid), _of_children()
    sizes = [f"-t{GUESTS}", f"-c{GUESTS}", f"-d{seconds}s"]
    script = ["-s", str(ROOT / "benchmarks" / "flow.lua"), address, "--", str(first)]
    said = subprocess.run(["wrk", *sizes, *script], capture_output=True, text=True, check=True)
    found = measured(said.stdout, cpu_of_tree(pid) - before)
    if found.wrong:
        raise RuntimeError(f"{found.wrong} guests got a wrong answer")
    return found, (_of_children() - client) / (found.rate * seconds) * 1000


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass
class _Measured:
    """What was measured with so many processes."""

    bare: list[Load] = field(default_factory=list)
    page: list[Load] = field(default_factory=list)
    flow: list[Load] = field(default_factory=list)
    client: list[float] = field(default_factory=list)

    def rate(self, loads: list[Load]) -> float:
        """Answers, or ways, per second."""
        return statistics.median(one.rate for one in loads)

    def cpu(self, loads: list[Load]) -> float:
        """Processor ms for one."""
        return statistics.median(one.cpu for one in loads)


def _with_processes(workers: int) -> _Measured:
    """The bare page, the event page and whole ways in turn. The bare page has the same server and
    threads."""
    found = _Measured()
    with ExitStack() as open_:
        folder = open_.enter_context(place())
        server = open_.enter_context(started(folder, EVENTREG_WORKERS=str(workers), **_OPEN))
        threads = read(bare_environment(**_OPEN)).threads
        bare, bare_pid = open_.enter_context(hello(workers, threads))
        for turn in range(TIMES):
            found.bare.append(load(bare, bare_pid, seconds=3))
            found.page.append(load(f"{server.address}/zh/events/big", server.pid, seconds=3))
            way, client = flows(server.address, server.pid, turn * 1_000_000)
            found.flow.append(way)
            found.client.append(client)
    return found


def whole_flow() -> list[Figure]:
    """The whole way over HTTP with one process and with two, compared with a bare page; and each of
    its pages in one thread without a server."""
    one, two = _with_processes(1), _with_processes(2)
    client = statistics.median(one.client)
    bare = f"bare page {one.rate(one.bare):.0f}/s"
    return [
        Figure("processor ms of a whole flow, one process", one.cpu(one.flow), 5, at_most=True),
        Figure(
            "flows/s, 8 guests at a time, one process",
            one.rate(one.flow),
            150,
            detail=f"the client itself takes {client:.1f} ms",
        ),
        Figure("flows/s, 8 guests at a time, two processes", two.rate(two.flow), 180),
        Figure(
            "flow/s ÷ bare page/s, one process",
            one.rate(one.flow) / one.rate(one.bare),
            0.04,
            detail=bare,
        ),
        Figure(
            "event page/s ÷ bare page/s, one process",
            one.rate(one.page) / one.rate(one.bare),
            0.60,
            detail=f"{one.rate(one.page):.0f}/s",
        ),
        Figure(
            "event page/s ÷ bare page/s, two processes",
            two.rate(two.page) / two.rate(two.bare),
            0.60,
        ),
        *in_process(),
        *growing(),
    ]


def in_process(guests: int = 400) -> list[Figure]:
    """The processor time of each page in one thread, without a server: the median of so many
    guests."""
    with place() as folder:
        app = create_app(read(bare_environment(EVENTREG_INSTANCE=str(folder), **_OPEN)))
        log.buffer()
        way = _Way(app)
        for number in range(guests):
            way.go(number)
    bare = _Way(hello_app)
    for _ in range(guests):
        bare.ask("bare page", "/")
    return [
        Figure("in process: a bare page, ms", statistics.median(bare.took["bare page"])),
        *(
            Figure(f"in process: {what}, ms", statistics.median(way.took[what]), goal, at_most=True)
            for what, goal in _GOALS.items()
        ),
    ]


def _of_a_filled_event(people: int) -> float:
    """The processor ms of a whole way to an event with so many people."""
    with filled(people) as house:
        way = _Way(house.app, "small")
        for number in range(150):
            way.go(number)
    return sum(statistics.median(took) for took in way.took.values())


def growing() -> list[Figure]:
    """The whole way at 100,000 people compared with at 50, in one thread without a server."""
    small, large = _of_a_filled_event(50), _of_a_filled_event(100_000)
    return [
        Figure(
            "at 100,000 ÷ at 50 people: whole flow",
            large / small,
            1.2,
            at_most=True,
            detail=f"{small:.1f} and {large:.1f} ms",
        )
    ]


class _Way:
    """One guest after the other calls the application."""

    def __init__(self, app: object, slug: str = "big") -> None:
        self._app, self._page = app, f"/zh/events/{slug}"
        self.took: defaultdict[str, list[float]] = defaultdict(list)

    def go(self, number: int) -> None:
        """The way of the guest of that number."""
        self.ask("event page", self._page)
        shown, _ = self.ask("form", f"{self._page}/register")
        token = re.search(r'csrf_token" value="([^"]+)', shown)[1]  # type: ignore[index]
        typed = {"csrf_token": token, "name": "王小明", "phone": f"138{number:08}", "website": ""}
        self.ask("check page", f"{self._page}/register", typed)
        confirmed = {**typed, "confirmed": "yes"}
        _, headers = self.ask("confirmation", f"{self._page}/register", confirmed)
        self.ask("ticket", headers["Location"].partition("#")[0])

    def ask(
        self, what: str, path: str, form: dict[str, str] | None = None
    ) -> tuple[str, dict[str, str]]:
        """Ask for a page. Returns it and its headers, and notes the time."""
        body = urlencode(form or {}).encode()
        answered: dict[str, str] = {}
        environ = {
            "REQUEST_METHOD": "POST" if form else "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http",
        }
        began = time.thread_time()
        answer = self._app(environ, lambda _status, headers: answered.update(headers))  # type: ignore[operator]
        page = b"".join(answer)
        answer.close()
        self.took[what].append((time.thread_time() - began) * 1000)
        return page.decode(), answered
