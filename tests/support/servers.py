"""Real servers, each in its own process."""

import multiprocessing
import os
import random
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from eventreg import serve
from tests.proofs import faults
from tests.support.factories import ROOT, bare_environment

FORKS = multiprocessing.get_context("forkserver")
"""Forks processes quickly from one that has imported everything."""
FORKS.set_forkserver_preload(["tests.support.servers", "tests.proofs.crowd", "tests.support.warm"])


@dataclass
class Server:
    """A server that answers at ``address``. ``printed`` is its output until it was ready, ``cpu``
    the processor seconds it had used by then; other tests do not affect these."""

    address: str
    printed: str
    cpu: float
    pid: int

    @property
    def link(self) -> str:
        """The first organiser's welcome link, or "" if it was not printed."""
        found = re.search(r"^http\S+/staff/welcome/\S+$", self.printed, re.M)
        return found[0] if found else ""


def free_port() -> int:
    """A free port, below the range from which the system picks ports for connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port


def answers(address: str) -> bool:
    """Whether a server answers at that address."""
    try:
        # a server on this machine
        with urllib.request.urlopen(f"{address}/zh/", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def cpu_seconds(pid: int) -> float:
    """The processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processes_of(server: Server) -> list[int]:
    """The ids of the processes that a server has started."""
    return [
        int(one)
        for one in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    ]


class Forked:
    """A server forked from a process that has imported everything, which saves a second of
    processor time. It has the methods of ``Popen`` that are used here. Unlike there, ``wait``
    returns ``None`` if time runs out."""

    def __init__(self, fault: str, log: Path, environment: dict[str, str]) -> None:
        self._process: BaseProcess = FORKS.Process(
            target=_serve, args=(fault, str(log), environment), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid or 0

    def terminate(self) -> None:
        """Ask it to stop."""
        self._process.terminate()

    def wait(self, timeout: float) -> int | None:
        """Wait for the end. Returns the exit code, or ``None`` if it still runs."""
        self._process.join(timeout)
        return self._process.exitcode


def _serve(fault: str, log: str, environment: dict[str, str]) -> None:
    """Serve in the forked process, like ``python -m eventreg.serve``."""
    out = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)
    faults.apply(fault)
    serve.main()


def _fresh(fault: str, log: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start a server as a new program."""
    program = ["tests.proofs.faulty_server", fault] if fault else ["eventreg.serve"]
    with log.open("a") as out:
        return subprocess.Popen(
            [sys.executable, "-m", *program], cwd=ROOT, env=environment, stdout=out, stderr=out
        )


def running(folder: Path, fault: str = "", **environment: str) -> AbstractContextManager[Server]:
    """A server on that instance folder. It is stopped at the end, and must exit with 0 and without
    a traceback. ``fault`` names a fault to inject."""
    return _at_work(Forked, folder, fault, environment)


def started(folder: Path, fault: str = "", **environment: str) -> AbstractContextManager[Server]:
    """The same, started as `make run` does. For tests of the start or of memory use."""
    return _at_work(_fresh, folder, fault, environment)


def refused(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Start a server that is expected to refuse. Returns what it said and its exit code."""
    given = {"EVENTREG_INSTANCE": str(folder), "PORT": str(free_port()), **environment}
    return subprocess.run(
        [sys.executable, "-m", "eventreg.serve"],
        cwd=ROOT,
        env=bare_environment(**given),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


_Begin = Callable[[str, Path, dict[str, str]], "Forked | subprocess.Popen[bytes]"]


@contextmanager
def _at_work(
    begin: _Begin, folder: Path, fault: str, environment: dict[str, str]
) -> Iterator[Server]:
    port = int(environment.get("PORT") or free_port())
    given = {
        "EVENTREG_INSTANCE": str(folder),
        "PORT": str(port),
        "EVENTREG_RATE_LIMITS": "off",
        "EVENTREG_BACKUPS": "off",  # the first would be made at once
        **environment,
    }
    log = folder.parent / f"{folder.name}-{port}.log"
    log.touch()
    began = time.monotonic()
    process = begin(fault, log, bare_environment(**given))
    try:
        address = f"http://127.0.0.1:{port}"
        while not answers(address):
            assert time.monotonic() - began < 60, log.read_text()
            with suppress(subprocess.TimeoutExpired):
                assert process.wait(0.05) is None, log.read_text()
        yield Server(address, log.read_text(), cpu_seconds(process.pid), process.pid)
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()
        assert "Traceback" not in log.read_text(), log.read_text()
