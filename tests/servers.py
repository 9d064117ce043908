"""Real servers in processes of their own, as `make run` starts them."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.factories import ROOT, bare_environment


@dataclass
class Server:
    """A server that answers at ``address``; ``printed`` is what it had said when it was ready, after ``cpu`` seconds of
    processor time, which other tests beside it do not change."""

    address: str
    printed: str
    cpu: float
    process: subprocess.Popen[bytes]

    @property
    def link(self) -> str:
        """The first organiser's link, if it was printed."""
        found = re.search(r"^http\S+/staff/welcome/\S+$", self.printed, re.M)
        return found[0] if found else ""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(address: str) -> bool:
    """Whether a server is there."""
    try:
        with urllib.request.urlopen(f"{address}/zh/", timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(folder: Path, fault: str = "", **environment: str) -> Iterator[Server]:
    """A server on that instance folder, stopped again at the end; it must stop in order. ``fault`` breaks it on purpose."""
    port = free_port()
    given = {
        "EVENTREG_INSTANCE": str(folder),
        "PORT": str(port),
        "EVENTREG_RATE_LIMITS": "off",
        "GRANIAN_LOG_LEVEL": "info",
        **environment,
    }
    program = ["tests.proofs.faulty_server", fault] if fault else ["eventreg.serve"]
    log = folder.parent / f"{folder.name}-{port}.log"
    began = time.monotonic()
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *program], cwd=ROOT, env=bare_environment(**given), stdout=out, stderr=out
        )
    try:
        address = f"http://127.0.0.1:{port}"
        # A granian that is told to stop while a worker still starts waits thirty seconds for that worker.
        workers = int(environment.get("EVENTREG_WORKERS", "0"))
        while not answers(address) or len(re.findall(r"Started worker-\d+\s", log.read_text())) < workers:
            assert time.monotonic() - began < 60, log.read_text()
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                raise AssertionError(log.read_text())
        yield Server(address, log.read_text(), cpu_seconds(process.pid), process)
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()
        assert "Traceback" not in log.read_text(), log.read_text()
