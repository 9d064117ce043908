"""The desk's heavy pages: the list, its exports and an import, and the memory that they leave."""

import csv
import io
import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from flask.testing import FlaskClient

from benchmarks.growth import fill, filled, made_up_name
from benchmarks.report import Figure
from benchmarks.rush import ON_THE_DISK
from benchmarks.servers import memory_of_tree
from eventreg.core.desk import attendee_list
from eventreg.core.importing.import_file import MOST_ROWS
from tests.server.test_server import hidden
from tests.support.factories import PASSWORD, SECRET, House
from tests.support.pages import Page
from tests.support.servers import started

PEOPLE, TIMES = 10_000, 5
_DESK = "/staff/events/small"
_PACKED = {"Accept-Encoding": "gzip"}
"""As every browser asks."""


def desk() -> list[Figure]:
    """The seconds of the list, its exports and an import, and what the exports leave in memory."""
    with filled(PEOPLE) as house:
        olga = house.signed_in("olga")
        pages = [
            _page(olga, "attendees", "list page of 200 of 10,000, s", 0.02),
            _page(olga, "attendees.csv", "CSV of 10,000, s", 0.15),
            _page(olga, "attendees.xlsx", "XLSX of 10,000, s", 0.4),
        ]
    return [*pages, *_imports(), _memory(), *_growth()]


@contextmanager
def _measured(used: list[float], took: list[float]) -> Iterator[None]:
    """Add the processor seconds of a block, with those of its child processes, and the clock's."""
    before, began = _processor(), time.perf_counter()
    yield
    used.append(_processor() - before)
    took.append(time.perf_counter() - began)


def _processor() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _figure(name: str, goal: float, used: list[float], took: list[float]) -> Figure:
    clock = f"of the processor; {statistics.median(took):.3f} s by the clock"
    return Figure(name, statistics.median(used), goal, at_most=True, detail=clock)


def _ask(browser: FlaskClient, address: str) -> None:
    with browser.get(f"{_DESK}/{address}", headers=_PACKED) as answer:
        assert answer.status_code == 200, answer.status
        answer.get_data()


def _page(browser: FlaskClient, address: str, name: str, goal: float) -> Figure:
    used: list[float] = []
    took: list[float] = []
    _ask(browser, address)
    for _ in range(TIMES):
        with _measured(used, took):
            _ask(browser, address)
    return _figure(name, goal, used, took)


def _imports() -> list[Figure]:
    """The trial of a file of 5,000 people, and the import after it; each time of other people."""
    tried: tuple[list[float], list[float]] = ([], [])
    done: tuple[list[float], list[float]] = ([], [])
    with filled(50) as house:
        olga = house.signed_in("olga")
        empty = Page(olga.get(f"{_DESK}/import"))
        token = next(form for form in empty.forms if "file" in form.fields).fields["csrf_token"]
        for turn in range(TIMES):
            file = (io.BytesIO(_list_of_people(turn * MOST_ROWS)), "list.csv")
            with _measured(*tried):
                answer = olga.post(f"{_DESK}/import", data={"csrf_token": token, "file": file})
            form = next(one for one in Page(answer).forms if "rows" in one.fields)
            with _measured(*done):
                after = olga.post(
                    f"{_DESK}/import", data={**form.fields, "confirmed": "yes"}, **_AS_A_FILE
                )
            assert 'data-done="yes"' in after.get_data(as_text=True)
        assert house.seats().taken == 50 + TIMES * MOST_ROWS
    return [
        _figure("import of 5,000, the trial, s", 2, *tried),
        _figure("import of 5,000, s", 2, *done),
    ]


_AS_A_FILE = {"content_type": "multipart/form-data"}


def _list_of_people(first: int) -> bytes:
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["姓名", "电话"])
    for number in range(first, first + MOST_ROWS):
        rows.writerow([made_up_name(number), f"137{number:08d}"])
    return out.getvalue().encode()


def _memory() -> Figure:
    """The memory of a server as `make run` starts it, after one person asked once for each."""
    sums, servers = [], []
    with TemporaryDirectory(dir=ON_THE_DISK, prefix=".run-") as folder:
        instance = Path(folder) / "instance"
        instance.mkdir(mode=0o700)
        house = House(instance)
        with house.app.app_context():
            fill(house, PEOPLE)
        house.close()
        for _ in range(TIMES):
            with started(instance, EVENTREG_SECRET_KEY=SECRET) as server:
                browser = _signed_in(server.address)
                for address in ("attendees", "attendees.csv", "attendees.xlsx"):
                    browser.open(f"{server.address}{_DESK}/{address}").read()
                found = memory_of_tree(server.pid)
                sums.append(sum(found) / 1024)
                servers.append(max(found) / 1024)
    return Figure(
        "memory after list, CSV and XLSX of 10,000 (PSS), MiB",
        statistics.median(sums),
        110,
        at_most=True,
        detail=f"of all its processes; {statistics.median(servers):.0f} of the one that answered",
    )


def _growth() -> list[Figure]:
    """The first page of the list, and searches that find one person or few, at 100,000 ÷ at 50.

    Both pages have the same number of rows.
    """
    small: dict[str, list[float]] = {what: [] for what in _LOOKS}
    large: dict[str, list[float]] = {what: [] for what in _LOOKS}
    with mock.patch.object(attendee_list, "PAGE", 50), filled(50) as few, filled(100_000) as many:
        for house, used in ((few, small), (many, large)) * TIMES:
            with house.app.app_context():
                olga = house.signed_in("olga")
                for what, address in _LOOKS.items():
                    _ask(olga, address)
                    with _measured(used[what], []):
                        _ask(olga, address)
    return [
        Figure(
            f"at 100,000 ÷ at 50: {what}",
            statistics.median(large[what]) / statistics.median(small[what]),
            1.2,
            at_most=True,
            detail=f"{statistics.median(small[what]) * 1000:.1f} and "
            f"{statistics.median(large[what]) * 1000:.1f} ms of the processor",
        )
        for what in _LOOKS
    ]


_LOOKS = {
    "first page": "attendees",
    "search by last four digits": "attendees?q=0042",
    "search by name and last four digits": "attendees?q=张 0042",
    "search by name": "attendees?q=王英秀",
}


def _signed_in(address: str) -> OpenerDirector:
    browser = build_opener(HTTPCookieProcessor())
    browser.addheaders = [("Accept", "text/html")]
    form = hidden(browser.open(f"{address}/staff/sign-in").read().decode())
    typed = {**form, "username": "olga", "password": PASSWORD}
    browser.open(Request(f"{address}/staff/sign-in", urlencode(typed).encode()))
    browser.addheaders = list(_PACKED.items())
    return browser
