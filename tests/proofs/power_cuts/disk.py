"""Simulate a power cut from a trace of system calls.

One writer runs the real program with the real SQLite under strace. From its trace, the files are
rebuilt as on a disk that keeps only what was synced before the cut, and the promises are those that
were logged by then. A sync covers everything that was written to its file before. The name of a new
file is taken as durable, because SQLite syncs the folder of a new log.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.factories import ROOT, bare_environment

_CALLS = "openat,close,pwrite64,write,fsync,fdatasync,ftruncate,unlink,unlinkat,lseek"
_LINE = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)", re.S)
_BYTES = re.compile(r"\\x([0-9a-f]{2})")


@dataclass
class Traced:
    """One system call that matters: a change or sync of a file, or a logged promise."""

    kind: str
    path: str = ""
    offset: int = 0
    data: bytes = b""


def trace(folder: Path, log: Path, registrations: int, fault: str = "") -> list[Traced]:
    """Run one writer under strace on a database at rest. Returns its calls, in order."""
    out = folder.parent / "trace"
    program = [
        sys.executable,
        "-m",
        "tests.proofs.power_cuts.disk",
        str(folder),
        str(log),
        str(registrations),
        fault,
    ]
    subprocess.run(
        ["strace", "-o", str(out), "-s", "1000000", "-xx", "-y", "-e", f"trace={_CALLS}", *program],
        cwd=ROOT,
        env=bare_environment(),
        check=True,
    )
    with out.open() as lines:
        return list(_calls(lines, folder, log))


def _unquoted(text: str) -> bytes:
    return bytes.fromhex("".join(_BYTES.findall(text)))


def _calls(lines: Iterator[str], folder: Path, log: Path) -> Iterator[Traced]:
    for line in lines:
        found = _LINE.match(line)
        if not found or int(found[3]) < 0:
            continue
        call, arguments = found[1], found[2]
        named = re.match(r"\d+<((?:\\x[0-9a-f]{2}|[^>])*)>", arguments)
        path = _unquoted(named[1]).decode() if named else ""
        data = re.search(r'"((?:\\x[0-9a-f]{2})*)"', arguments)
        if call == "unlink" and data:
            yield Traced("gone", _unquoted(data[1]).decode())
        elif call == "write" and path == str(log) and data:
            yield Traced("promise", data=_unquoted(data[1]))
        elif not path.startswith(str(folder)) or path.endswith("-shm"):
            continue
        elif call == "pwrite64" and data:
            yield Traced("write", path, int(arguments.rsplit(", ", 1)[1]), _unquoted(data[1]))
        elif call in {"fsync", "fdatasync"}:
            yield Traced("sync", path)
        elif call == "ftruncate":
            yield Traced("cut", path, int(arguments.rsplit(", ", 1)[1]))


@dataclass
class Disk:
    """A disk that, after a cut, holds only what the calls so far have synced."""

    files: dict[str, bytearray]
    _volatile: dict[str, list[Traced]] = field(default_factory=dict)
    promises: list[bytes] = field(default_factory=list)

    def see(self, call: Traced) -> None:
        """Take in the next call before the cut."""
        if call.kind == "promise":
            self.promises.append(call.data)
        elif call.kind == "sync":
            for earlier in self._volatile.pop(call.path, []):
                self._keep(earlier)
        elif call.kind in {"write", "cut", "gone"}:
            self._volatile.setdefault(call.path, []).append(call)

    def _keep(self, call: Traced) -> None:
        content = self.files.setdefault(call.path, bytearray())
        if call.kind == "write":
            content.extend(b"\0" * (call.offset - len(content)))
            content[call.offset : call.offset + len(call.data)] = call.data
        elif call.kind == "cut":
            del content[call.offset :]
        else:
            del self.files[call.path]

    def write_to(self, folder: Path) -> None:
        """Write the files as they are found when the power is back."""
        folder.mkdir(parents=True)
        for path, content in self.files.items():
            (folder / Path(path).name).write_bytes(content)


if __name__ == "__main__":
    from tests.proofs.crowd import Act, Place, writer

    _, at, promises, tries, broken = sys.argv
    writer(Place(at, fault=broken), 0, "power", Act(int(tries), waits=2), promises)
