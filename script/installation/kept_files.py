"""Files that an operator may edit: what was changed by hand is never overwritten.

A list of checksums says what was installed. A file that still has its checksum is ours, and is
replaced. Any other stays as it is, and the new one is written beside it as ``NAME.new``.
"""

import difflib
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

LIST = Path("/etc/eventreg/installed.sha256")


@dataclass(frozen=True)
class File:
    """A file to install. ``private`` is one that only root and the service's group may read."""

    path: Path
    content: str
    mode: int = 0o644
    private: bool = False


@dataclass
class KeptFiles:
    """The installed files below ``root``, which is ``/`` unless it is tried out in a folder."""

    root: Path
    _sums: dict[Path, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.at(LIST).exists():
            for line in self.at(LIST).read_text().splitlines():
                checksum, _, path = line.partition("  ")
                self._sums[Path(path)] = checksum

    def at(self, path: Path) -> Path:
        """Where a path of the installed system lies."""
        return self.root / path.relative_to("/")

    def is_changed_by_hand(self, path: Path) -> bool:
        """Whether somebody else than the installation wrote the file that is there."""
        place = self.at(path)
        if place.is_symlink():
            return True
        return place.exists() and self._sums.get(path) != _checksum(place.read_bytes())

    def write(self, file: File) -> str:
        """Install a file. Returns what differs if it was changed by hand: it then stays."""
        place, beside = self.at(file.path), self.at(Path(f"{file.path}.new"))
        content = file.content.encode()
        if self.is_changed_by_hand(file.path) and place.read_bytes() != content:
            _write(beside, content, file.mode)
            return _difference(file, place.read_text(errors="replace"))
        _write(place, content, file.mode)
        beside.unlink(missing_ok=True)
        self._sums[file.path] = _checksum(content)
        self._write_list()
        return ""

    def remove(self, path: Path) -> Path | None:
        """Take an installed file away. Returns where it is kept if it was changed by hand."""
        place = self.at(path)
        kept = None
        self.at(Path(f"{path}.new")).unlink(missing_ok=True)
        if self.is_changed_by_hand(path):
            kept = Path(f"{path}.edited")
            place.rename(self.at(kept))
        else:
            place.unlink(missing_ok=True)
        self._sums.pop(path, None)
        self._write_list()
        return kept

    def _write_list(self) -> None:
        lines = [f"{checksum}  {path}\n" for path, checksum in sorted(self._sums.items())]
        if lines:
            _write(self.at(LIST), "".join(lines).encode(), 0o644)
        else:
            self.at(LIST).unlink(missing_ok=True)


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(place: Path, content: bytes, mode: int) -> None:
    """Write a file at once or not at all. Its folder is made if it is missing."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fchmod(descriptor, mode)
    draft.replace(place)


def _difference(file: File, there: str) -> str:
    before, after = there.splitlines(), file.content.splitlines()
    names = (str(file.path), f"{file.path}.new")
    return "\n".join(difflib.unified_diff(before, after, *names, n=1, lineterm=""))
