"""Whom we have forgotten, in a file beside the database: a backup that is brought back is from
before, so these are forgotten once more. The file must be kept beside the database, as the secret
key is.

Each line is the digest of a ticket, which never comes again and opens nothing. Older lists hold row
numbers, which do come again after a restore: such a line erases nobody. Once it is certain whose it
was, a line ``number=digest`` is added for it. Lines are only ever added, so that two processes lose
nothing of each other's.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from flask import current_app

_FILE = "forgotten.txt"
_LINE = re.compile(r"(?:(?P<settled>\d+)=)?(?P<digest>[0-9a-f]{64})|(?P<number>\d+)")


def _path() -> Path:
    return Path(current_app.extensions["settings"].instance) / _FILE


def _lines() -> list[re.Match[str]]:
    path = _path()
    text = path.read_text(encoding="ascii", errors="replace") if path.exists() else ""
    return [found for line in text.split() if (found := _LINE.fullmatch(line))]


def everybody() -> set[str]:
    """The digests of the tickets of everybody who was forgotten."""
    return {line["digest"] for line in _lines() if line["digest"]}


def unsure() -> list[int]:
    """The row numbers in a list of before of which nobody knows whose they were."""
    lines = _lines()
    settled = {line["settled"] for line in lines}
    return sorted(
        {int(line["number"]) for line in lines if line["number"] and line["number"] not in settled}
    )


def remember(digests: Iterable[str]) -> None:
    """Write down that the people with these tickets were forgotten; on the disk when this
    returns."""
    known = everybody()
    _add(sorted(set(digests) - known))


def settle(certain: Mapping[int, str]) -> None:
    """Say of row numbers in a list of before whose they certainly were: the tickets' digests by
    number."""
    _add([f"{number}={certain[number]}" for number in unsure() if number in certain])


def _add(lines: list[str]) -> None:
    if not lines:
        return
    descriptor = os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        # A line that was cut short by a crash, or by a person, must not swallow the next one.
        file.write("\n" + "".join(f"{line}\n" for line in lines))
        file.flush()
        os.fsync(descriptor)
