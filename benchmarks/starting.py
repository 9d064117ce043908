"""The memory of the processes, and the time from the start to the first answer."""

import statistics
import time
from pathlib import Path

from benchmarks.report import Figure
from benchmarks.rush import place
from benchmarks.servers import load, memory_of_tree
from tests.support.factories import SECRET
from tests.support.servers import started


def starting() -> list[Figure]:
    """The start and the memory of a server as `make run` starts it, and the memory of each of two
    workers."""
    seconds, memory = [], []
    with place() as folder:
        for _ in range(5):
            began = time.monotonic()
            with started(folder, EVENTREG_SECRET_KEY=SECRET) as server:
                seconds.append(time.monotonic() - began)
                load(f"{server.address}/zh/events/big", server.pid, seconds=1)
                memory.append(sum(memory_of_tree(server.pid)) / 1024)
        workers = _of_workers(folder)
    return [
        Figure("start to first answer, s", statistics.median(seconds), 1, at_most=True),
        Figure(
            "memory of all its processes (PSS), MiB", statistics.median(memory), 120, at_most=True
        ),
        Figure("memory per worker (PSS), MiB", workers, 60, at_most=True),
    ]


def _of_workers(folder: Path) -> float:
    with started(
        folder, EVENTREG_SECRET_KEY=SECRET, EVENTREG_WORKERS="2", EVENTREG_THREADS="2"
    ) as server:
        load(f"{server.address}/zh/events/big", server.pid, seconds=1)
        return statistics.mean(sorted(memory_of_tree(server.pid))[-2:]) / 1024
