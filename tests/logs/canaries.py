"""Search all logs of a run for what must never be in them.

Every server that a test starts writes its log to a file, and every process of pytest writes the
events of the program in it to another. When the run is over, all of these are searched: for the
made-up people of the tests, and for whatever looks like a name, a telephone number, a mail address,
a ticket, a token or a query. The run fails if one is found.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from eventreg import log

FOLDER = "EVENTREG_TEST_LOGS"
"""The variable that names the folder, for the processes of pytest."""
PEOPLE = (
    *("Anna Lin", "Otto Lin", "Anna Wang", "Margaret", "Guifang", "Murong"),
    *("olga", "desmond", "dora"),
)
"""Names of the tests in Latin letters. Those in Chinese need no list."""
written = log.write
"""Writes a line as the program does, without keeping it."""
_TELLING = {
    "a name or an answer": re.compile(r"\\u(?!2026)[0-9a-f]{4}|[^\x00-\x7f…]"),
    "somebody of the tests": re.compile(rf"\b(?:{'|'.join(PEOPLE)})\b", re.I),
    "a telephone number": re.compile(r"(?<![0-9A-Za-z.])\+?\d{9,15}(?!\.?[0-9A-Za-z])"),
    "a mail address": re.compile(r"[\w.+-]+@[\w-]+\.\w+"),
    "the address of a ticket": re.compile(r"/T/\w"),
    "a query": re.compile(r"[?&][\w-]+="),
    "a token": re.compile(
        r"(?<![\w-])(?=\w*[a-z]\w*[a-z])(?=\w*[A-Z]\w*[A-Z])(?=\w*\d)[\w-]{22,}(?![\w-])"
    ),
}
_GOODBYE = "exiting; byeee!!"
"""What Caddy says with a waving hand when it is stopped."""
_PRINTED_LINK = re.compile(r"^https?://\S+/staff/welcome/\S+$")
"""The first organiser's link, which the server prints once on its output, beside the log."""


def begin() -> None:
    """In each process of pytest: keep the events of the program that run in it."""
    folder = os.environ.get(FOLDER) or tempfile.mkdtemp(prefix="eventreg-logs-")
    os.environ[FOLDER] = folder
    kind = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    file = os.open(Path(folder) / f"pytest-{os.getpid()}", kind, 0o600)

    def kept(line: str) -> None:
        os.write(file, f"{line}\n".encode("utf-8", "backslashreplace"))
        written(line)

    log.write = kept


def keep(file: Path) -> None:
    """Keep the log of a server that has ended."""
    if folder := os.environ.get(FOLDER):
        shutil.copy(file, Path(folder, f"{uuid4().hex}-{file.name}"))


def found_in(folder: Path) -> Iterator[str]:
    """What must not be in the logs of this folder: what it is, where it stands, and the line."""
    for file in sorted(folder.iterdir()):
        for line in file.read_text(encoding="utf-8", errors="backslashreplace").splitlines():
            for what, telling in _TELLING.items():
                if telling.search(line) and not _is_known(line):
                    yield f"{file.name}: {what}: {line}"


def _is_known(line: str) -> bool:
    return _GOODBYE in line or _PRINTED_LINK.match(line) is not None


def end() -> list[str]:
    """In the last process: search all logs, and delete them."""
    folder = Path(os.environ.pop(FOLDER))
    found = list(found_in(folder))
    shutil.rmtree(folder)
    return found
