"""The erasure log, ``forgotten.txt``: which registrations were erased.

A backup is older than some erasures. After a restore, the people in this log are erased again. The
file must be kept beside the database, like the secret key.

Each line is the digest of a ticket, which is never used twice and opens nothing. Logs of an older
version hold row numbers, which are used again after a restore, so such a line erases no one. When
it is certain to whom a number belonged, a line ``number=digest`` is added. Lines are only added,
so that two processes cannot lose each other's.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from flask import current_app

_FILE = "forgotten.txt"
_LINE = re.compile(r"(?:(?P<settled>\d+)=)?(?P<digest>[0-9a-f]{64})|(?P<number>\d+)")


def path() -> Path:
    """Where the log is."""
    return Path(current_app.extensions["settings"].instance) / _FILE


def _lines() -> list[re.Match[str]]:
    file = path()
    text = file.read_text(encoding="ascii", errors="replace") if file.exists() else ""
    return [found for line in text.split() if (found := _LINE.fullmatch(line))]


def erased_digests() -> set[str]:
    """The digests of the tickets of everyone who was erased."""
    return {line["digest"] for line in _lines() if line["digest"]}


def unsettled_numbers() -> list[int]:
    """The row numbers in an older log of which it is not known to whom they belonged."""
    lines = _lines()
    settled = {line["settled"] for line in lines}
    return sorted(
        {int(line["number"]) for line in lines if line["number"] and line["number"] not in settled}
    )


def remember(digests: Iterable[str]) -> None:
    """Note that the registrations with these tickets were erased. It is on the disk on return."""
    known = erased_digests()
    _add(sorted(set(digests) - known))


def settle(certain: Mapping[int, str]) -> None:
    """Note to whom row numbers in an older log belonged; ``certain`` has the digest of each."""
    _add([f"{number}={certain[number]}" for number in unsettled_numbers() if number in certain])


def _add(lines: list[str]) -> None:
    if not lines:
        return
    descriptor = os.open(path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        # Begin with a new line, in case the last one was cut short by a crash or by a person.
        file.write("\n" + "".join(f"{line}\n" for line in lines))
        file.flush()
        os.fsync(descriptor)
