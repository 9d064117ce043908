"""Fixtures: a migrated database to copy, a house for each test, and one browser for all."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_migrate import upgrade
from playwright.sync_api import Browser, expect, sync_playwright

from tests.factories import House

CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that went through every migration, once for all tests of a process."""
    folder = tmp_path_factory.mktemp("migrated")
    house = House(folder)
    with house.app.app_context():
        upgrade()
    house.close()
    return folder / "eventreg.sqlite3"


@pytest.fixture
def folder(migrated: Path, tmp_path: Path) -> Path:
    """An instance folder with empty tables."""
    shutil.copy(migrated, tmp_path / "eventreg.sqlite3")
    return tmp_path


@pytest.fixture
def house(folder: Path) -> Iterator[House]:
    """A house of one's own, inside its application context."""
    made = House(folder)
    with made.app.app_context():
        yield made
    made.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield chromium
        chromium.close()
