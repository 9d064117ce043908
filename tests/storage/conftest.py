"""The event that the tests of backups and upgrades start from."""

import pytest

from tests.support.factories import House, toml


@pytest.fixture
def small(house: House) -> House:
    """Two seats taken, one person waiting, one cancelled."""
    house.apply(toml(capacity=2))
    house.register("王一", "王二")
    gone = house.register("李一", waitlist=True)
    house.register("李二", waitlist=True)
    house.cancel(gone)
    return house
