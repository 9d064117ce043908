"""The servers that are measured, and the client: wrk, which takes little processor time."""

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers import Server, free_port, started
from tests.support.tokens import another

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 4
FORMS = 40_000
"""More than the client sends in that time."""


@dataclass(frozen=True)
class Load:
    """A server under load: answers per second, latencies in ms, processor time per answer in ms."""

    rate: float
    p50: float
    p95: float
    cpu: float
    wrong: int


@contextmanager
def hello(workers: int = 2, threads: int = 2) -> Iterator[tuple[str, int]]:
    """The bare page in our server. Yields its address and process id."""
    port = free_port()
    program = [sys.executable, "-m", "benchmarks.hello", str(port), str(workers), str(threads)]
    with subprocess.Popen(program, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            wait(f"http://127.0.0.1:{port}/")
            yield f"http://127.0.0.1:{port}/", process.pid
        finally:
            process.terminate()


def wait(address: str) -> None:
    """Wait until a server answers there."""
    for _ in range(1200):
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{address} does not answer")


@contextmanager
def ours(folder: Path, **environment: str) -> Iterator[Server]:
    """eventreg as `make run` starts it, with two processes of two threads."""
    several = {"EVENTREG_WORKERS": "2", "EVENTREG_THREADS": "2", "PYTHONWARNINGS": "default"}
    with started(folder, **{**several, **environment}) as server:
        yield server


def cpu_of_tree(pid: int) -> float:
    """The processor seconds that a process and its descendants have used."""
    total = 0.0
    for child in [pid, *_children(pid)]:
        try:
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                child = int(stat.parent.name)
                found += [child, *_children(child)]
        except OSError:
            continue
    return found


def memory_of_tree(pid: int) -> list[int]:
    """The proportional memory (PSS) of a process and each of its descendants, in KiB."""
    found = []
    for child in [pid, *_children(pid)]:
        rollup = Path(f"/proc/{child}/smaps_rollup").read_text()
        found.append(int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1]))  # type: ignore[index]
    return found


def load(
    address: str, pid: int, *, connections: int = 8, seconds: float = SECONDS, script: str = ""
) -> Load:
    """Request an address as fast as it answers. ``script`` is Lua for wrk, to vary the requests."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script + _REPORT)
        file.flush()
        before = cpu_of_tree(pid)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", file.name, address]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        used = cpu_of_tree(pid) - before
    return measured(said, used)


def measured(said: str, used: float) -> Load:
    """What wrk has said, and the processor seconds that the server used meanwhile."""
    numbers = {key: float(value) for key, value in re.findall(r"^= (\w+) ([\d.]+)$", said, re.M)}
    answers = numbers["requests"]
    return Load(
        rate=answers / numbers["duration"] * 1e6,
        p50=numbers["p50"] / 1000,
        p95=numbers["p95"] / 1000,
        cpu=used / answers * 1000,
        wrong=int(numbers["wrong"]),
    )


_REPORT = """
done = done or function(summary, latency)
  local errors = summary.errors
  print("= requests " .. summary.requests)
  print("= duration " .. summary.duration)
  print("= p50 " .. latency:percentile(50))
  print("= p95 " .. latency:percentile(95))
  print("= wrong " .. errors.connect + errors.read + errors.write + errors.timeout + errors.status)
end
"""


def registering(server: Server, slug: str, first: int) -> str:
    """A Lua script that registers another person with each request, from number ``first + 1`` on.

    A form can be sent only once, so each request has its own form, which is signed beforehand.
    """
    form = urllib.request.urlopen(f"{server.address}/zh/events/{slug}/register").read().decode()
    shown = {"csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', form)[1]}  # type: ignore[index]
    tokens = " ".join(
        another(shown, first + number)["csrf_token"] for number in range(1, FORMS + 1)
    )
    return f"""
local n, tokens = {first}, {{}}
for token in string.gmatch("{tokens}", "%S+") do table.insert(tokens, token) end
request = function()
  n = n + 1
  local body = string.format(
    "name=%%E7%%8E%%8B%%E5%%B0%%8F%%E6%%98%%8E&phone=138%08d&companion-1=&website=&confirmed=yes&csrf_token=%s",
    n, tokens[n - {first}])
  return wrk.format("POST", "/zh/events/{slug}/register",
    {{["Content-Type"] = "application/x-www-form-urlencoded"}}, body)
end
local wrong = 0
response = function(status) if status ~= 303 then wrong = wrong + 1 end end
"""
