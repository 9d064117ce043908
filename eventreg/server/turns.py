"""Turns of the threads that answer requests.

Python runs one thread at a time. Threads that answer together take that right from each other at
every statement and every look at a file, and each change costs more than a small answer. So one
thread answers one request after the other, while the others rest. But a request that waits itself
(for the disk, for another program) or takes long (an export, a password) holds up nobody: the next
thread goes on beside it.
"""

from typing import Any

from waitress.task import ThreadedTaskDispatcher

from eventreg import log
from eventreg.clock import stopwatch

PATIENCE = 0.02
"""Seconds. A request that takes longer is left alone with its thread. Nearly all take less."""


class Turns(ThreadedTaskDispatcher):  # type: ignore[misc]  # waitress has no types
    """The threads of one process, and the requests that wait for them.

    While requests wait, one thread that rests is on watch: it wakes after ``PATIENCE``, and answers
    the next request if no other was begun meanwhile. All fields are read and written with ``lock``
    held.
    """

    def __init__(self) -> None:
        super().__init__()
        self._answering = 0
        self._begun = 0.0
        """When the last request was begun."""
        self._is_watched = False

    def add_task(self, task: Any) -> None:
        """Let a request wait for its turn."""
        with self.lock:
            self.queue.append(task)
            self._wake_one_if_needed()

    def handler_thread(self, thread_no: int) -> None:
        """Answer requests until the thread is to stop."""
        while (task := self._next()) is not None:
            try:
                task.service()
            except BaseException as error:
                log.event("unhandled", "a thread that answers", error=error)
            with self.lock:
                self._answering -= 1
        with self.lock:
            self.threads.discard(thread_no)
            self.thread_exit_cv.notify()

    def _next(self) -> Any:
        """Wait for the next request; ``None`` if the thread is to stop."""
        with self.lock:
            while not self.stop_count and not self._may_begin():
                self._rest()
            self.active_count -= bool(self.stop_count)
            if self.stop_count:
                self.stop_count -= 1
                return None
            task = self.queue.popleft()
            self._answering += 1
            self._begun = stopwatch()
            self._wake_one_if_needed()
            return task

    def _may_begin(self) -> bool:
        """Whether a request waits, and nobody answers, or only those who take long."""
        takes_long = stopwatch() - self._begun >= PATIENCE
        return bool(self.queue) and (not self._answering or takes_long)

    def _rest(self) -> None:
        """Wait until a request comes; or, on watch, for ``PATIENCE``."""
        watches = bool(self.queue) and not self._is_watched
        self._is_watched |= watches
        self.active_count -= 1
        self.queue_cv.wait(PATIENCE if watches else None)
        self.active_count += 1
        if watches:
            self._is_watched = False

    def _wake_one_if_needed(self) -> None:
        """Wake a thread to begin, or to watch if none does. A thread that ends its request looks
        for the next one itself."""
        if self.queue and not (self._answering and self._is_watched):
            self.queue_cv.notify()
