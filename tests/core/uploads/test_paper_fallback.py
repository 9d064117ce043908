"""Half-way through a morning the door goes over to paper, and comes back. The same people may be on
the printed list and in a telephone."""

import pytest
from sqlalchemy import select

from eventreg.core import invariants
from eventreg.core.desk import sheet_entry
from eventreg.core.door import gifts
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.registration import Attendee
from eventreg.storage.session import reading, write
from tests.core.uploads.doors import Door, arrived, attendee, hour, to_settle
from tests.support.factories import House, toml

pytestmark = pytest.mark.both_databases
NAMES = ("张桂芳", "王建国", "曾秀英", "李大海", "赵小兰", "钱大伟")


@pytest.fixture
def morning(house: House) -> House:
    """It is 8:47, and six people are expected."""
    house.apply(toml(capacity=6))
    house.hire()
    for name in NAMES:
        house.register(name)
    house.now = hour("08:47")
    return house


def typed(house: House, came: tuple[str, ...], given: tuple[str, ...] = ()) -> int:
    """The desk types the sheet in: these have a tick, and these a gift. Returns what was new."""
    ids = [attendee(name) for name in came]
    presents = [attendee(name) for name in given]
    saved = write(
        lambda session: sheet_entry.save(
            session, house.event(), ids, presents, by=house.desmond, now=house.now
        )
    )
    reading().rollback()
    return saved.changes


def standing() -> dict[str, bool]:
    """Who stands as checked in, and whether only paper says so."""
    reading().rollback()
    found = select(Attendee.name, CheckIn.by_paper).join(CheckIn)
    return dict(reading().execute(found.where(CheckIn.undone_at.is_(None))).all())


def holds(house: House) -> bool:
    """Whether all counts agree."""
    reading().rollback()
    return invariants.of_event(reading(), house.event(), now=house.now).holds


def test_acts_on_paper_and_in_a_telephone_for_the_same_people_count_once(morning: House) -> None:
    phone = Door(morning)
    phone.do("check-in", attendee("张桂芳"))
    phone.do("check-in", attendee("王建国"))
    # 8:50: no network, and then the battery is empty. Two more are in the telephone only.
    morning.now = hour("08:51")
    unsent = [
        phone.act("check-in", attendee("曾秀英")),
        phone.act("check-in", attendee("李大海")),
        phone.act("walk-in", name="路过人"),
    ]
    # On paper: one of these two, one more, and a gift for somebody who is in.
    morning.now = hour("09:30")
    assert typed(morning, ("曾秀英", "赵小兰"), ("张桂芳",)) == 3
    assert arrived(morning) == 4
    # 9:45: the telephone is charged and uploads.
    morning.now = hour("09:45")
    answers = phone.upload(*unsent)
    assert [one["result"] for one in answers] == ["already_in", "checked_in", "no_seat"]
    assert standing().keys() == {"张桂芳", "王建国", "曾秀英", "李大海", "赵小兰"}
    assert to_settle(morning) == ["no-seat"], "only the walk-in, for whom no seat was left"
    assert typed(morning, ("曾秀英", "赵小兰"), ("张桂芳",)) == 0, "typed in again, nothing changes"
    assert (arrived(morning), gifts.stock(reading(), morning.event()).given) == (5, 1)
    assert holds(morning)


def test_who_is_in_a_telephone_first_keeps_the_minute_when_the_paper_is_typed(
    morning: House,
) -> None:
    phone = Door(morning)
    phone.do("check-in", attendee("张桂芳"))
    morning.now = hour("09:30")
    assert typed(morning, ("张桂芳", "钱大伟")) == 1
    assert standing() == {"张桂芳": False, "钱大伟": True}
    assert holds(morning)


def test_a_person_undone_at_the_door_and_ticked_on_paper_came(morning: House) -> None:
    phone = Door(morning)
    phone.do("check-in", attendee("张桂芳"))
    undo = phone.act("undo", attendee("张桂芳"))
    assert phone.upload(undo)[0]["result"] == "undone"
    morning.now = hour("09:30")
    typed(morning, ("张桂芳",))
    assert phone.upload(undo)[0]["result"] == "undone", "the same act again undoes nothing more"
    assert standing() == {"张桂芳": True}
    assert holds(morning)
