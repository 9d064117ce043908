"""A file that somebody sent, read by a process of its own with limits of memory and time.

The file goes in on stdin, JSON comes out on stdout. If that process hangs, grows or dies, nobody
else notices. It knows none of our settings, has none of our open files, writes no file and starts
no other process.
"""

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from threading import BoundedSemaphore
from typing import Any

from eventreg.core.errors import ReadersBusy
from eventreg.settings import ROOT

SECONDS = 4
"""Of the clock: a file is answered within five."""
_PROCESSOR = 3
"""Seconds of the processor. A spreadsheet of 5,000 rows in 20 columns takes 1.3."""
MEMORY = 128 * 1024 * 1024
"""Bytes of address space. A spreadsheet of 20,000 rows takes 45 MiB, so does a long event file."""
_MOST_ANSWERED = 4 * 1024 * 1024
"""Bytes. The people of 5,000 rows take 280 kB."""
_WAIT = 0.5
_OUT_OF_MEMORY = 3
_OUT_OF_TIME = (-signal.SIGALRM, -signal.SIGXCPU)
_turns = BoundedSemaphore(2)
"""As many at once in each process of the server, so that many files do not take the machine."""
_KNOWN = {"PATH", "HOME", "LD_LIBRARY_PATH"}


class Exceeded(Exception):
    """The file took more than it may: ``what`` is ``time`` or ``memory``."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def run(module: str, content: bytes) -> Any:
    """What ``python -m module``, which calls ``answer``, makes of the content.

    ``Exceeded`` if it takes too much, ``ReadersBusy`` if others are reading and do not end soon.
    """
    if not _turns.acquire(timeout=_WAIT):
        raise ReadersBusy
    try:
        ended = subprocess.run(  # noqa: S603 - our own program, no shell
            [sys.executable, "-m", module],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            cwd=ROOT,
            env=_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:  # it has been killed
        raise Exceeded("time") from error
    finally:
        _turns.release()
    if ended.returncode in _OUT_OF_TIME:
        raise Exceeded("time")
    if ended.returncode or not ended.stdout:
        if ended.returncode != _OUT_OF_MEMORY:  # a signal, or a fault of our own
            logging.getLogger(__name__).error("%s ended with %s", module, ended.returncode)
        raise Exceeded("memory")
    return json.loads(ended.stdout)


def _environment() -> dict[str, str]:
    """What Python needs to start. Without a locale, whose tables would take address space."""
    kept = {name for name in os.environ if name in _KNOWN or name.startswith("PYTHON")}
    return {**{name: os.environ[name] for name in kept}, "LC_ALL": "C"}


def answer(read: Callable[[bytes], object]) -> None:
    """In the other process: what ``read`` makes of stdin, as JSON on stdout, within the limits."""
    warnings.simplefilter("ignore")  # libraries warn about the style of a file
    signal.setitimer(signal.ITIMER_REAL, SECONDS)  # also if nobody is there any more to kill us
    _limit(resource.RLIMIT_CPU, _PROCESSOR, _PROCESSOR + 1)
    _limit(resource.RLIMIT_AS, MEMORY, MEMORY)
    for nothing in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE):
        _limit(nothing, 0, 0)
    try:
        made = json.dumps(read(sys.stdin.buffer.read()), ensure_ascii=False)
        told = made.encode(errors="replace")
    except (MemoryError, RecursionError):
        sys.exit(_OUT_OF_MEMORY)
    if len(told) > _MOST_ANSWERED:
        sys.exit(_OUT_OF_MEMORY)
    sys.stdout.buffer.write(told)


def _limit(what: int, soft: int, hard: int) -> None:
    with suppress(ValueError, OSError):  # not every system has each
        resource.setrlimit(what, (soft, hard))
