"""What every door device asks every few seconds: how the morning goes."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event as listening
from sqlalchemy import select

from eventreg.core.door import check_in, gifts, live, owed
from eventreg.core.door.check_in import Arrival, Via
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.door import DoorAct, DoorDevice, PresentParty
from eventreg.core.models.registration import Attendee
from eventreg.storage.session import db, reading, transaction
from tests.support.factories import House, local, toml
from tests.support.pages import get

ADDRESS = "/door/small/live.json"
TEA = '[gift]\ntext = { zh = "茶", en = "Tea" }\nstock = 7\n'
ONE, TWO = "1" * 32, "2" * 32


@pytest.fixture
def morning(house: House) -> House:
    """8:47 on the day. Ten people are expected, two wait; there are two doors with names."""
    house.apply(toml(capacity=10, more=TEA))
    house.hire()
    for number in range(12):
        house.register(f"周{number}号", waitlist=True)
    house.now = local("2030-06-10 08:47")
    with transaction() as session:
        event = events.get(session, "small")
        for device, name in ((TWO, "2 号台"), (ONE, "1 号台")):
            session.add(DoorDevice(event_id=event.id, device=device, name=name))
    return house


@pytest.fixture
def dora(morning: House) -> FlaskClient:
    """The volunteer's telephone."""
    return morning.signed_in("dora")


def arrive(house: House, number: int, device: str | None = None, via: Via = Via.DOOR) -> int:
    """The person of that number comes to a door. Returns the check-in's id."""
    with transaction() as session:
        event = events.get(session, "small")
        name = f"周{number}号"
        person = session.scalars(select(Attendee).where(Attendee.name == name)).one()
        arrival = Arrival(person.public_id, house.now, house.now, via)
        done = check_in.check_in(session, event, arrival, anyway=True, by=house.dora)
        session.get_one(CheckIn, done.check_in_id).device = device
        return done.check_in_id


def state(dora: FlaskClient) -> dict[str, Any]:
    """What the device is told."""
    answer = dora.get(ADDRESS)
    assert answer.status_code == 200
    told: dict[str, Any] = answer.get_json()
    return told


def test_a_device_sees_who_has_come_at_which_door(morning: House, dora: FlaskClient) -> None:
    quiet = state(dora)
    assert (quiet["arrived"], quiet["expected"], quiet["capacity"]) == (0, 10, 10)
    assert (quiet["per_minute"], quiet["minutes_left"]) == (None, None)
    for number, device in enumerate((ONE, TWO, ONE, None)):
        arrive(morning, number, device)
    arrive(morning, 4, via=Via.PAPER)
    told = state(dora)
    assert told["arrived"] == 5
    assert told["doors"] == [
        {"door": ONE[:8], "name": "1 号台", "arrived": 2},
        {"door": TWO[:8], "name": "2 号台", "arrived": 1},
        {"door": "form", "name": "", "arrived": 1},
        {"door": "paper", "name": "", "arrived": 1},
    ]
    assert sum(door["arrived"] for door in told["doors"]) == told["arrived"]


def test_the_pace_is_that_of_the_last_five_minutes(morning: House, dora: FlaskClient) -> None:
    for number in range(2):
        arrive(morning, number)
        morning.now += timedelta(minutes=1)
    assert state(dora)["per_minute"] is None, "two are too few to say anything"
    for number in (2, 3):
        arrive(morning, number)
        morning.now += timedelta(minutes=1)
    told = state(dora)
    assert told["per_minute"] == 1.0, "four in four minutes"
    assert told["minutes_left"] == 6
    morning.now += timedelta(minutes=20)
    assert state(dora)["per_minute"] is None, "nobody came for a while"


def test_a_check_in_by_form_counts_for_the_door_of_the_paired_telephone(
    morning: House, dora: FlaskClient
) -> None:
    form = get(dora, "/door/small/").form("/check-ins")
    dora.post(form.action, data=form.fields)
    assert state(dora)["doors"][-1] == {"door": "form", "name": "", "arrived": 1}
    with transaction() as session:
        found = session.scalars(select(DoorDevice).where(DoorDevice.device == ONE)).one()
        found.staff_id, found.paired_at = morning.dora.staff_id, morning.now
    form = get(dora, "/door/small/").form("/check-ins")
    dora.post(form.action, data=form.fields)
    assert state(dora)["doors"][0] == {"door": ONE[:8], "name": "1 号台", "arrived": 1}


