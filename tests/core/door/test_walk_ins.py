"""People who come without having registered."""

import pytest

from eventreg.core.errors import AlreadyRegistered, FieldRefused, FormKeyReused, PhoneAtLimit
from eventreg.core.models.attendance import CheckIn
from eventreg.core.registration import arrivals
from eventreg.storage.session import reading
from tests.core.door.mornings import check_sum, id_of, line, names, walk_in
from tests.support.factories import House, local, toml

pytestmark = pytest.mark.both_databases


@pytest.fixture
def morning(house: House) -> House:
    """8:50. Two of three seats are taken."""
    house.apply(toml(capacity=3, more="[waitlist]\nopen = false"))
    house.hire()
    house.register("张桂芳", "王建国")
    house.now = local("2030-06-10 08:50")
    return house


def test_a_walk_in_who_finds_a_free_seat_is_in_at_once_without_a_telephone(morning: House) -> None:
    got = walk_in(morning, "李秀英")
    assert (got.state, got.number, got.position, got.late, got.again) == (
        "confirmed",
        None,
        None,
        False,
        False,
    )
    assert got.code
    assert arrivals.presence(reading(), morning.event()) == arrivals.Presence(1, 3)
    check_sum(morning)


def test_without_a_seat_walk_ins_get_numbers_even_if_the_waiting_list_is_closed(
    morning: House,
) -> None:
    walk_in(morning, "李秀英")
    first, second = walk_in(morning, "陈阿宝"), walk_in(morning, "赵一", companion="赵二")
    assert [(one.state, one.code, one.number, one.position) for one in (first, second)] == [
        ("waitlisted", None, 1, 1),
        ("waitlisted", None, 2, 2),
    ]
    assert names(line(morning).waiting) == [["陈阿宝"], ["赵一", "赵二"]]
    check_sum(morning)


def test_a_cancelled_seat_goes_to_the_first_number_that_fits(morning: House) -> None:
    walk_in(morning, "李秀英")
    walk_in(morning, "赵一", companion="赵二")
    walk_in(morning, "陈阿宝")
    made = morning.register("孙一", source="phone", over="guest")
    morning.cancel(made)  # over the capacity before, so nobody gets a seat
    assert len(line(morning).waiting) == 2
    morning.apply(toml(capacity=4, more="[waitlist]\nopen = false"))
    assert names(line(morning).called) == [["陈阿宝"]]
    check_sum(morning)


def test_the_same_key_gives_the_same_result_and_one_arrival(morning: House) -> None:
    first, again = (walk_in(morning, "李秀英", key="k" * 32) for _ in range(2))
    assert (first.attendee, first.code, first.state) == (again.attendee, again.code, again.state)
    assert (first.again, again.again) == (False, True)
    waiting, still = (walk_in(morning, "陈阿宝", key="w" * 32) for _ in range(2))
    assert (waiting.number, still.number) == (1, 1)
    with pytest.raises(FormKeyReused):
        walk_in(morning, "陈阿根", key="w" * 32)
    assert reading().query(CheckIn).count() == 1
    check_sum(morning)


def test_who_comes_after_the_window_is_late(morning: House) -> None:
    morning.now = local("2030-06-10 09:05")
    assert walk_in(morning, "李秀英").late


def test_a_walk_in_needs_a_name_and_is_not_registered_twice(morning: House) -> None:
    for name, phone in (("", ""), ("   ", ""), ("李秀英", "12"), ("\ud800", "")):
        with pytest.raises(FieldRefused):
            walk_in(morning, name, phone)
    walk_in(morning, "李秀英")
    with pytest.raises(AlreadyRegistered):
        walk_in(morning, "李秀英")
    for number in range(4):
        walk_in(morning, f"同号{number}", "13800138000")
    with pytest.raises(PhoneAtLimit):
        walk_in(morning, "同号九", "13800138000")
    assert id_of("李秀英")
    check_sum(morning)
