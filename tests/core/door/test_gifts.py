"""Gifts at the exit: one for each person who came, now or later."""

import pytest
from sqlalchemy import select

from eventreg.core import audit
from eventreg.core.desk import attendee_list
from eventreg.core.desk.attendee_list import Selection
from eventreg.core.desk.attendee_rows import Row
from eventreg.core.door import check_in, gifts, owed
from eventreg.core.door.check_in import Arrival, Outcome
from eventreg.core.door.gifts import Stock
from eventreg.core.errors import AttendeeUnknown, GiftBeforeArrival
from eventreg.core.event import events
from eventreg.core.models.attendance import Gift
from eventreg.storage.session import reading, transaction
from tests.support.factories import House, local, toml

pytestmark = pytest.mark.both_databases
TEA = '[gift]\ntext = { zh = "茶", en = "Tea" }\nstock = 2\n'


@pytest.fixture
def morning(house: House) -> House:
    """8:47 on the day, two gifts in stock. Three people are expected, two of them together."""
    house.apply(toml(capacity=5, more=TEA))
    house.hire()
    house.register("张桂芳", "王建国")
    house.register("曾秀英")
    house.now = local("2030-06-10 08:47")
    return house


def row(name: str) -> Row:
    """This person, as the list shows it."""
    rows = attendee_list.listed(reading(), events.get(reading(), "small"), Selection())
    return next(one for one in rows if one.name == name)


def arrive(house: House, *people: str) -> list[Outcome]:
    """Dora checks them in."""
    done = []
    for name in people:
        attendee = row(name).public_id
        with transaction() as session:
            event = events.get(session, "small")
            arrival = Arrival(attendee, house.now, house.now)
            done.append(check_in.check_in(session, event, arrival, anyway=False, by=house.dora))
    return done


def give(house: House, name: str) -> bool:
    """Dora hands out a gift."""
    attendee_id = row(name).attendee_id
    with transaction() as session:
        event = events.get(session, "small")
        return gifts.give(session, event, attendee_id, by=house.dora, now=house.now)


def undo(house: House, name: str) -> bool:
    """Dora takes a gift back."""
    attendee_id = row(name).attendee_id
    with transaction() as session:
        event = events.get(session, "small")
        return gifts.undo(session, event, attendee_id, by=house.dora, now=house.now)


def owe(house: House, name: str) -> bool:
    """Dora notes that a gift is to follow."""
    attendee_id = row(name).attendee_id
    with transaction() as session:
        event = events.get(session, "small")
        return owed.owe(session, event, attendee_id, by=house.dora, now=house.now)


def stock() -> Stock:
    """What the pages count."""
    return gifts.stock(reading(), events.get(reading(), "small"))


def acts(house: House) -> list[str]:
    """What the audit trail says about gifts, oldest first."""
    entries = reversed(audit.of_event(reading(), house.event().id, most=99))
    return [
        entry.action.removeprefix("attendee:gift:") for entry in entries if ":gift:" in entry.action
    ]


def test_a_person_gets_one_gift_and_the_second_try_changes_nothing(morning: House) -> None:
    arrive(morning, "张桂芳")
    assert give(morning, "张桂芳")
    morning.now = local("2030-06-10 11:02")
    assert not give(morning, "张桂芳")
    assert row("张桂芳").gift_at == local("2030-06-10 08:47")
    assert (stock(), acts(morning)) == (Stock(1, 1, 0), ["given"])


def test_who_has_not_come_gets_no_gift_and_is_owed_none(morning: House) -> None:
    for act in (give, owe):
        with pytest.raises(GiftBeforeArrival) as refused:
            act(morning, "张桂芳")
        assert refused.value.name == "张桂芳"
    assert (stock(), acts(morning)) == (Stock(0, 2, 0), [])


def test_who_was_checked_in_by_mistake_gets_no_gift(morning: House) -> None:
    (done,) = arrive(morning, "张桂芳")
    with transaction() as session:
        event = events.get(session, "small")
        check_in.undo(session, event, done.check_in_id, by=morning.dora, now=morning.now)
    with pytest.raises(GiftBeforeArrival):
        give(morning, "张桂芳")


