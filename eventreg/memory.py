"""Memory: which process ends if the machine has none left, and giving back what is free."""

import ctypes
from contextlib import suppress
from pathlib import Path


def end_this_process_first() -> None:
    """Let the kernel end this process before the server: its work can be done again. It works on
    Linux only."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def give_back() -> None:
    """Give the memory that a large piece of work has left free back to the system. Python and glibc
    would keep it for the next one. It works with glibc only."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
