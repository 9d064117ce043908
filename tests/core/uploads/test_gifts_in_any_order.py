"""A gift counts if the device that gave it had seen the person, whatever arrives first."""

from itertools import permutations

import pytest

from eventreg.core.door import gifts
from eventreg.storage.session import reading
from tests.core.uploads.doors import Door, attendee, hour, to_settle
from tests.support.factories import House, toml

pytestmark = pytest.mark.both_databases


@pytest.fixture
def morning(house: House) -> House:
    """It is 8:47, and one person is expected."""
    house.apply(toml(capacity=3))
    house.hire()
    house.register("张桂芳")
    house.now = hour("08:47")
    return house


def given(house: House) -> int:
    """How many gifts count."""
    reading().rollback()
    return gifts.stock(reading(), house.event()).given


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_gift_stays_given_although_the_check_in_was_undone_later(
    morning: House, order: tuple[int, ...]
) -> None:
    phone, person = Door(morning), attendee("张桂芳")
    acts = [phone.act(act, person) for act in ("check-in", "gift", "undo")]
    for place in order:
        phone.upload(acts[place])
    assert (given(morning), to_settle(morning)) == (1, [])


def test_a_gift_for_somebody_whom_no_door_has_seen_is_left_to_a_person(morning: House) -> None:
    phone, person = Door(morning), attendee("张桂芳")
    phone.do("gift", person)
    assert (given(morning), to_settle(morning)) == (0, ["gift-not-in"])
    Door(morning).do("check-in", person)
    assert (given(morning), to_settle(morning)) == (1, [])
