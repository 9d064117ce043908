"""What the log of each request costs a guest: the event page of two servers, one of which logs."""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.report import Figure
from benchmarks.rush import place
from benchmarks.servers import load, wait
from tests.support.factories import ROOT, bare_environment
from tests.support.servers import free_port

_TURNS = 25
_SILENT = (
    "from eventreg.web.wire import request_log\n"
    "request_log.begin = lambda proxies: None\n"
    "request_log.end = lambda response: None\n"
)
_SERVE = "from eventreg import serve\nserve.main()\n"


@contextmanager
def _server(folder: Path, before: str) -> Iterator[tuple[str, int]]:
    """A server of one process that runs ``before`` first. Its log goes to a file."""
    port = free_port()
    environment = bare_environment(EVENTREG_INSTANCE=str(folder), PORT=str(port))
    command = [sys.executable, "-c", before + _SERVE]
    with (
        (folder.parent / f"{port}.log").open("w") as out,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out) as process,
    ):
        page = f"http://127.0.0.1:{port}/zh/events/big"
        try:
            wait(page)
            yield page, process.pid
        finally:
            process.terminate()


def price_of_the_log() -> list[Figure]:
    """The processor time of an event page with and without its line in the log, in turn."""
    with ExitStack() as open_:
        servers = [
            open_.enter_context(_server(open_.enter_context(place()), before))
            for before in ("", _SILENT)
        ]
        taken = [
            [load(*one, connections=2, seconds=1).cpu for one in servers] for _ in range(_TURNS)
        ]
    ratio = statistics.median(logged / silent for logged, silent in taken)
    least = [f"{min(one):.3f} ms" for one in zip(*taken, strict=True)]
    detail = f"least: {' and '.join(least)}"
    return [Figure("event page with its line in the log / without", ratio, 1.02, True, detail)]
