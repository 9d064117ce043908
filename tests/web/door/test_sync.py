"""The script of a door page fetches the roster and uploads its acts."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from eventreg.core.models.door import DoorAct, DoorDevice
from eventreg.core.registration import lookup, tickets
from eventreg.core.values import tokens
from eventreg.storage.session import reading
from tests.core.uploads.doors import arrived, attendee
from tests.support.factories import SECRET, House, local, toml
from tests.support.pages import get

SYNC, ROSTER = "/door/small/sync", "/door/small/roster.json"


@pytest.fixture
def morning(house: House) -> House:
    """It is 8:47; two people are expected, and one has cancelled."""
    house.apply(toml(capacity=5))
    house.hire()
    house.register("张桂芳", phone="13800138000")
    house.register("曾秀英", phone="13900139123")
    house.cancel(house.register("李大海", phone="13700137000"))
    house.now = local("2030-06-10 08:47")
    return house


class Script:
    """The script of a door page."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = get(client, "/staff/").form("/sign-out").fields["csrf_token"]

    def post(self, body: Any, address: str = SYNC, **headers: str) -> TestResponse:
        """Upload a body, as bytes or as what becomes JSON."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        known = {"X-CSRF-Token": self.token, "Content-Type": "application/json", **headers}
        return self.client.post(address, data=sent, headers=known)

    def upload(self, *acts: Any) -> TestResponse:
        """Upload these acts."""
        return self.post({"device": "door-1", "acts": acts})


@pytest.fixture
def script(morning: House) -> Script:
    """Dora's browser."""
    return Script(morning.signed_in("dora"))


def came(name: str) -> dict[str, str]:
    """A check-in."""
    person = attendee(name)
    return {"key": f"key-{person}", "act": "check-in", "attendee": person}


def test_a_batch_is_answered_act_by_act(morning: House, script: Script) -> None:
    bad = {"key": "bad", "act": "dance", "attendee": "x"}
    answer = script.upload(came("张桂芳"), bad, came("曾秀英"), 5)
    assert answer.status_code == 200
    assert [one["result"] for one in answer.get_json()["results"]] == [
        "checked_in",
        "invalid",
        "checked_in",
        "invalid",
    ]
    assert [one["key"] for one in answer.get_json()["results"]][1::2] == ["bad", None]
    assert answer.get_json()["device"] == {"name": "1 号台", "revoked": False}
    assert arrived(morning) == 2


def test_a_batch_that_is_none_is_refused_and_changes_nothing(
    morning: House, script: Script
) -> None:
    act = came("张桂芳")
    batch = {"device": "door-1", "acts": [act]}
    large = json.dumps({**batch, "filler": "x" * 10_000_000}).encode()
    for body, status in (
        (b"{", 400),
        (b'{"acts": ' + b"[" * 1_000 + b"]" * 1_000 + b"}", 400),
        ({"device": "d", "acts": [act] * 501}, 413),
        (large, 413),
        ({"device": 5, "acts": [act]}, 422),
        ([act], 422),
        ({**batch, "now": "\ud800"}, 422),
    ):
        answer = script.post(body)
        assert (answer.status_code, answer.mimetype) == (status, "application/json")
        assert answer.get_json()["error"]
    assert script.post(batch, **{"Content-Type": "text/plain"}).status_code == 415
    assert script.post(batch, **{"X-CSRF-Token": ""}).status_code == 400
    assert (arrived(morning), reading().scalar(select(func.count(DoorAct.id)))) == (0, 0)
    full = script.post(
        {"device": "d", "acts": [{**act, "name": "x" * 190, "phone": "1" * 190}] * 450}
    )
    assert full.status_code == 200, "an upload may have 256 KiB"


def test_who_is_not_signed_in_is_told_so_in_json(morning: House) -> None:
    guest = morning.client()
    for answer in (guest.get(ROSTER), guest.post(SYNC, json={"device": "d", "acts": []})):
        assert (answer.status_code, answer.json) == (401, {"error": "session-expired"})


def test_a_device_that_was_taken_away_is_told_so(morning: House, script: Script) -> None:
    script.upload(came("张桂芳"))
    with morning.writing() as session:
        session.scalars(select(DoorDevice)).one().revoked_at = morning.now
    answer = script.upload(came("曾秀英"))
    assert (answer.status_code, answer.get_json()["error"]) == (403, "revoked")
    assert arrived(morning) == 1
    # Its session has ended, and a browser with a password has no cookie that says which door it is.
    for device, error in (("door-1", "revoked"), ("another", "session-expired"), ("?", None)):
        told = morning.client().get(ROSTER, headers={"X-Door-Device": device}).get_json()
        assert told["error"] == (error or "session-expired")


