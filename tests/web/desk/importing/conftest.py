"""A hall and a clerk for the tests of imports."""

import pytest
from flask.testing import FlaskClient

from tests.support.factories import House, toml


@pytest.fixture
def roomy(house: House) -> House:
    """An event with fifty seats, and the three staff accounts."""
    house.apply(toml(capacity=50))
    house.hire()
    return house


@pytest.fixture
def clerk(roomy: House) -> FlaskClient:
    """The desk's browser."""
    return roomy.signed_in("desmond")
