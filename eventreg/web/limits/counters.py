"""The counters of one process, in its own memory and never more than so many of a kind."""

from itertools import islice
from threading import Lock

from limits.storage import Storage

from eventreg.clock import utc_now

MOST = 10_000
"""Counters of one kind, about 3 MB. A kind is what is counted: a flood of one kind pushes out no
other."""


class Counters(Storage):
    """What ``limits`` needs of a storage. When a kind is full, its expired counters go, and if that
    is not enough the oldest tenth of it: who has ten thousand addresses has no need of an older
    counter's allowance."""

    STORAGE_SCHEME = None

    def __init__(self, most: int = MOST) -> None:
        super().__init__()
        self._most = most
        self._kinds: dict[str, dict[str, tuple[int, float]]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        """How many counters are kept."""
        return sum(map(len, self._kinds.values()))

    @property
    def base_exceptions(self) -> type[Exception]:
        """What may go wrong: nothing that is to be wrapped."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, and return the sum; a counter ends ``expiry`` seconds after its first count."""
        with self._lock:
            kind, now = self._kinds.setdefault(_kind(key), {}), utc_now().timestamp()
            counted, ends = kind.get(key, (0, 0.0))
            if ends <= now:
                kind.pop(key, None)
                self._make_room(kind, now)
                counted, ends = 0, now + expiry
            kind[key] = (counted + amount, ends)
            return counted + amount

    def first(self, key: str, value: int, expiry: float) -> int:
        """The value that was kept first under that key; this one, if none is."""
        with self._lock:
            kind, now = self._kinds.setdefault(_kind(key), {}), utc_now().timestamp()
            kept, ends = kind.get(key, (0, 0.0))
            if ends > now:
                return kept
            kind.pop(key, None)
            self._make_room(kind, now)
            kind[key] = (value, now + expiry)
            return value

    def _make_room(self, kind: dict[str, tuple[int, float]], now: float) -> None:
        if len(kind) < self._most:
            return
        for key in [key for key, (_, ends) in kind.items() if ends <= now]:
            del kind[key]
        if len(kind) >= self._most:
            for key in list(islice(kind, max(1, self._most // 10))):
                del kind[key]

    def _find(self, key: str) -> tuple[int, float]:
        now = utc_now().timestamp()
        counted, ends = self._kinds.get(_kind(key), {}).get(key, (0, now))
        return (counted, ends) if ends > now else (0, now)

    def get(self, key: str) -> int:
        """The sum, 0 for a counter that has ended or never was."""
        return self._find(key)[0]

    def get_expiry(self, key: str) -> float:
        """When it ends; now, if it has."""
        return self._find(key)[1]

    def check(self) -> bool:
        """It is always there."""
        return True

    def reset(self) -> int:
        """Forget them all. Returns how many there were."""
        with self._lock:
            kept = len(self)
            self._kinds.clear()
            return kept

    def clear(self, key: str) -> None:
        """Forget one."""
        with self._lock:
            self._kinds.get(_kind(key), {}).pop(key, None)


def _kind(key: str) -> str:
    """What is counted: ``LIMITER/find/…`` is a rate's key, ``delay/…`` is one of our own."""
    first, _, rest = key.partition("/")
    return rest.partition("/")[0] if first == "LIMITER" else first
