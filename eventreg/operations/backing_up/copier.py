"""Copy backups to the second place: a program of its own, because a network disk may hang.

``python -m eventreg.operations.backing_up.copier`` reads an order as JSON and prints the result as
JSON. A copy is written under another name, synced, read back and compared, and then renamed. So a
file with the name of a backup is always whole.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from eventreg.core.backups import faults, names, times
from eventreg.core.backups.faults import BackupRefused, DiskFault
from eventreg.core.backups.names import Kind

MARKER = "eventreg-backups.txt"
"""A file in the second place, by which it is known: the folder of a disk that is not mounted is
there too, and empty."""
_PARTIAL = ".partial-"


@dataclass(frozen=True)
class Order:
    """What is to be done. ``files`` are the backups, the newest first; ``beside`` is copied each
    time. ``note`` is a file of ours that says which place was used last."""

    files: list[str]
    beside: list[str]
    place: str
    note: str
    lock: str
    now: str
    purged_at: str | None
    is_new_place: bool


def main() -> None:
    """Do what the order on stdin says, and print how many files were copied, or what is wrong."""
    os.umask(0o077)
    order = Order(**json.load(sys.stdin))
    try:
        answer: dict[str, object] = {"copied": _follow(order)}
    except BackupRefused as refused:
        answer = {"code": refused.code, "text": str(refused)}
    except OSError as error:
        answer = {"code": faults.of(error), "text": f"{order.place}: {error.strerror}"}
    print(json.dumps(answer), flush=True)  # noqa: T201 - this is a program's own output


def _follow(order: Order) -> int:
    lock = os.open(order.lock, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BackupRefused(
            f"{order.place}: an earlier copy has not ended", DiskFault.HANGS
        ) from error
    place = Path(order.place)
    _require_same_place(place, Path(order.note), is_new=order.is_new_place)
    for left in place.glob(f"{_PARTIAL}*"):
        left.unlink(missing_ok=True)
    lacking = [Path(one) for one in order.files if not _is_there(Path(one), place)]
    for one in (*lacking, *map(Path, order.beside)):
        if one.exists():  # a purge may have deleted it meanwhile
            _copy(one, place)
    _thin_out(place, order)
    return len(lacking)


def _require_same_place(place: Path, note: Path, *, is_new: bool) -> None:
    """``BackupRefused`` if the place that was used last is not there, but only its empty folder or
    another disk."""
    if not place.is_dir():
        raise BackupRefused(f"{place}: no such folder", DiskFault.GONE)
    marker = place / MARKER
    here = marker.read_text().strip() if marker.exists() else ""
    last = note.read_text().partition(" ") if note.exists() else ("", "", "")
    if last[2] == str(place) and last[0] != here and not is_new:
        raise BackupRefused(
            f"{place}: is not the disk that was there before, or none is mounted; "
            "if it is to be used, run: backup run --new-place",
            DiskFault.GONE,
        )
    if not here:
        here = secrets.token_hex(8)
        marker.write_text(f"{here}\n")
    note.write_text(f"{here} {place}")


def _is_there(file: Path, place: Path) -> bool:
    copy = place / file.name
    return copy.is_file() and copy.stat().st_size == file.stat().st_size


def _copy(file: Path, place: Path) -> None:
    partial = place / f"{_PARTIAL}{file.name}"
    try:
        with file.open("rb") as source, partial.open("xb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
            # forget what is in memory, so that the disk is read
            os.posix_fadvise(target.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if _sha256(partial) != _sha256(file):
            raise BackupRefused(f"{place}: what was read back is something else", DiskFault.BROKEN)
        partial.replace(place / file.name)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    _sync_folder(place)


def _sync_folder(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    with suppress(OSError):  # some network file systems know no sync of a folder
        os.fsync(descriptor)
    os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _thin_out(place: Path, order: Order) -> None:
    """As on the machine itself. What may hold people who were erased goes as soon as there is a
    later backup."""
    found = [one for one in names.in_folder(place) if one.kind == Kind.SCHEDULED]
    made = {one.made for one in found}
    superfluous = times.superfluous(made, datetime.fromisoformat(order.now))
    if order.purged_at is not None:
        purged_at = datetime.fromisoformat(order.purged_at)
        if max(made, default=purged_at) > purged_at:
            superfluous |= {one for one in made if one <= purged_at}
    for one in found:
        if one.made in superfluous:
            one.path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
