"""The names of the backup files that the program makes by itself. The time is in the name, so that
it survives a copy to another disk."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

ENCRYPTED = ".age"
"""The end of the name of an encrypted backup."""
_TIME = "%Y%m%dT%H%M%S%f"
_NAME = re.compile(
    r"(?P<kind>scheduled|before-upgrade-\w+|before-restore|after-purge)-(?P<made>\d{8}T\d{12})"
    r"\.zip(?P<encrypted>\.age)?"
)


class Kind(StrEnum):
    """Why a backup was made. That of an upgrade also has the old schema in its name."""

    SCHEDULED = "scheduled"
    BEFORE_UPGRADE = "before-upgrade"
    BEFORE_RESTORE = "before-restore"
    AFTER_PURGE = "after-purge"


@dataclass(frozen=True)
class BackupFile:
    """A backup that the program has made by itself."""

    path: Path
    kind: str
    made: datetime
    is_encrypted: bool


def name(kind: str, made: datetime, *, is_encrypted: bool = False) -> str:
    """The file name of a backup."""
    return f"{kind}-{made.astimezone(UTC):{_TIME}}.zip{ENCRYPTED if is_encrypted else ''}"


def in_folder(folder: Path) -> list[BackupFile]:
    """The backups in a folder that the program has made, the oldest first. Other files are not
    ours. A folder that is gone has none."""
    found = []
    for path in folder.glob("*.zip*"):
        ours = _NAME.fullmatch(path.name)
        if ours and path.is_file():
            made = datetime.strptime(ours["made"], _TIME).replace(tzinfo=UTC)
            found.append(BackupFile(path, ours["kind"], made, bool(ours["encrypted"])))
    return sorted(found, key=lambda one: (one.made, one.path.name))
