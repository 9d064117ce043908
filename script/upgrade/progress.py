"""What is done of an upgrade, on the disk from the first change of the database on. Before that,
the next call simply begins anew."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from script.upgrade.programs import Refused


@dataclass
class Progress:
    """One upgrade. ``done`` are its finished steps; ``failed`` is why it is being rolled back.
    ``is_stuck`` if there was no way back: the next call may take a newer version."""

    old_version: str
    old_code: str
    version: str
    tag: str
    backup: str
    failing: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    failed: str = ""
    is_stuck: bool = False

    def save(self, file: Path) -> None:
        """Write it so that it is on the disk, whole, whatever happens."""
        draft = file.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as out:
            json.dump(asdict(self), out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        draft.rename(file)
        descriptor = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read(file: Path) -> Progress | None:
    """The upgrade that was interrupted, if one was."""
    try:
        return Progress(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise Refused(f"{file}: cannot be read; an older program may have written it") from error


@contextmanager
def only_one(folder: Path) -> Iterator[int]:
    """Hold the lock of this installation. Programs that were started by an upgrade that was killed
    hold it until they end. Raises ``Refused`` if another upgrade holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "upgrade.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("another upgrade is running; try again when it has ended") from None
        yield descriptor
    finally:
        os.close(descriptor)