def test_who_came_on_paper_does_not_make_the_queue_fast(morning: House, dora: FlaskClient) -> None:
    for number in range(5):
        arrive(morning, number, via=Via.PAPER)
    told = state(dora)
    assert (told["arrived"], told["per_minute"]) == (5, None)


def test_gifts_clashes_waiting_people_and_release_are_told(
    morning: House, dora: FlaskClient
) -> None:
    for number in range(2):
        arrive(morning, number)
    with transaction() as session:
        event = events.get(session, "small")
        people = session.scalars(select(Attendee).order_by(Attendee.id)).all()
        gifts.give(session, event, people[0].id, by=morning.dora, now=morning.now)
        owed.owe(session, event, people[1].id, by=morning.dora, now=morning.now)
        waiting = next(one for one in people if one.code is None)
        session.add(
            PresentParty(
                event_id=event.id, registration_id=waiting.registration_id, came_at=morning.now
            )
        )
        session.add(
            DoorAct(
                event_id=event.id,
                key="k",
                device=ONE,
                act="check-in",
                acted_at=morning.now,
                received_at=morning.now,
                result="unknown",
                late=False,
                answer="{}",
                clash="unknown",
            )
        )
        event.seats_released_at = morning.now
    told = state(dora)
    assert told["gifts"] == {"given": 1, "left": 6, "owed": 1}
    assert (told["waiting_present"], told["to_settle"], told["released"]) == (1, 1, True)


def test_nothing_is_sent_again_until_something_changes(morning: House, dora: FlaskClient) -> None:
    def ask(tag: str = "") -> tuple[int, str, str]:
        answer = dora.get(ADDRESS, headers={"If-None-Match": tag} if tag else {})
        told = (answer.get_json() or {}).get("roster", "") if answer.status_code == 200 else ""
        return answer.status_code, answer.headers["ETag"], told

    _, first, roster = ask()
    assert ask(first)[:2] == (304, first)
    done = arrive(morning, 0, ONE)
    status, second, newer = ask(first)
    assert (status, newer != roster) == (200, True)
    with transaction() as session:
        event = events.get(session, "small")
        check_in.undo(session, event, done, by=morning.dora, now=morning.now)
    status, third, _ = ask(second)
    assert (status, third not in {first, second}) == (200, True)
    with transaction() as session:
        session.scalars(select(DoorDevice).where(DoorDevice.device == ONE)).one().name = "正门"
    assert ask(third)[0] == 200, "a door has another name"


def test_an_answer_of_one_event_is_never_that_of_another(morning: House, dora: FlaskClient) -> None:
    state(dora)
    morning.apply(toml(slug="other", capacity=3))
    assert dora.get("/door/other/live.json").get_json()["event"] == "other"
    assert state(dora)["event"] == "small"


def test_if_nothing_changed_one_statement_tells_so(morning: House, dora: FlaskClient) -> None:
    state(dora)
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    listening.listen(db.engine, "before_cursor_execute", note)
    try:
        dora.get(ADDRESS)
    finally:
        listening.remove(db.engine, "before_cursor_execute", note)
    tables = [one for one in asked if "attendees" in one or "check_ins" in one]
    assert tables == [], "people and their arrivals are not counted again"
    assert sum("audit_entries" in one for one in asked) == 1


def test_the_version_is_found_by_indexes(morning: House) -> None:
    """SQLite reads no table from its beginning to its end."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, sent: Any, *_: object) -> None:
        asked.append((statement, sent))

    event = morning.event()
    listening.listen(db.engine, "before_cursor_execute", note)
    try:
        live.version(reading(), event)
    finally:
        listening.remove(db.engine, "before_cursor_execute", note)
    ((statement, sent),) = [one for one in asked if "audit_entries" in one[0]]
    plan = reading().connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", sent)
    steps = [str(row[-1]) for row in plan]
    assert [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step] == []


def test_only_the_door_may_ask(morning: House, dora: FlaskClient) -> None:
    stranger = morning.app.test_client()
    asking = {"Accept": "application/json"}
    assert stranger.get(ADDRESS, headers=asking).status_code == 401
    assert dora.get("/door/nothing/live.json").status_code == 404
