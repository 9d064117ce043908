"""How often one address, number or account may try (PROMISES 3.6). In memory, so for one process."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from threading import Lock, Semaphore

from flask import Flask, current_app, request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from eventreg.clock import utc_now
from eventreg.core.errors import LinkSpent, RegistrationUnknown

REGISTER = tuple(map(parse, ("30/minute", "120/hour")))
"""Confirmed registrations of one address; a venue's guests share one."""
PHONE = (parse("12/day"),)
UNKNOWN_SECRET = (parse("20/10 minutes"),)
SIGN_IN = (parse("20/15 minutes"),)
SEARCH = (parse("60/minute"),)
RUSH = (parse("20/second"),)
_FREE_FAILURES = 5
_LONGEST_DELAY = 15 * 60


class TooOften(Exception):
    """Come back in ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = max(1, seconds)
        self.minutes = -(-self.seconds // 60)


def _seconds() -> float:
    """The real time, also where the house's clock is set to another day: an abuser's minute is a minute."""
    return utc_now().timestamp()


class Limits:
    """The counters of one process. Off means that everything passes."""

    def __init__(self, on: bool) -> None:
        self.on = on
        self._storage = MemoryStorage()
        self._window = FixedWindowRateLimiter(self._storage)
        self._failures: dict[str, tuple[int, float]] = {}
        self._lock = Lock()

    def hit(self, what: str, rates: tuple[object, ...], who: str) -> None:
        """Count one try; ``TooOften`` where that is one too many."""
        self._pass(what, rates, who, count=True)

    def check(self, what: str, rates: tuple[object, ...], who: str) -> None:
        """Look without counting: for what is counted only when it fails."""
        self._pass(what, rates, who, count=False)

    def _pass(self, what: str, rates: tuple[object, ...], who: str, *, count: bool) -> None:
        if not self.on:
            return
        for rate in rates:
            passes = (self._window.hit if count else self._window.test)(rate, what, who)  # type: ignore[arg-type]
            if not passes:
                resets = self._window.get_window_stats(rate, what, who).reset_time  # type: ignore[arg-type]
                raise TooOften(int(resets - _seconds()) + 1)

    def sign_in_failed(self, account: str) -> None:
        """Five failures are free; then the delay doubles from one second to a quarter of an hour."""
        with self._lock:
            failures, _ = self._failures.get(account, (0, 0.0))
            delay = (
                min(_LONGEST_DELAY, 2 ** min(20, failures + 1 - _FREE_FAILURES))
                if failures + 1 >= _FREE_FAILURES
                else 0
            )
            self._failures[account] = (failures + 1, _seconds() + delay)
            if len(self._failures) > 10_000:
                self._failures.pop(next(iter(self._failures)))

    def sign_in_worked(self, account: str) -> None:
        """The owner is back: forget the failures."""
        with self._lock:
            self._failures.pop(account, None)

    def check_account(self, account: str) -> None:
        """``TooOften`` while the account's delay runs."""
        _, until = self._failures.get(account, (0, 0.0))
        if self.on and until > _seconds():
            raise TooOften(int(until - _seconds()) + 1)


class Hashing:
    """Two passwords are checked at once and eight may wait: each takes 19 MiB and 30 ms."""

    def __init__(self) -> None:
        self._queue = Semaphore(10)
        self._work = Semaphore(2)

    def __enter__(self) -> None:
        if not self._queue.acquire(blocking=False):
            raise TooOften(2)
        self._work.acquire()

    def __exit__(self, *_: object) -> None:
        self._work.release()
        self._queue.release()


def init_app(app: Flask, on: bool) -> None:
    """Fresh counters for this app."""
    app.extensions["limits"] = Limits(on)
    app.extensions["hashing"] = Hashing()


@contextmanager
def secret_tried() -> Iterator[None]:
    """Around whatever opens a ticket or a one-time link: an address may try few that do not exist."""
    limits().check("unknown", UNKNOWN_SECRET, address())
    try:
        yield
    except (RegistrationUnknown, LinkSpent):
        limits().hit("unknown", UNKNOWN_SECRET, address())
        raise


def limits() -> Limits:
    """The counters of this app."""
    found: Limits = current_app.extensions["limits"]
    return found


def hashing() -> Hashing:
    """The queue before the password hasher."""
    found: Hashing = current_app.extensions["hashing"]
    return found


def address() -> str:
    """Who is asking, as far as the network tells; one IPv6 household is one."""
    try:
        ip = ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    return str(IPv6Address(int(ip) >> 64 << 64)) if isinstance(ip, IPv6Address) else str(ip)
