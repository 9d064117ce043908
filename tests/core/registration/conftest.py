"""Fixtures of the registration tests: a house with room, and one that is full."""

import pytest

from tests.support.factories import House, toml


@pytest.fixture
def small(house: House) -> House:
    """A house with one event of five seats."""
    house.apply(toml(capacity=5))
    return house


@pytest.fixture
def full(house: House) -> House:
    """A house with one event of two seats, both taken by a couple."""
    house.apply(toml(capacity=2))
    house.register("王一", "王二")
    return house
