"""The desk settles what the doors uploaded and the list contradicts."""

import json

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from eventreg.core import invariants
from eventreg.core.audit import Action
from eventreg.core.door import devices
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.door import DoorAct
from eventreg.storage.session import reading
from tests.core.uploads.doors import Door, arrived, attendee, to_settle
from tests.operations.traces import bytes_of, purge
from tests.support.factories import House, local, toml
from tests.support.pages import Page, get

LIST = "/staff/events/small/to-settle"


@pytest.fixture
def morning(house: House) -> House:
    """It is 8:47; two people are expected, one has cancelled, and one waits."""
    house.apply(toml(capacity=3, more="[waitlist]\nopen = true"))
    house.hire()
    house.register("张桂芳", phone="13800138000")
    house.register("曾秀英", phone="13900139123")
    gone = house.register("李大海", phone="13700137000")
    house.register("赵六", "孙七", phone="13600136000", waitlist=True)
    house.cancel(gone)
    house.now = local("2030-06-10 08:47")
    return house


@pytest.fixture
def door(morning: House) -> Door:
    """A door."""
    return Door(morning)


@pytest.fixture
def desk(morning: House) -> FlaskClient:
    """Desmond's browser."""
    return morning.signed_in("desmond")


def press(desk: FlaskClient, how: str, place: int = 0, **typed: str) -> Page:
    """Press the button of that entry. Returns the page that follows."""
    page = get(desk, LIST)
    key = page.having("data-act")[place]["data-act"] or ""
    token = page.form("/to-settle").fields["csrf_token"]
    sent = {"csrf_token": token, "key": key, "how": how, **typed}
    answer = desk.post(LIST, data=sent)
    return get(desk, answer.headers["Location"]) if answer.status_code == 303 else Page(answer)


def holds(house: House) -> bool:
    """Whether everything that ``doctor`` counts is right."""
    reading().rollback()
    return invariants.of_event(reading(), house.event(), now=house.now).holds


def test_two_doors_and_one_person_is_settled_by_looking(
    morning: House, door: Door, desk: FlaskClient
) -> None:
    zhang = attendee("张桂芳")
    door.do("check-in", zhang)
    Door(morning).do("check-in", zhang)
    assert "待核对 1" in get(desk, "/staff/events/small").text
    page = get(desk, LIST)
    assert "两个签到台都签了这个人" in page.text
    assert "1 号台" in page.text
    assert "2 号台" in page.text
    assert press(desk, "keep").data["data-open"] == "0"
    assert (arrived(morning), to_settle(morning)) == (1, [])
    (entry,) = reading().scalars(
        select(AuditEntry).where(AuditEntry.action == Action.CLASH_SETTLED)
    )
    assert (entry.details, entry.actor_staff_id) == (
        {"clash": "double", "how": "keep"},
        morning.desmond.staff_id,
    )


def test_somebody_who_was_let_in_by_mistake_gives_the_seat_back(
    morning: House, door: Door, desk: FlaskClient
) -> None:
    morning.register("钱七", phone="13500135000", source="phone")
    door.do("check-in", attendee("李大海"))
    assert arrived(morning) == 1
    assert "比座位多一人" in get(desk, LIST).text
    press(desk, "mistake")
    assert (arrived(morning), morning.seats().taken, to_settle(morning)) == (0, 3, [])
    assert holds(morning)


def test_a_waiting_person_gets_a_seat_only_if_there_is_one(
    morning: House, door: Door, desk: FlaskClient
) -> None:
    door.do("check-in", attendee("赵六"))
    page = press(desk, "seat")
    assert (page.status, to_settle(morning)) == (409, ["waiting"])
    morning.cancel(2)
    assert press(desk, "seat").status == 200
    assert (arrived(morning), to_settle(morning)) == (1, [])
    assert holds(morning)


def test_what_a_door_recorded_that_was_taken_away_counts_only_if_the_desk_says_so(
    morning: House, door: Door, desk: FlaskClient
) -> None:
    other, zhang = Door(morning), attendee("张桂芳")
    door.upload()
    with morning.writing() as session:
        found = devices.find(session, morning.event(), door.device)
        assert found is not None
        devices.revoke(session, morning.event(), found, by=morning.desmond, now=morning.now)
    act = door.act("check-in", zhang, device=door.device)
    (told,) = other.upload(act)
    assert (told["result"], told["reason"], arrived(morning)) == ("refused", "revoked", 0)
    assert "来自已经收回的设备" in get(desk, LIST).text
    assert press(desk, "came").status == 200
    assert (arrived(morning), to_settle(morning)) == (1, [])
    assert (other.upload(act), arrived(morning)) == ([told], 1), "the same key is silent"
    assert holds(morning)


def test_an_unknown_person_is_found_on_the_list(
    morning: House, door: Door, desk: FlaskClient
) -> None:
    door.do("check-in", "f" * 32)
    key = get(desk, LIST).having("data-act")[0]["data-act"]
    page = get(desk, f"{LIST}?key={key}&q=zgf")
    assert "就是 张桂芳" in page.text
    press(desk, "found", attendee=attendee("张桂芳"))
    assert (arrived(morning), to_settle(morning)) == (1, [])


def test_an_unknown_person_is_registered_as_a_walk_in(
    morning: House, door: Door, desk: FlaskClient
) -> None:
    door.do("walk-in", name="周八", phone="12")
    shown = get(desk, LIST).text
    assert "周八" in shown
    assert "：" in shown, "and why it could not take effect"
    wrong = press(desk, "walk-in", name="周八", phone="12")
    assert (wrong.status, to_settle(morning)) == (422, ["refused"])
    press(desk, "walk-in", name="周八", phone="")
    assert (arrived(morning), to_settle(morning)) == (1, [])
    assert reading().scalars(select(DoorAct)).one().typed is None


def test_an_entry_is_settled_once_and_only_in_a_way_that_fits(
    morning: House, door: Door, desk: FlaskClient
) -> None:
    door.do("gift", attendee("张桂芳"))
    assert press(desk, "found", attendee="0" * 32).status == 409
    page = get(desk, LIST)
    fields = page.form("/to-settle").fields
    for _ in range(2):
        assert desk.post(LIST, data={**fields, "how": "seen"}).status_code == 303
    assert desk.post(LIST, data={**fields, "key": "none", "how": "seen"}).status_code == 409


def test_what_was_typed_is_gone_after_the_retention_period(morning: House, door: Door) -> None:
    door.do("check-in", "f" * 32, name="慕容无名")
    door.do("walk-in", name="司马无号", phone="12")
    row = reading().scalars(select(DoorAct.typed)).first()
    assert json.loads(row or "{}") == {"name": "慕容无名"}
    morning.now = local("2030-07-10 11:00")
    purge(morning)
    left = bytes_of(morning.settings.instance)
    for name in ("慕容无名", "司马无号"):
        assert name.encode() not in left
        assert json.dumps(name).strip('"').encode() not in left
