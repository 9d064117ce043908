"""What proofs share: how long they are, and where they run."""

import os
from pathlib import Path

import pytest

from tests.proofs.crowd import Place
from tests.support.factories import House

WHOLE = os.environ.get("EVENTREG_PROOFS") == "whole"


def rounds(short: int, whole: int) -> int:
    """So many rounds in `make test`, so many in `make proofs`."""
    return whole if WHOLE else short


def seeds(short: int, whole: int) -> list[str]:
    """Fixed seeds, printed with whatever fails since they are in the test's name."""
    return [f"seed{number}" for number in range(rounds(short, whole))]


def on_one_database(fault: str, *faults: str) -> pytest.MarkDecorator:
    """Each fault on both databases in `make proofs`, and on one of them in turn in `make test`."""
    names, engines = (fault, *faults), ("sqlite", "postgresql")
    in_turn = [(name, engines[place % 2]) for place, name in enumerate(names)]
    both = [(name, engine) for name in names for engine in engines]
    return pytest.mark.parametrize(
        ("fault", "engine"), both if WHOLE else in_turn, indirect=["engine"]
    )


@pytest.fixture
def place(house: House, folder: Path, environment: dict[str, str]) -> Place:
    """The test's own database, for writers in processes of their own."""
    return Place(str(folder), environment)
