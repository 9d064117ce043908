"""The event that the tests of backups and upgrades start from, and one for running servers."""

import shutil
from pathlib import Path

import pytest

from tests.support.factories import House, toml
from tests.support.houses import one_of_each

small = one_of_each


@pytest.fixture
def place(tmp_path: Path, migrated: Path) -> Path:
    """An instance folder with an event of 500 seats."""
    folder = tmp_path / "instance"
    folder.mkdir()
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=500))
    house.close()
    return folder
