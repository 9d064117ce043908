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
    """The start and the memory of a server as `make run` starts it, and what one more process
    takes."""
    seconds, memory, more = list[float](), list[list[float]](), list[float]()
    with place() as folder:
        for _ in range(5):
            began = time.monotonic()
            memory.append(_memory(folder, seconds, began, workers=1))
            more.append(sum(_memory(folder, [], began, workers=2)) - sum(memory[-1]))
    all_of_it = statistics.median(sum(one) for one in memory)
    answering = statistics.median(max(one) for one in memory)
    further = statistics.median(more)
    return [
        Figure("start to first answer, s", statistics.median(seconds), 1, at_most=True),
        Figure("memory of all its processes (PSS), MiB", all_of_it, 120, at_most=True),
        Figure("memory of the process that answers (PSS), MiB", answering, 90, at_most=True),
        Figure("memory of each further process (PSS), MiB", further, 40, at_most=True),
    ]


def _memory(folder: Path, seconds: list[float], began: float, workers: int) -> list[float]:
    """The memory of each process of a server that has answered, in MiB. Notes the seconds until it
    answered first."""
    several = {"EVENTREG_WORKERS": str(workers), "EVENTREG_RATE_LIMITS": "off"}
    with started(folder, EVENTREG_SECRET_KEY=SECRET, **several) as server:
        seconds.append(time.monotonic() - began)
        load(f"{server.address}/zh/events/big", server.pid, seconds=1)
        return [one / 1024 for one in memory_of_tree(server.pid)]
