"""Fixtures of the staff tests: an event with two organisers, and one with rate limits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventreg.core.models.staff import Role
from tests.support.factories import House, toml


@pytest.fixture
def shared(small: House) -> House:
    """An event whose second organiser is Otto."""
    small.hired("otto", Role.ORGANISER)
    return small


@pytest.fixture
def limited(folder: Path, environment: dict[str, str]) -> Iterator[House]:
    """An event on a server with rate limits."""
    house = House(folder, **{**environment, "EVENTREG_RATE_LIMITS": "on"})
    with house.app.app_context():
        house.apply(toml())
        house.hire()
        yield house
    house.close()