def test_a_person_of_another_event_gets_no_gift_here(morning: House) -> None:
    arrive(morning, "张桂芳")
    morning.apply(toml(slug="other", more=TEA))
    attendee_id = row("张桂芳").attendee_id
    for act in (gifts.give, gifts.undo, owed.owe, owed.cross_out):
        with pytest.raises(AttendeeUnknown), transaction() as session:
            other = events.get(session, "other")
            act(session, other, attendee_id, by=morning.dora, now=morning.now)
    assert acts(morning) == []


def test_a_gift_taken_back_keeps_its_row_and_can_be_given_again(morning: House) -> None:
    arrive(morning, "张桂芳")
    assert not undo(morning, "张桂芳")
    give(morning, "张桂芳")
    assert undo(morning, "张桂芳")
    assert stock() == Stock(0, 2, 0)
    assert give(morning, "张桂芳")
    assert len(reading().scalars(select(Gift.id)).all()) == 2
    assert acts(morning) == ["given", "undone", "given"]


def test_a_gift_that_is_owed_is_settled_by_giving_it_and_owed_again_if_that_is_undone(
    morning: House,
) -> None:
    arrive(morning, "张桂芳", "王建国", "曾秀英")
    give(morning, "张桂芳")
    give(morning, "王建国")
    assert owe(morning, "曾秀英")
    assert owe(morning, "曾秀英"), "twice is once"
    assert stock() == Stock(2, 0, 1)
    assert [one.name for one in owed.listed(reading(), morning.event())] == ["曾秀英"]
    morning.now = local("2030-06-17 10:00")
    assert give(morning, "曾秀英")
    assert stock() == Stock(3, 0, 0), "never below 0"
    assert undo(morning, "曾秀英")
    assert stock() == Stock(2, 0, 1)
    assert acts(morning) == ["given", "given", "owed", "given", "undone"]


def test_a_gift_that_is_owed_can_be_crossed_out_and_owed_again(morning: House) -> None:
    arrive(morning, "张桂芳")
    owe(morning, "张桂芳")
    attendee_id = row("张桂芳").attendee_id
    for expected in (True, False):
        with transaction() as session:
            event = events.get(session, "small")
            done = owed.cross_out(session, event, attendee_id, by=morning.desmond, now=morning.now)
        assert done is expected
    assert stock().owed == 0
    assert owe(morning, "张桂芳")
    assert (stock().owed, acts(morning)) == (1, ["owed", "crossed-out", "owed"])


def test_who_has_a_gift_is_owed_none(morning: House) -> None:
    arrive(morning, "张桂芳")
    give(morning, "张桂芳")
    assert not owe(morning, "张桂芳")
    assert stock().owed == 0


@pytest.mark.parametrize(("left", "low"), [(None, False), (0, True), (5, True), (6, False)])
def test_the_stock_is_low_from_five_on(left: int | None, low: bool) -> None:
    assert Stock(1, left).is_low is low


def test_where_check_in_gives_the_gift_undoing_it_takes_the_gift_back(morning: House) -> None:
    morning.apply(toml(capacity=5, more=f"{TEA}at_check_in = true\n"))
    first, _, last = arrive(morning, "张桂芳", "王建国", "曾秀英")
    assert stock() == Stock(2, 0, 1), "the third gets one later"
    assert not give(morning, "张桂芳"), "the gift was given"
    for done in (first, last):
        with transaction() as session:
            event = events.get(session, "small")
            check_in.undo(session, event, done.check_in_id, by=morning.dora, now=morning.now)
    assert stock() == Stock(1, 1, 0)
    assert acts(morning) == ["given", "given", "owed", "undone", "crossed-out"]
    arrive(morning, "曾秀英")
    assert stock() == Stock(2, 0, 0)


def test_elsewhere_check_in_gives_nothing(morning: House) -> None:
    (done,) = arrive(morning, "张桂芳")
    assert stock() == Stock(0, 2, 0)
    give(morning, "张桂芳")
    with transaction() as session:
        event = events.get(session, "small")
        check_in.undo(session, event, done.check_in_id, by=morning.dora, now=morning.now)
    assert stock().given == 1, "it was handed out, whoever it was"
