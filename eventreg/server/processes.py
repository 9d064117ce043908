"""The parent of all processes of a server. It forks them, starts again what dies, and stops them in
order.

The parent itself has no threads and no connection to the database, so that each child starts clean.
"""

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event as Bell
from types import FrameType
from typing import NoReturn

from eventreg.clock import stopwatch

_TOLD = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)
STOP_SECONDS = 35
"""How long the children may take to stop; then they are killed."""
_SHORT_LIFE = 1.0
"""Seconds. A child that lived no longer is started again only after this time."""


@dataclass(frozen=True)
class Job:
    """What one child does. ``work`` gets the read end of a pipe that is closed when the parent is
    gone."""

    name: str
    work: Callable[[int], None]


class Family:
    """The children, and what becomes of them."""

    def __init__(
        self, jobs: Sequence[Job], log: logging.Logger, on_stop: Callable[[], None]
    ) -> None:
        self._jobs = jobs
        self._log = log
        self._on_stop = on_stop
        self._born: dict[int, tuple[Job, float]] = {}
        self._stopping = False
        self._lifeline, self._held = os.pipe()

    def run(self) -> None:
        """Start every job, and return when all have ended after SIGTERM or SIGINT."""
        gc.collect()
        gc.freeze()  # what is there now stays shared between the processes
        for told in _TOLD:
            signal.signal(told, self._told)
        for job in self._jobs:
            self._start(job)
        while self._born:
            child, status = os.waitpid(-1, 0)
            born = self._born.pop(child, None)
            if born is not None and not self._stopping:
                self._start_again(*born, child, status)
        signal.alarm(0)

    def _told(self, _signal: int, _frame: FrameType | None) -> None:
        """The first time all are asked to stop; the second time, or after ``STOP_SECONDS``, they
        are killed."""
        kill = self._stopping
        for child in self._born:
            os.kill(child, signal.SIGKILL if kill else signal.SIGTERM)
        if not kill:
            self._stopping = True
            self._on_stop()
            signal.alarm(STOP_SECONDS)

    def _start_again(self, job: Job, since: float, child: int, status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        self._log.error("%s (process %d) ended with %d; it is started again", job.name, child, code)
        if stopwatch() - since < _SHORT_LIFE:
            Bell().wait(_SHORT_LIFE)
        if not self._stopping:
            self._start(job)

    def _start(self, job: Job) -> None:
        with _uninterrupted():
            child = os.fork()
            if child:
                self._born[child] = (job, stopwatch())
                return
            os.close(self._held)
            self._born = {}
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            # Ctrl-C reaches every process of a terminal; the parent alone passes it on.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        _live(job, self._lifeline)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """No signal is handled inside: a child that the parent has not noted would never be told to
    stop."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _TOLD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD)


def _live(job: Job, lifeline: int) -> NoReturn:
    """The child's whole life. It never returns into the parent's code."""
    code = 1
    try:
        job.work(lifeline)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:
        logging.getLogger(__name__).exception("%s broke", job.name)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
