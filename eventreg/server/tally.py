"""What the server's processes have counted since the start, in memory that they share.

Each process adds to a row of its own. A process that is started again goes on with the row of the
one before it. So a process that dies takes no figure along, no file is written, and any process can
answer for all. The memory must be made before the processes are forked.
"""

import mmap
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from threading import Lock

NO_ROUTE = "none"
"""The route of a request for an address that does not exist."""
_KNOWN = (
    *(200, 204, 302, 303, 304, 308),
    *(400, 401, 403, 404, 405, 408, 409, 413, 414, 415, 422, 429, 431),
    *(500, 502, 503),
)
STATUSES = (*map(str, _KNOWN), "1xx", "2xx", "3xx", "4xx", "5xx")
"""The statuses that are counted. One that is not named counts for its class."""
_PLACE_OF_STATUS = {status: place for place, status in enumerate(STATUSES)}
WAITS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""The upper bounds, in seconds, of the classes of a writer's wait. The last class has none."""
_CELL = 8
SPARE_ROWS = 8
"""Rows for the parent and for the processes beside the server."""


class Tally:
    """The figures of all processes of one server. ``routes`` are the names of all pages."""

    def __init__(self, routes: Iterable[str], processes: int) -> None:
        self._routes = (*sorted(routes), NO_ROUTE)
        self._begin = {route: i * len(STATUSES) for i, route in enumerate(self._routes)}
        self._waits = len(self._routes) * len(STATUSES)
        self._waited = self._waits + len(WAITS) + 1
        self._failures = self._waited + 1
        self._width = self._failures + 1
        self._rows = processes + SPARE_ROWS
        self._cells = memoryview(mmap.mmap(-1, self._rows * self._width * _CELL)).cast("d")
        self._columns: dict[tuple[str | None, int], int] = {}
        self._row = 0
        self._lock = Lock()

    def use_row(self, number: int) -> None:
        """From now on, this process adds to the row of that number. No other one may use it."""
        self._row = number % self._rows * self._width

    def _add(self, column: int, amount: float = 1) -> None:
        with self._lock:
            self._cells[self._row + column] += amount

    def answered(self, route: str | None, status: int) -> None:
        """Count a request."""
        column = self._columns.get((route, status))
        if column is None:
            place = _PLACE_OF_STATUS.get(str(status), _PLACE_OF_STATUS[f"{status // 100}xx"])
            column = self._columns[route, status] = (
                self._begin.get(route or NO_ROUTE, self._begin[NO_ROUTE]) + place
            )
        self._add(column)

    def writer_waited(self, seconds: float) -> None:
        """Count a writer that has waited for its turn, also one that has given up."""
        self._add(self._waits + bisect_left(WAITS, seconds))
        self._add(self._waited, seconds)

    def sign_in_failed(self) -> None:
        """Count a sign-in with a wrong name, password or code."""
        self._add(self._failures)

    def _sum(self, column: int) -> float:
        return sum(self._cells[column :: self._width].tolist())

    def requests(self) -> Iterator[tuple[str, str, float]]:
        """Route, status and number of all requests, without those that never happened."""
        for route in self._routes:
            for place, status in enumerate(STATUSES):
                if count := self._sum(self._begin[route] + place):
                    yield route, status, count

    def sign_in_failures(self) -> float:
        """How many sign-ins failed."""
        return self._sum(self._failures)

    def waits(self) -> list[float]:
        """How many writers waited at most as long as each bound of ``WAITS``, and how many in
        all."""
        total = 0.0
        return [total := total + self._sum(self._waits + i) for i in range(len(WAITS) + 1)]

    def seconds_waited(self) -> float:
        """How long all writers together have waited."""
        return self._sum(self._waited)
