"""Count tries for each network address, number, ticket or account, and refuse too many.

The counters are in memory for one process, in Redis for several.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from flask import Flask, current_app, request
from limits import RateLimitItem, parse
from limits.storage import RedisStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from eventreg import log
from eventreg.clock import utc_now
from eventreg.core.errors import LinkSpent, RegistrationUnknown
from eventreg.settings.proxies import household, parse_address
from eventreg.web.limits.counters import Counters
from eventreg.web.wire import request_log

REFUSED = tuple(map(parse, ("30/minute", "120/hour")))
"""Refused registrations from one address, such as of people who are registered already."""
PHONE = (parse("12/day"),)
"""Registrations under one number. Refused ones do not count, since anyone can type the number of
another person."""
FIND = (parse("20/10 minutes"),)
"""Searches for a lost ticket from one address."""
FIND_NUMBER = (parse("12/day"),)
"""Searches for a lost ticket under one number, from any address: there are only 581 codes."""
UNFINISHED = (parse("120/10 minutes"),)
"""Forms from one address that get an address of their own. Those beyond are answered without."""
CHANGE = (parse("20/hour"),)
"""Corrections of tickets from one address."""
CHANGE_TICKET = (parse("5/day"),)
"""Corrections of one ticket; after that the desk corrects."""
UNKNOWN_SECRET = (parse("20/10 minutes"),)
"""Unknown tickets and one-time links that are opened from one address, and unknown numbers that
one staff member searches for at the door."""
SIGN_IN = (parse("20/15 minutes"),)
"""Failed sign-ins from one address."""
SEARCH = (parse("60/minute"),)
"""Searches of one staff member."""
SYNC = (parse("60/minute"),)
"""Uploads of one door device. It tries again every three seconds."""
EXPORT = (parse("10/hour"),)
"""Exports of one staff member."""
RUSH = (parse("20/second"),)
"""Registrations altogether. More are logged, not refused."""
_FREE_FAILURES = 5
_LONGEST_DELAY = 15 * 60
_FORGOTTEN = 24 * 60 * 60
"""Seconds after which failed sign-ins are forgotten if none succeeds before."""
T = TypeVar("T")


class TooOften(Exception):
    """A limit is reached; it opens again in ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = max(1, seconds)
        self.minutes = -(-self.seconds // 60)


def _seconds() -> float:
    """The real time, even if the application's clock is set to another day."""
    return utc_now().timestamp()


class Unreachable(Exception):
    """The counters are in Redis, and Redis does not answer."""


class Limits:
    """The counters, in memory or in Redis. If limits are off, every check passes. ``who`` is the
    address, number, ticket or account that tries.

    If Redis does not answer, each process counts in its own memory, so that there is still a limit.
    """

    def __init__(self, on: bool, redis_url: str = "") -> None:
        self.on = on
        self._own: Storage = Counters()
        self._shared = (
            cast(Storage, storage_from_string(redis_url, socket_timeout=1))
            if redis_url
            else self._own
        )

    def reachable(self) -> bool:
        """Whether the storage of the counters answers."""
        try:
            return bool(self._shared.check())
        except Exception:
            return False

    def disconnect(self) -> None:
        """Close the connections to Redis, before a process forks. The next use connects again."""
        pool = getattr(getattr(self._shared, "storage", None), "connection_pool", None)
        if pool is not None:
            pool.disconnect()

    def _ask(self, question: Callable[[Storage], T]) -> T:
        try:
            return question(self._shared)
        except Exception as error:
            if self._shared is self._own:
                raise
            said = f"redis: {type(error).__name__}; limits are counted by this process alone"
            log.event("redis-away", said)
            return question(self._own)

    def hit(self, what: str, rates: tuple[RateLimitItem, ...], who: str) -> None:
        """Count one try. Raises ``TooOften`` if it exceeds a rate."""
        self._pass(what, rates, who, count=True)

    def check(self, what: str, rates: tuple[RateLimitItem, ...], who: str) -> None:
        """Raise ``TooOften`` if a rate is used up, without counting. Some tries count only if they
        fail."""
        self._pass(what, rates, who, count=False)

    def _pass(self, what: str, rates: tuple[RateLimitItem, ...], who: str, *, count: bool) -> None:
        if not self.on:
            return
        for rate in rates:

            def passes(storage: Storage, rate: RateLimitItem = rate) -> float | None:
                window = FixedWindowRateLimiter(storage)
                if (window.hit if count else window.test)(rate, what, who):
                    return None
                return window.get_window_stats(rate, what, who).reset_time

            resets = self._ask(passes)
            if resets is not None:
                raise _too_often(what, resets)

    def add(self, what: str, rates: tuple[RateLimitItem, ...], who: str, amount: int = 1) -> None:
        """Count ``amount`` in one atomic step for each rate, so that simultaneous requests cannot
        exceed it. Raises ``TooOften`` if it exceeds a rate; then nothing was counted."""
        if not self.on:
            return
        for done, rate in enumerate(rates):
            key = rate.key_for(what, who)

            def count(storage: Storage, key: str = key, rate: RateLimitItem = rate) -> float | None:
                counted = storage.incr(key, rate.get_expiry(), amount)
                return storage.get_expiry(key) if counted > rate.amount else None

            resets = self._ask(count)
            if resets is not None:
                self.subtract(what, rates[: done + 1], who, amount)
                raise _too_often(what, resets)

    def subtract(
        self, what: str, rates: tuple[RateLimitItem, ...], who: str, amount: int = 1
    ) -> None:
        """Undo an ``add`` whose act was refused."""
        if not self.on:
            return
        for rate in rates:

            def uncount(storage: Storage, rate: RateLimitItem = rate) -> None:
                storage.incr(rate.key_for(what, who), rate.get_expiry(), -amount)

            self._ask(uncount)

    def first(self, key: str, value: int, seconds: int) -> int:
        """The value stored under that key; stores and returns this one for so many seconds if there
        is none."""

        def keep(storage: Storage) -> int:
            if isinstance(storage, RedisStorage):
                name, client = storage.prefixed_key(key), storage.storage
                client.set(name, value, ex=seconds, nx=True)
                return int(client.get(name) or value)
            return cast(Counters, storage).first(key, value, seconds)

        return self._ask(keep)

    def sign_in_failed(self, account: str) -> None:
        """Count a failed sign-in. The fifth makes the account wait one second, and each further one
        twice as long, up to a quarter of an hour."""

        def count(storage: Storage) -> None:
            failures = storage.incr(f"failures/{account}", _FORGOTTEN)
            if failures >= _FREE_FAILURES:
                delay = min(_LONGEST_DELAY, 2 ** min(20, failures - _FREE_FAILURES))
                storage.clear(f"delay/{account}")
                storage.incr(f"delay/{account}", delay)

        self._ask(count)

    def sign_in_worked(self, account: str) -> None:
        """Forget the account's failures after a successful sign-in."""

        def forget(storage: Storage) -> None:
            storage.clear(f"failures/{account}")
            storage.clear(f"delay/{account}")

        self._ask(forget)

    def check_account(self, account: str) -> None:
        """Raise ``TooOften`` while the account has to wait."""
        if self.on and self._ask(lambda storage: storage.get(f"delay/{account}")):
            until = self._ask(lambda storage: storage.get_expiry(f"delay/{account}"))
            raise _too_often("account", until)


def _too_often(what: str, resets: float) -> TooOften:
    """The refusal, whose limit is named in the log if the answer says so."""
    request_log.note_limit(what)
    return TooOften(int(resets - _seconds()) + 1)


def init_app(app: Flask, on: bool, redis_url: str) -> None:
    """Create the counters of the app."""
    app.extensions["limits"] = Limits(on, redis_url)


def check(app: Flask) -> None:
    """Raise ``Unreachable`` if limits are on and their Redis does not answer; for the start of the
    server."""
    counters: Limits = app.extensions["limits"]
    if counters.on and not counters.reachable():
        raise Unreachable("EVENTREG_REDIS_URL: Redis does not answer")
    counters.disconnect()


@contextmanager
def secret_tried() -> Iterator[None]:
    """Wrap the look-up of a ticket or a one-time link, and count the unknown ones for the address.

    A valid secret always opens, even if another person behind the same address used up the tries.
    That gives nothing away, because they have at least 128 bits. After too many unknown ones,
    ``TooOften`` is raised in place of the refusal.
    """
    try:
        yield
    except (RegistrationUnknown, LinkSpent):
        limits().hit("unknown", UNKNOWN_SECRET, address())
        raise


def limits() -> Limits:
    """The counters of this app."""
    found: Limits = current_app.extensions["limits"]
    return found


def address() -> str:
    """The client's network address; an IPv6 network of one household counts as one address."""
    return household(parse_address(request.remote_addr or ""))
