"""Which process ends if the machine has no memory left."""

from contextlib import suppress
from pathlib import Path


def end_this_process_first() -> None:
    """Let the kernel end this process before the server: its work can be done again. It works on
    Linux only."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
