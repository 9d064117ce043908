"""Read an uploaded file in a child process with limited time and memory.

The file goes in on stdin, and JSON comes out on stdout. If the process hangs, grows or dies, the
server is not affected. The process gets no settings and no open files of the server. It cannot
write a file or start another process.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from eventreg import log, memory
from eventreg.core.errors import ReadersBusy

_ROOT = Path(__file__).resolve().parents[2]
"""The folder of the program. Not from the settings: their imports would take half of the time of a
child."""
SECONDS = 15
"""Seconds that one file may take by the clock. Many more than by the processor, because a good file
must not be refused while the machine is busy."""
_PROCESSOR_SECONDS = 3
"""Seconds of processor time. A spreadsheet of 5,000 rows in 20 columns takes 1.3."""
MEMORY = 128 * 1024 * 1024
"""Bytes of address space. A spreadsheet of 20,000 rows takes 45 MiB, as does a long event file."""
_MOST_ANSWERED = 4 * 1024 * 1024
"""Bytes of the answer. The people of 5,000 rows take 280 kB."""
_WAIT = 0.5
_OUT_OF_MEMORY = 3
_OUT_OF_TIME = (-signal.SIGALRM, -signal.SIGXCPU)
_turns = BoundedSemaphore(2)
"""Files that one server process reads at a time."""
_KNOWN = {"PATH", "HOME", "LD_LIBRARY_PATH"}


class Exceeded(Exception):
    """The file took too much; ``what`` is ``time`` or ``memory``."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def run(module: str, content: bytes) -> Any:
    """The answer of ``python -m module`` to this content. The module calls ``answer``.

    Raises ``Exceeded`` if it takes too much, and ``ReadersBusy`` if two other files are being read.
    A child that crashes counts as ``Exceeded("memory")``, and the log has an error.
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
            cwd=_ROOT,
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
        if ended.returncode != _OUT_OF_MEMORY:  # a signal, or a bug
            said = f"{module} ended with {ended.returncode}"
            log.event("reader-broke", said, exit=ended.returncode)
        raise Exceeded("memory")
    return json.loads(ended.stdout)


def _environment() -> dict[str, str]:
    """The variables that Python needs to start. No locale, since its tables take address space."""
    kept = {name for name in os.environ if name in _KNOWN or name.startswith("PYTHON")}
    return {**{name: os.environ[name] for name in kept}, "LC_ALL": "C"}


def answer(read: Callable[[bytes], object]) -> None:
    """In the child process: set the limits, and write what ``read`` returns for stdin as JSON."""
    memory.end_this_process_first()
    warnings.simplefilter("ignore")  # libraries warn about the style of a file
    signal.setitimer(signal.ITIMER_REAL, SECONDS)  # also if the server is gone
    _limit(resource.RLIMIT_CPU, _PROCESSOR_SECONDS, _PROCESSOR_SECONDS + 1)
    _limit(resource.RLIMIT_AS, MEMORY, MEMORY)
    for nothing in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE):
        _limit(nothing, 0, 0)
    try:
        made = json.dumps(read(sys.stdin.buffer.read()), ensure_ascii=False)
        encoded = made.encode(errors="replace")
    except (MemoryError, RecursionError):
        sys.exit(_OUT_OF_MEMORY)
    if len(encoded) > _MOST_ANSWERED:
        sys.exit(_OUT_OF_MEMORY)
    sys.stdout.buffer.write(encoded)


def _limit(what: int, soft: int, hard: int) -> None:
    with suppress(ValueError, OSError):  # a system may lack one
        resource.setrlimit(what, (soft, hard))
