"""A seat that was offered is passed on if its owner is not reached in time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from eventreg.core import invariants
from eventreg.core.desk import calls
from eventreg.core.registration import lookup, seats
from eventreg.core.registration.seats import SeatCount
from eventreg.storage.session import reading
from tests.support.factories import House, local, toml
from tests.support.houses import a_couple_and_two_who_wait
from tests.support.pages import get
from tests.web.desk.test_calls import CALLS, DESK, press, tasks

small = a_couple_and_two_who_wait


def test_a_seat_is_passed_on_if_its_owner_is_not_reached_in_time(house: House) -> None:
    house.apply(toml(capacity=1, more="[waitlist]\nreach_within_hours = 5"))
    house.hire()
    house.register("王建国")
    house.register("张桂芳", waitlist=True)
    house.register("陈阿宝", waitlist=True)
    house.cancel(1)
    desmond = house.signed_in("desmond")
    press(desmond, 2, "not-reached")
    early = get(desmond, CALLS).form("/calls/2")
    assert "可以让给" not in get(desmond, CALLS).text
    desmond.post(early.action, data={**early.fields, "outcome": "pass-on"})
    assert lookup.get(reading(), 2).state == "confirmed", "before the time nobody loses a seat"
    house.now += timedelta(hours=5)
    desmond = house.signed_in("desmond")
    page = get(desmond, CALLS)
    assert "座位可以让给：陈阿宝。" in page.text
    press(desmond, 2, "pass-on")
    assert [lookup.get(reading(), one).state for one in (2, 3)] == ["cancelled", "confirmed"]
    assert set(tasks(house)) == {3}, "and the next is to be called"
    assert "没联系上，座位让出" in get(desmond, f"{DESK}/registrations/2").text
    assert invariants.of_event(reading(), house.event(), now=house.now).holds


def test_a_seat_offer_that_was_not_answered_stays_before_the_reminders(house: House) -> None:
    house.apply(toml(capacity=30))
    house.hire()
    for number in range(30):
        house.register(f"王{number}号")
    house.register("张桂芳", waitlist=True)
    house.now = local("2030-06-07 09:30")
    house.cancel(1)
    desmond = house.signed_in("desmond")
    press(desmond, 31, "not-reached")
    assert calls.tasks(reading(), house.event(), now=house.now)[0].registration_id == 31
    page = get(desmond, CALLS)
    assert "张桂芳" in page.text
    assert page.html.index("autofocus") > page.html.index('id="call-2"'), "not the one to try later"
    sheet = get(desmond, f"{DESK}/calls/sheet").text
    assert sheet.index("张桂芳") < sheet.index("王1号")


def test_an_outcome_is_not_lost_if_the_event_is_changed_meanwhile(
    small: House, desmond: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An organiser changes the event after the press has read it, and before it has locked it."""
    small.cancel(1)
    asked: list[SeatCount] = []

    def lock(*given: Any, **more: Any) -> SeatCount:
        asked.append(locked(*given, **more))
        newer = replace(asked[-1], event_version=asked[-1].event_version + 1)
        return newer if len(asked) == 1 else asked[-1]

    locked = seats.lock
    monkeypatch.setattr(seats, "lock", lock)
    press(desmond, 2, "reached")
    assert len(asked) > 1, "it was tried again"
    assert tasks(small) == {}


@pytest.mark.parametrize("why", ["over", "held"])
def test_nobody_is_cancelled_for_seats_that_the_next_party_does_not_get(
    house: House, why: str
) -> None:
    file = toml(capacity=2, more="[waitlist]\nreach_within_hours = 5")
    house.apply(file)
    house.hire()
    house.register("王建国")
    house.register("李秀英")
    house.register("张桂芳", waitlist=True)
    house.register("陈阿宝", waitlist=True)
    house.cancel(1)
    assert lookup.get(reading(), 3).state == "confirmed"
    if why == "over":
        house.apply(file.replace("capacity = 2", "capacity = 1"))
    else:
        house.apply(
            file.replace(
                'area_code = "0574"',
                'area_code = "0574"\nheld_seats = 2\nheld_until = 2030-06-09T12:00:00',
            )
        )
        assert house.seats().kept, "seats are kept for the telephone, and all are taken"
    house.now += timedelta(hours=6)
    desmond = house.signed_in("desmond")
    page = get(desmond, f"{CALLS}?anyway=yes")
    assert "可以让给" not in page.text
    press(desmond, 3, "pass-on")
    assert [lookup.get(reading(), one).state for one in (3, 4)] == ["confirmed", "waitlisted"]


def test_a_seat_is_passed_on_to_a_party_that_may_use_a_kept_seat(house: House) -> None:
    held = "[waitlist]\nreach_within_hours = 5"
    file = toml(capacity=2, more=held).replace(
        'area_code = "0574"',
        'area_code = "0574"\nheld_seats = 2\nheld_until = 2030-06-09T12:00:00',
    )
    house.apply(toml(capacity=2, more=held))
    house.hire()
    for name in ("王建国", "李秀英"):
        house.register(name)
    house.register("张桂芳", waitlist=True)
    house.register("陈阿宝", waitlist=True, source="phone")
    house.cancel(1)
    house.apply(file)
    house.now += timedelta(hours=6)
    desmond = house.signed_in("desmond")
    assert "座位可以让给：陈阿宝。" in get(desmond, f"{CALLS}?anyway=yes").text
    press(desmond, 3, "pass-on")
    assert [lookup.get(reading(), one).state for one in (3, 4)] == ["cancelled", "confirmed"]
