"""A house whose backups go to a folder and to a second place of their own."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from flask.ctx import AppContext

from eventreg.core import operation_runs
from eventreg.core.operation_runs import Operation, Run
from eventreg.storage.session import reading, transaction
from tests.proofs.conftest import WHOLE
from tests.support.factories import House, toml

SMALL = 512
"""Kilobytes of a disk that holds a few backups."""


both_in_proofs = pytest.mark.both_databases if WHOLE else pytest.mark.usefixtures("folder")
"""For tests that run on both databases in `make proofs`, and on SQLite in `make test`."""


def no_drill_is_due(house: House) -> None:
    """A drill was made just now: it takes a second of the processor."""
    with transaction() as session:
        operation_runs.succeeded(session, Operation.DRILL, now=house.now)


def last(operation: Operation) -> Run:
    """How an operation went last, as another process sees it."""
    reading().rollback()
    return operation_runs.last(reading(), operation)


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until it is so, for at most a minute."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < 60
        Event().wait(0.05)


def backups_in(folder: Path) -> list[str]:
    """The names of all files in a folder, hidden ones as well; without the marker."""
    return sorted(path.name for path in folder.iterdir() if path.name != "eventreg-backups.txt")


def fill(folder: Path) -> Path:
    """Fill a small disk to the last byte. Returns the file to remove."""
    filler = folder / "somebody-elses-film"
    with filler.open("wb", buffering=0) as film:
        for size in (4096, 1):
            try:
                while film.write(b"\0" * size):
                    pass
            except OSError:
                continue
    return filler


@pytest.fixture
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real small disk. It is mounted, which only root may."""
    point = tmp_path_factory.mktemp("disk")
    how = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}k,mode=700", "none", str(point)]
    if os.geteuid() or subprocess.run(how, capture_output=True, check=False).returncode:
        pytest.skip("a disk cannot be mounted here")
    yield point
    subprocess.run(["umount", "--lazy", str(point)], check=True)


@pytest.fixture
def remount(disk: Path) -> Callable[[str], None]:
    """Mount the small disk again, such as read-only ("ro")."""

    def again(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)

    return again


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second place."""
    return tmp_path_factory.mktemp("second-place")


@pytest.fixture
def open_house(folder: Path, environment: dict[str, str]) -> Iterator[Callable[..., House]]:
    """Opens the house with these settings, once or again. A party of two has registered; no drill
    is due."""
    opened: list[tuple[House, AppContext]] = []

    def open_with(**settings: str) -> House:
        house = House(folder, **environment, **settings)
        context = house.app.app_context()
        context.push()
        if not opened:
            house.apply(toml())
            house.register("慕容翠花", "慕容建国")
            no_drill_is_due(house)
        opened.append((house, context))
        return house

    yield open_with
    for house, context in reversed(opened):
        context.pop()
        house.close()