def paired(house: House) -> FlaskClient:
    """A telephone that was paired with the small event."""
    desmond, telephone = house.signed_in("desmond"), house.client()
    page = get(desmond, "/staff/events/small/telephones")
    form = page.form("/telephones")
    shown = desmond.post("/staff/events/small/telephones", data=form.fields).get_data(as_text=True)
    address = "/staff/pair/" + shown.split("/staff/pair/", 1)[1].split('"')[0].split("<")[0]
    pairing = get(telephone, address).form()
    assert telephone.post(address, data=pairing.fields).status_code == 303
    return telephone


def test_a_door_device_reaches_no_other_event_and_no_page_of_the_desk(morning: House) -> None:
    morning.apply(toml("other"))
    telephone = paired(morning)
    assert telephone.get(ROSTER).status_code == 200
    answer = telephone.get("/door/other/roster.json")
    assert (answer.status_code, answer.json) == (403, {"error": "other-event"})
    token = get(telephone, "/staff/").form("/sign-out").fields["csrf_token"]
    sent = telephone.post(
        "/door/other/sync",
        json={"device": "d", "acts": [came("张桂芳")]},
        headers={"X-CSRF-Token": token},
    )
    assert (sent.status_code, sent.json) == (403, {"error": "other-event"})
    for page in ("", "/attendees", "/to-settle", "/audit", "/report", "/paper"):
        assert telephone.get(f"/staff/events/small{page}").status_code == 403, page


def test_an_attendee_of_another_event_is_unknown_here(morning: House, script: Script) -> None:
    morning.apply(toml("other"))
    morning.now = local("2030-06-03 10:00")
    morning.register("外人", slug="other")
    morning.now = local("2030-06-10 08:47")
    answer = script.upload(came("外人"))
    assert answer.get_json()["results"][0]["result"] == "unknown"
    assert arrived(morning) == 0


def test_the_roster_has_what_admission_needs_and_no_telephone_number(
    morning: House, script: Script
) -> None:
    answer = script.client.get(ROSTER, headers={"X-Door-Device": "door-1"})
    zhang, li = (
        next(one for one in answer.get_json()["attendees"] if one["name"] == name)
        for name in ("张桂芳", "李大海")
    )
    made = lookup.get(reading(), 1)
    token = tickets.token(SECRET, made.ticket_seed)
    assert zhang["ticket"] == tokens.digest(token)[:24]
    assert (zhang["tail"], zhang["pinyin"]) == ("8000", "zhang gui fang")
    assert zhang["keys"][:3] == ["张桂芳", "zhangguifang", "zgf"]
    assert (zhang["state"], zhang["checked_in_at"]) == ("confirmed", None)
    assert (li["state"], li["code"]) == ("cancelled", None)
    assert li["cancelled_at"]
    assert "138001" not in answer.get_data(as_text=True)
    assert answer.get_json()["capacity"] == 5
    door = reading().scalars(select(DoorDevice)).one()
    assert door.roster_at == morning.now


def test_a_roster_that_has_not_changed_is_not_sent_again(morning: House, script: Script) -> None:
    tag = script.client.get(ROSTER).headers["ETag"]
    morning.now += timedelta(minutes=1)
    same = script.client.get(ROSTER, headers={"If-None-Match": tag})
    assert (same.status_code, same.get_data()) == (304, b"")
    script.upload(came("张桂芳"))
    changed = script.client.get(ROSTER, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    zhang = next(one for one in changed.get_json()["attendees"] if one["name"] == "张桂芳")
    assert zhang["checked_in_at"]
    assert zhang["door"] == "1 号台"


def test_a_device_that_tries_every_three_seconds_is_not_locked_out(folder: Path) -> None:
    house = House(folder, EVENTREG_RATE_LIMITS="on")
    with house.app.app_context():
        house.apply(toml())
        house.hire()
        script = Script(house.signed_in("dora"))
        statuses = [script.upload().status_code for _ in range(61)]
        assert set(statuses[:20]) == {200}
        assert (set(statuses[:60]), statuses[60]) == ({200}, 429)
    house.close()


def test_a_changed_roster_lets_no_stranger_in_unseen(morning: House, script: Script) -> None:
    forged = {"key": "forged", "act": "check-in", "attendee": "a" * 32, "name": "混进来的"}
    assert script.upload(forged).get_json()["results"][0]["result"] == "unknown"
    assert arrived(morning) == 0
    row = reading().scalars(select(DoorAct)).one()
    assert (row.clash, "混进来的" in json.loads(row.typed or "{}").values()) == ("unknown", True)
