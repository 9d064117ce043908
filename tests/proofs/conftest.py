"""Shared by all proofs: the number of rounds, and the database they run on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs.crowd import Place
from tests.support.factories import House
from tests.support.postgresql import Cluster

WHOLE = os.environ.get("EVENTREG_PROOFS") == "whole"


def rounds(short: int, whole: int) -> int:
    """The number of rounds: ``short`` in `make test`, ``whole`` in `make proofs`."""
    return whole if WHOLE else short


def seeds(short: int, whole: int) -> list[str]:
    """Fixed seeds. They are part of the test's name, so a failure shows its seed."""
    return [f"seed{number}" for number in range(rounds(short, whole))]


def on_one_database(fault: str, *faults: str) -> pytest.MarkDecorator:
    """Run each fault on both databases in `make proofs`, and on one in turn in `make test`."""
    names, engines = (fault, *faults), ("sqlite", "postgresql")
    in_turn = [(name, engines[place % 2]) for place, name in enumerate(names)]
    both = [(name, engine) for name in names for engine in engines]
    return pytest.mark.parametrize(
        ("fault", "engine"), both if WHOLE else in_turn, indirect=["engine"]
    )


def in_short(engine: str) -> pytest.MarkDecorator:
    """Run a test on both databases in `make proofs`, and on this one in `make test`."""
    engines = ["sqlite", "postgresql"] if WHOLE else [engine]
    return pytest.mark.parametrize("engine", engines, indirect=True)


@pytest.fixture
def place(house: House, folder: Path, environment: dict[str, str]) -> Place:
    """The test's database, for writers that run in other processes."""
    return Place(str(folder), environment)


@pytest.fixture
def fragile() -> Iterator[Cluster]:
    """A PostgreSQL of this test alone, which it may stop or crash."""
    made = Cluster()
    yield made
    made.destroy()
