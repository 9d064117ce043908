"""Seats held for people who telephone."""

from typing import Any

import pytest

from eventreg.core.errors import (
    EventFull,
    NotWaiting,
)
from eventreg.core.event import events
from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup, waitlist
from eventreg.storage.session import reading, write
from tests.core.registration.parties import checked_sum, place, state, wait
from tests.support.factories import House, local, toml

pytestmark = pytest.mark.both_databases


HELD = "held_seats = 2\nheld_until = 2030-06-05T12:00:00"


def test_held_seats_are_neither_free_nor_taken_for_the_public(house: House) -> None:
    house.apply(toml(capacity=4, more=HELD))
    for number in range(2):
        house.register(f"王{number}号")
    assert (house.seats().left, house.seats().held, checked_sum(house).free) == (0, 2, 0)
    with pytest.raises(EventFull):
        house.register("李一")
    assert house.register("李一", source="phone").state == "confirmed"
    assert (house.seats().held, house.seats().left) == (1, 0)
    checked_sum(house)


def test_a_registration_by_phone_uses_the_held_seats_first(house: House) -> None:
    house.apply(toml(capacity=4, more=HELD))
    house.register("李一", source="phone")
    assert (house.seats().held, house.seats().left) == (1, 2)


def test_held_seats_go_to_waiting_parties_first_when_their_time_is_over(house: House) -> None:
    house.apply(toml(capacity=3, more=HELD))
    house.register("王一")
    waiting = wait(house, "李一")
    assert state(waiting) == "waitlisted"
    house.now = local("2030-06-05 12:00")
    assert waitlist.is_due(reading(), house.event(), house.seats(), now=house.now)
    newcomer = house.register("孙一")
    assert (state(waiting), newcomer.state) == ("confirmed", "confirmed")
    assert place(waiting) == 1
    checked_sum(house)


def test_the_desk_may_seat_a_party_before_its_turn_on_a_held_seat(house: House) -> None:
    house.apply(toml(capacity=3, more=HELD))
    house.hire()
    house.register("王一")
    first, second = wait(house, "李一"), wait(house, "李二")

    def seat(made: Registration) -> None:
        def act(session: Any) -> None:
            event = events.get(session, "small")
            waitlist.seat(
                session, event, lookup.get(session, made.id), by=house.desmond, now=house.now
            )

        write(act)

    seat(second)
    assert (state(first), state(second), house.seats().held) == ("waitlisted", "confirmed", 1)
    with pytest.raises(NotWaiting):
        seat(second)
    house.register("孙一", source="phone")
    with pytest.raises(EventFull):
        seat(first)
    checked_sum(house)
