"""When the last backup was made. A backup may lie anywhere, so this is noted in the instance
folder."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from flask import current_app


def _file() -> Path:
    return Path(current_app.instance_path) / "last-backup.txt"


def note(made_at: str) -> None:
    """Note a backup made at this ISO time. If that fails, the backup is good all the same."""
    with suppress(OSError):
        _file().write_text(f"{made_at}\n", encoding="utf-8")
        _file().chmod(0o600)


def made_at() -> datetime | None:
    """When the last backup was made; ``None`` if no one knows."""
    try:
        found = datetime.fromisoformat(_file().read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
    return found if found.tzinfo else None
