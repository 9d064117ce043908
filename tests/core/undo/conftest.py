"""What the tests of undoing a cancellation share."""

import pytest

from tests.support.factories import House, toml


@pytest.fixture
def house(house: House) -> House:
    """A house with one event of two seats."""
    house.apply(toml(capacity=2))
    return house
