"""The parent process of a server. It forks the children, restarts those that die, and stops them.

As long as it forks, the parent has no threads and no connection to the database, so that each child
starts clean.
"""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from types import FrameType
from typing import NoReturn

from eventreg import log
from eventreg.clock import stopwatch

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)
STOP_SECONDS = 35
"""How long the children may take to stop. Then they are killed."""
_SHORT_LIFE = 1.0
"""Seconds. A child that lived shorter than this is restarted only after a pause of this length."""


@dataclass(frozen=True)
class ChildJob:
    """The work of one child. ``work`` gets the read end of a pipe; the other end is closed when the
    parent is gone."""

    name: str
    work: Callable[[int], None]


class Family:
    """The parent and its children."""

    def __init__(self, jobs: Sequence[ChildJob], on_stop: Callable[[], None]) -> None:
        self._jobs = jobs
        self._on_stop = on_stop
        self._born: dict[int, tuple[ChildJob, float]] = {}
        self._stopping = False
        self._lifeline, self._held = os.pipe()

    def run(self) -> None:
        """Start every job, and return when all have ended after SIGTERM or SIGINT."""
        gc.collect()
        gc.freeze()  # so that the memory stays shared between the processes
        for number in _STOP_SIGNALS:
            signal.signal(number, self._on_signal)
        for job in self._jobs:
            if not self._stopping:
                self._start(job)
        while self._born:
            child, status = os.waitpid(-1, 0)
            born = self._born.pop(child, None)
            if born is not None and not self._stopping:
                self._restart(*born, child, status)
        signal.alarm(0)

    def _on_signal(self, _signal: int, _frame: FrameType | None) -> None:
        """At the first signal ask the children to stop. At the second, or after ``STOP_SECONDS``,
        kill them."""
        kill = self._stopping
        for child in self._born:
            os.kill(child, signal.SIGKILL if kill else signal.SIGTERM)
        if not kill:
            self._stopping = True
            self._on_stop()
            signal.alarm(STOP_SECONDS)

    def _restart(self, job: ChildJob, since: float, child: int, status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        said = f"{job.name} (process {child}) ended with {code}; it is started again"
        log.event("process-ended", said, job=job.name, process=child, exit=code)
        if stopwatch() - since < _SHORT_LIFE:
            Event().wait(_SHORT_LIFE)
        if not self._stopping:
            self._start(job)

    def _start(self, job: ChildJob) -> None:
        with _signals_blocked():
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
        _run_child(job, self._lifeline)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Handle no signal inside: a child that the parent has not noted yet would not be stopped."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)


def _run_child(job: ChildJob, lifeline: int) -> NoReturn:
    """Do the job and end the process. It never returns into the parent's code."""
    code = 1
    try:
        job.work(lifeline)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException as error:
        log.event("unhandled", f"{job.name} broke", error=error, job=job.name)
    finally:
        log.flush()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
