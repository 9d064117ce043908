"""Whom we have forgotten, by number only, in a file beside the database: a backup that is brought back is from before, so these
are forgotten once more."""

from pathlib import Path

from flask import current_app

_FILE = "forgotten.txt"


def _path() -> Path:
    return Path(current_app.extensions["settings"].instance) / _FILE


def remember(registration_id: int) -> None:
    """Note that the people of this registration were erased."""
    with _path().open("a", encoding="ascii") as file:
        file.write(f"{registration_id}\n")


def everybody() -> list[int]:
    """The registrations whose people were erased, in this instance folder."""
    path = _path()
    return [int(line) for line in path.read_text().split() if line.isdigit()] if path.exists() else []
