"""Staff put a person whose seat was given away first in line."""

from datetime import timedelta

import pytest

from eventreg.core import audit
from eventreg.core.audit import Action
from eventreg.core.desk import attendee_list
from eventreg.core.errors import (
    WaitlistFull,
)
from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup
from eventreg.core.undo.cancelled import Offer
from eventreg.storage.session import reading
from tests.core.registration.parties import checked_sum, fresh, place, state, wait
from tests.core.undo.offers import codes, offered, person
from tests.support.factories import House, toml

pytestmark = pytest.mark.both_databases


def test_staff_may_put_the_person_first_in_line_and_it_is_recorded(house: House) -> None:
    house.hire()
    house.register("王一")
    made = house.register("王二", phone="13800138000", email="wang@example.org")
    first, second, third = (wait(house, name) for name in ("钱大伟", "孙一", "孙二"))
    house.cancel(made)
    assert state(first) == "confirmed"
    house.put_first(made, by=house.desmond)
    (again,) = lookup.waiting_beside(reading(), fresh(made))
    assert [(place(one), state(one)) for one in (again, second, third)] == [
        (1, "waitlisted"),
        (2, "waitlisted"),
        (3, "waitlisted"),
    ]
    rows = attendee_list.waiting(reading(), house.event())
    assert [row.name for row in rows] == ["王二", "孙一", "孙二"], "and on paper"
    entry = audit.history(reading(), made.id)[-1]
    assert (entry.action, entry.who) == (Action.PUT_FIRST, "desmond")
    assert (again.phone_number, again.email) == ("+8613800138000", "wang@example.org")
    assert offered(house, made) is None
    house.cancel(first)
    assert (state(again), state(second)) == ("confirmed", "waitlisted")
    assert codes(again) != codes(made)
    checked_sum(house)


def test_of_two_who_were_put_first_the_earlier_one_is_the_first(house: House) -> None:
    people = [house.register(f"王{number}号") for number in (1, 2)]
    waiting = [wait(house, f"孙{number}号") for number in (1, 2, 3)]
    again: list[Registration] = []
    for made in people:
        house.cancel(made)
    for made in people:
        house.now += timedelta(seconds=1)
        house.put_first(made)
        again += lookup.waiting_beside(reading(), fresh(made))
    assert [place(one) for one in (*again, waiting[2])] == [1, 2, 3]
    checked_sum(house)


def test_one_of_a_couple_can_be_put_first_while_the_other_sits(house: House) -> None:
    couple = house.register("王一", "王二")
    waiting = wait(house, "钱大伟")
    house.cancel(couple, person(couple, 2))
    house.put_first(couple)
    (again,) = lookup.waiting_beside(reading(), fresh(couple))
    assert [one.name for one in lookup.party(reading(), again)] == ["王二"]
    assert (state(couple), state(waiting), place(again)) == ("confirmed", "confirmed", 1)
    checked_sum(house)


def test_put_first_while_the_seat_is_free_gives_it_back(house: House) -> None:
    made = house.register("王一")
    house.cancel(made)
    house.put_first(made)
    assert state(made) == "confirmed"
    assert reading().query(Registration).count() == 1
    checked_sum(house)


def test_nobody_is_put_first_in_a_list_that_has_no_room(house: House) -> None:
    house.apply(toml(capacity=2, more="[waitlist]\nsize = 1"))
    couple = house.register("王一", "王二")
    wait(house, "钱大伟")
    house.cancel(couple, person(couple, 1))
    wait(house, "孙一")
    assert offered(house, couple) is Offer.NOTHING
    with pytest.raises(WaitlistFull):
        house.put_first(couple)
    checked_sum(house)
