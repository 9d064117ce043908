"""Rate limit counters in the memory of one process, with at most so many of each kind."""

from itertools import islice
from threading import Lock

from limits.storage import Storage

from eventreg.clock import utc_now

MOST = 10_000
"""The most counters of one kind, about 3 MB. A kind is what is counted, such as ``find``. A flood
of one kind removes no counter of another."""


class Counters(Storage):
    """A storage for the library ``limits``.

    If a kind is full, its expired counters are removed, and if that is not enough, its oldest
    tenth. So very many addresses together can remove the counter of one number or account; then
    only the limit of each address slows them down.
    """

    STORAGE_SCHEME = None

    def __init__(self, most: int = MOST) -> None:
        super().__init__()
        self._most = most
        self._kinds: dict[str, dict[str, tuple[int, float]]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        """The number of counters."""
        return sum(map(len, self._kinds.values()))

    @property
    def base_exceptions(self) -> type[Exception]:
        """The errors that ``limits`` would wrap; memory raises none."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to a counter and return its sum. It ends ``expiry`` seconds after its first count."""
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
        """The value stored under that key. If there is none, stores this one for ``expiry`` seconds
        and returns it."""
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
        """The sum of a counter; 0 if it has ended or never began."""
        return self._find(key)[0]

    def get_expiry(self, key: str) -> float:
        """When a counter ends, in seconds since 1970; now if it has ended or never began."""
        return self._find(key)[1]

    def check(self) -> bool:
        """Whether the storage can be reached; memory always can."""
        return True

    def reset(self) -> int:
        """Remove all counters. Returns how many there were."""
        with self._lock:
            kept = len(self)
            self._kinds.clear()
            return kept

    def clear(self, key: str) -> None:
        """Remove one counter."""
        with self._lock:
            self._kinds.get(_kind(key), {}).pop(key, None)


def _kind(key: str) -> str:
    """The kind in a key: ``find`` in the library's ``LIMITER/find/…``, ``delay`` in our
    ``delay/…``."""
    first, _, rest = key.partition("/")
    return rest.partition("/")[0] if first == "LIMITER" else first
