"""Doors upload what they recorded, late, twice and in any order."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from eventreg.core import invariants
from eventreg.core.door import check_in
from eventreg.core.errors import EventFull
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn, Gift
from eventreg.core.models.door import DoorAct
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import arrivals
from eventreg.core.uploads import sync
from eventreg.core.uploads.acts import Kind
from eventreg.storage.session import reading, write
from tests.core.uploads.doors import Door, arrived, attendee, hour, to_settle
from tests.support.factories import House, toml

pytestmark = pytest.mark.both_databases


@pytest.fixture
def morning(house: House) -> House:
    """It is 8:47; a couple and one more person are expected, one waits, one has cancelled."""
    house.apply(toml(capacity=4, more="[waitlist]\nopen = true"))
    house.hire()
    house.register("张桂芳", "王建国", phone="13800138000")
    house.register("曾秀英", phone="13900139123")
    gone = house.register("李大海", phone="13700137000")
    house.register("赵六", phone="13600136000", waitlist=True)
    house.cancel(gone)
    house.now = hour("08:47")
    return house


@pytest.fixture
def one(morning: House) -> Door:
    """The first door."""
    return Door(morning)


@pytest.fixture
def two(morning: House) -> Door:
    """The second door."""
    return Door(morning)


def check_ins() -> list[CheckIn]:
    """The check-ins that stand."""
    reading().rollback()
    return list(reading().scalars(select(CheckIn).where(CheckIn.undone_at.is_(None))))


def holds(house: House) -> bool:
    """Whether everything that ``doctor`` counts is right."""
    reading().rollback()
    return invariants.of_event(reading(), house.event(), now=house.now).holds


def test_a_check_in_that_is_sent_five_times_counts_once(morning: House, one: Door) -> None:
    zhang = attendee("张桂芳")
    act = one.act("check-in", zhang)
    first = one.upload(act)
    assert first[0]["result"] == "checked_in"
    morning.now += timedelta(minutes=20)
    for _ in range(4):
        assert one.upload(act, act) == first * 2
    assert Door(morning).upload(act) == first, "also under another device"
    assert arrived(morning) == 1


def test_an_old_act_stays_silent_after_its_undo(morning: House, one: Door) -> None:
    zhang = attendee("张桂芳")
    act = one.act("check-in", zhang)
    first = one.upload(act)
    assert one.do("undo", zhang)["result"] == "undone"
    assert one.upload(act) == first
    assert arrived(morning) == 0


def test_the_server_keeps_the_earliest_time_and_flags_the_double(
    morning: House, one: Door, two: Door
) -> None:
    zhang = attendee("张桂芳")
    early = one.act("check-in", zhang)
    morning.now = hour("08:52")
    assert two.do("check-in", zhang)["result"] == "checked_in"
    (answer,) = one.upload(early)
    assert (answer["result"], answer["clash"]) == ("already_in", "double")
    assert answer["door"] == two.name
    (made,) = check_ins()
    assert (made.arrived_at, made.device) == (hour("08:47"), one.device)
    assert to_settle(morning) == ["double"]
    assert arrived(morning) == 1


def test_undoing_ones_own_check_in_keeps_what_another_door_saw(
    morning: House, one: Door, two: Door
) -> None:
    zhang = attendee("张桂芳")
    one.do("check-in", zhang)
    two.do("check-in", zhang)
    answer = two.do("undo", zhang)
    assert (answer["result"], answer["reason"]) == ("undone", "other-door")
    assert arrived(morning) == 1
    assert to_settle(morning) == [], "the second door has settled it"
    assert two.do("undo", zhang)["result"] == "undone", "what it saw on the list"
    assert arrived(morning) == 0


def test_a_check_in_that_arrives_after_its_undo_lets_nobody_in(morning: House, one: Door) -> None:
    zhang = attendee("张桂芳")
    came, undone = one.act("check-in", zhang), one.act("undo", zhang)
    assert one.upload(undone)[0]["result"] == "not_in"
    answer = one.upload(came)[0]
    assert (answer["result"], answer["reason"]) == ("undone", "undone-since")
    assert arrived(morning) == 0


def test_a_check_in_on_the_page_and_its_undo_stand_beside_those_of_devices(
    morning: House, one: Door
) -> None:
    zhang = attendee("张桂芳")
    one.do("check-in", zhang)
    made = check_ins()[0].id

    def undo(session: Any) -> None:
        event = events.get(session, "small")
        check_in.undo(session, event, made, by=morning.desmond, now=morning.now)

    write(undo)
    assert arrived(morning) == 0
    two = Door(morning)
    two.do("check-in", zhang)
    two.do("undo", zhang)
    assert arrived(morning) == 0, "the undo on the page took back what the first door said"


def test_who_cancelled_meanwhile_is_let_in_and_the_desk_is_told(morning: House, one: Door) -> None:
    answer = one.do("check-in", attendee("李大海"))
    assert answer["result"] == "admitted_cancelled"
    assert to_settle(morning) == ["admitted-cancelled"]
    assert morning.seats().over == 1, "the person who waited has the seat: nobody loses it"
    assert arrived(morning) == 1
    assert holds(morning)


def test_who_waits_is_not_let_in_and_is_told_the_place(morning: House, one: Door) -> None:
    morning.register("钱七", phone="13500135000", source="phone", waitlist=True)
    answer = one.do("check-in", attendee("钱七"))
    assert (answer["result"], answer["position"]) == ("waiting", 1)
    assert arrived(morning) == 0
    assert to_settle(morning) == ["waiting"]
    assert one.do("seat", attendee("钱七"))["reason"] == "event_full"
    assert one.do("present", attendee("钱七"))["result"] == "waiting"


def test_an_unknown_person_is_kept_as_a_refused_attempt(morning: House, one: Door) -> None:
    answers = one.upload(one.act("check-in", "f" * 32), one.act("check-in", "陌生人"))
    assert [one["result"] for one in answers] == ["unknown", "unknown"]
    assert to_settle(morning) == ["unknown", "unknown"]


@pytest.mark.parametrize("ahead", [timedelta(days=-3), timedelta(0), timedelta(days=3650)])
def test_a_wrong_clock_changes_neither_the_time_nor_who_is_late(
    morning: House, ahead: timedelta
) -> None:
    door = Door(morning, ahead=ahead)
    morning.now = hour("08:59")
    early = door.act("check-in", attendee("张桂芳"))
    morning.now = hour("09:01")
    late = door.act("check-in", attendee("曾秀英"))
    morning.now = hour("09:40")
    answers = door.upload(early, late)
    assert [one.get("late") for one in answers] == [None, True]
    assert sorted(made.arrived_at for made in check_ins()) == [hour("08:59"), hour("09:01")]


def test_without_a_clock_that_can_be_used_the_time_is_that_of_the_upload(
    morning: House, one: Door
) -> None:
    one.do("check-in", attendee("张桂芳"), at=hour("08:47") + timedelta(days=400))
    one.upload({"key": "no-time", "act": "check-in", "attendee": attendee("曾秀英")})
    assert [made.arrived_at for made in check_ins()] == [morning.now] * 2


def test_a_walk_in_gets_a_free_seat_and_later_acts_name_it_by_its_key(
    morning: House, one: Door
) -> None:
    for name in ("曾秀英", "赵六"):
        found = reading().scalars(select(Attendee).where(Attendee.name == name)).one()
        morning.cancel(found.registration_id)
    act = one.act("walk-in", name="周八")
    gift = one.act("gift", act["key"])
    answers = one.upload(act, gift)
    assert [one["result"] for one in answers] == ["walked_in", "gift_given"]
    assert answers[0]["code"]
    assert arrived(morning) == 1
    assert one.do("gift-undo", act["key"])["result"] == "gift_undone"
    again = one.do("walk-in", name="吴九", phone="12")
    assert (again["result"], to_settle(morning)) == ("refused", ["refused"])
    assert holds(morning)


def test_a_walk_in_without_a_seat_gets_a_number_and_is_flagged_if_it_came_late(
    morning: House, one: Door
) -> None:
    answer = one.do("walk-in", name="周八")
    assert (answer["result"], answer["number"]) == ("no_seat", 1)
    assert to_settle(morning) == []
    late = one.act("walk-in", name="吴九", phone="13300133000")
    morning.now = hour("08:55")
    assert one.upload(late)[0]["result"] == "no_seat"
    assert to_settle(morning) == ["no-seat"], "the volunteer may have let the person in"
    assert holds(morning)


def test_somebody_on_the_list_who_is_taken_for_a_walk_in_is_checked_in(
    morning: House, one: Door
) -> None:
    answer = one.do("walk-in", name="曾秀英", phone="13900139123")
    assert (answer["result"], answer["attendee"]) == ("checked_in", attendee("曾秀英"))


def test_names_are_corrected_at_the_door(morning: House, one: Door) -> None:
    zhang = attendee("张桂芳")
    assert one.do("rename", zhang, name="章桂芳")["result"] == "renamed"
    assert attendee("章桂芳") == zhang
    assert one.do("confirm-name", zhang)["result"] == "confirmed"
    refused = one.do("rename", zhang, name="王建国")
    assert refused["result"] == "refused"
    assert to_settle(morning) == ["refused"]


def test_a_cancelled_person_is_restored_only_into_a_free_seat(morning: House, one: Door) -> None:
    li = attendee("李大海")
    refused = one.do("restore", li)
    assert (refused["result"], refused["reason"]) == ("refused", "event_full")
    zhao = reading().scalars(select(Attendee).where(Attendee.name == "赵六")).one()
    morning.cancel(zhao.registration_id)
    assert one.do("restore", li)["result"] == "restored"
    assert holds(morning)


def test_two_gifts_for_one_person_are_one_and_flagged(morning: House, one: Door, two: Door) -> None:
    zhang = attendee("张桂芳")
    given = two.do("gift", zhang)
    assert (given["result"], given["clash"]) == ("gift_given", "gift-not-in")
    assert reading().scalar(select(func.count(Gift.id))) == 0
    one.do("check-in", zhang)
    assert reading().scalar(select(func.count(Gift.id))) == 1, "now it counts"
    assert to_settle(morning) == []
    assert one.do("gift", zhang)["result"] == "gift_already"
    assert to_settle(morning) == ["gift-double"]
    assert one.do("gift-owed", attendee("曾秀英"))["result"] == "refused"


def test_an_error_in_one_act_leaves_the_others_and_is_kept(
    morning: House, one: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Any:
        raise EventFull(0)

    monkeypatch.setitem(sync._RULES, Kind.SEAT, broken)
    zhang, zeng = attendee("张桂芳"), attendee("曾秀英")
    answers = one.upload(
        one.act("check-in", zhang), one.act("seat", zhang), one.act("check-in", zeng)
    )
    assert [one["result"] for one in answers] == ["checked_in", "refused", "checked_in"]
    assert (arrived(morning), to_settle(morning)) == (2, ["refused"])


def test_an_act_of_another_device_is_that_devices_act(morning: House, one: Door, two: Door) -> None:
    zhang = attendee("张桂芳")
    act = one.act("check-in", zhang)
    assert two.upload({**act, "device": one.device})[0]["result"] == "checked_in"
    (stored,) = reading().scalars(select(DoorAct))
    assert (stored.device, stored.uploaded_by) == (one.device, two.device)
    assert one.upload(act)[0]["result"] == "checked_in"
    assert (arrived(morning), to_settle(morning)) == (1, [])


def test_nobody_else_is_counted(morning: House) -> None:
    assert arrivals.presence(reading(), morning.event()).expected == 4
