"""The queue for checking passwords, which is slow on purpose."""

from threading import Semaphore

from flask import Flask, current_app

from eventreg.web.limits.limits import TooOften


class Hashing:
    """The queue for checking passwords, each of which takes 19 MiB and 30 ms.

    Two are checked at once and eight may wait. Together they hold at most half of the process's
    threads, so that the other half serves guests. If the queue is full, it raises ``TooOften``.
    """

    _AT_ONCE, _WAITING = 2, 8

    def __init__(self, threads: int) -> None:
        self._most = max(1, min(self._AT_ONCE + self._WAITING, threads // 2))
        self._queue = Semaphore(self._most)
        self._work = Semaphore(min(self._AT_ONCE, self._most))

    def __enter__(self) -> None:
        if not self._queue.acquire(blocking=False):
            raise TooOften(2)
        self._work.acquire()

    def __exit__(self, *_: object) -> None:
        self._work.release()
        self._queue.release()


def init_app(app: Flask, threads: int) -> None:
    """Create the queue of the app, in a process of that many threads."""
    app.extensions["hashing"] = Hashing(threads)


def hashing() -> Hashing:
    """The queue of this app."""
    found: Hashing = current_app.extensions["hashing"]
    return found
