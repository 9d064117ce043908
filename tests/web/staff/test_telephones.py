"""Pair volunteers' telephones with the door of one event."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from pytest import MonkeyPatch

from eventreg.core.door import devices
from eventreg.storage.session import reading
from tests.support.factories import House, local, toml
from tests.support.houses import with_seats
from tests.support.pages import Page, get

seated = with_seats(3, "张桂芳", staff=True)


@pytest.fixture
def small(seated: House) -> House:
    """The evening before the event."""
    seated.now = local("2030-06-09 20:00")
    return seated


def paired(house: House, client: FlaskClient) -> tuple[FlaskClient, str]:
    """Pair a telephone; returns its browser and the address of the code."""
    telephones = "/staff/events/small/telephones"
    offered = Page(client.post(telephones, data=get(client, telephones).form().fields))
    address = next(word for word in offered.text.split() if "/staff/pair/" in word)
    path = address[address.index("/staff/pair/") :]
    phone = house.client()
    form = get(phone, path).form()
    answer = phone.post(
        path, data=form.fields, headers={"User-Agent": "Mozilla/5.0 (Linux; Android 9) Chrome/90"}
    )
    assert answer.headers["Location"] == "/door/small/"
    return phone, path


def test_a_paired_telephone_opens_the_door_of_one_event(small: House) -> None:
    small.apply(toml(slug="other"))
    desmond = small.signed_in("desmond")
    phone, path = paired(small, desmond)
    assert get(phone, "/door/small/").kind == "door"
    assert phone.get("/door/other/").status_code == 403
    assert phone.get("/staff/events/small").status_code == 403
    assert "书法课" in get(phone, "/staff/").text
    assert get(phone, "/staff/").html.count("/door/") == 1
    assert small.client().get(path).status_code == 404, "the code is used"
    form = next(form for form in get(phone, "/door/small/").forms if form.fields.get("attendee"))
    assert phone.post(form.action, data={**form.fields, "anyway": "yes"}).status_code == 303
    assert "☎1" in get(desmond, "/staff/events/small/registrations/1").text


def test_without_the_event_check_a_telephone_would_open_every_door(
    small: House, monkeypatch: MonkeyPatch
) -> None:
    """The negative control."""
    small.apply(toml(slug="other"))
    phone, _ = paired(small, small.signed_in("desmond"))
    monkeypatch.setattr("eventreg.web.access.is_for", lambda *_: True)
    assert phone.get("/door/other/").status_code == 200


def test_a_paired_telephone_is_good_until_twelve_hours_after_the_event(small: House) -> None:
    phone, _ = paired(small, small.signed_in("desmond"))
    small.now = local("2030-06-10 22:59")
    assert phone.get("/door/small/").status_code == 200
    small.now = local("2030-06-10 23:00")
    assert phone.get("/door/small/").status_code == 303


def test_the_cookie_of_a_paired_telephone_outlives_its_browser_and_stays_off_public_pages(
    small: House,
) -> None:
    desmond = small.signed_in("desmond")
    phone, _ = paired(small, desmond)
    cookie = phone.get_cookie("s")
    assert cookie is not None
    assert cookie.expires is not None, "paired the evening before, it has to be there next morning"
    own = desmond.get_cookie("s")
    assert own is not None
    assert own.expires is None
    assert "Set-Cookie" not in phone.get("/zh/events/small").headers


def test_a_door_device_reaches_no_page_of_the_desk(small: House) -> None:
    phone, _ = paired(small, small.signed_in("desmond"))
    desk = "/staff/events/small"
    for path in ("", "/attendees", "/telephones", "/registrations/1", "/report", "/ready", "/edit"):
        assert phone.get(desk + path).status_code in {403, 404}, path
    token = get(phone, "/door/small/").forms[0].fields["csrf_token"]
    for form in ({}, {"door": "1"}, {"door": "1", "name": "x"}):
        sent = phone.post(f"{desk}/telephones", data={"csrf_token": token, **form})
        assert sent.status_code == 403


def test_without_roles_a_door_device_would_reach_the_desk(
    small: House, monkeypatch: MonkeyPatch
) -> None:
    """The negative control."""
    phone, _ = paired(small, small.signed_in("desmond"))
    monkeypatch.setattr("eventreg.core.staff.permissions.may", lambda *_: True)
    assert phone.get("/staff/events/small/telephones").status_code == 200


def test_a_door_is_renamed_and_taken_away(small: House) -> None:
    desmond = small.signed_in("desmond")
    phone, _ = paired(small, desmond)
    telephones = "/staff/events/small/telephones"
    rename, revoke = [form for form in get(desmond, telephones).forms if "door" in form.fields]
    assert rename.fields["name"] == "1 号台"
    assert desmond.post(telephones, data={**rename.fields, "name": "门口"}).status_code == 303
    assert "门口" in get(desmond, telephones).text
    wrong = Page(desmond.post(telephones, data={**rename.fields, "name": "长" * 21}))
    assert wrong.status == 422
    assert "名称请写 1 到 20 个字。" in wrong.text
    assert "长" * 21 in wrong.html, "what was typed is still there"
    asked = {"Accept": "application/json"}
    assert phone.get("/door/small/", headers=asked).status_code == 200
    assert desmond.post(telephones, data=revoke.fields).status_code == 303
    assert phone.get("/door/small/").status_code == 303
    told = phone.get("/door/small/", headers=asked)
    assert told.status_code == 403
    assert told.get_json()["error"] == "revoked"
    assert small.client().get("/door/small/", headers=asked).status_code == 401
    for door in ("2", "x", ""):
        gone = desmond.post(telephones, data={**revoke.fields, "door": door})
        assert gone.status_code == 404, door


def test_the_default_name_of_a_door_is_said_in_the_language_of_the_page(small: House) -> None:
    desmond = small.signed_in("desmond")
    paired(small, desmond)
    telephones = "/staff/events/small/telephones"
    page = get(desmond, f"{telephones}?lang=en")
    assert "Desk 1" in page.text
    rename = next(form for form in page.forms if "name" in form.fields)
    desmond.post(telephones, data=rename.fields)
    assert "1 号台" in get(desmond, f"{telephones}?lang=zh").text, "sending it back chooses nothing"


def test_a_telephone_cannot_be_added_five_days_before(small: House) -> None:
    small.now = local("2030-06-05 20:00")
    desmond = small.signed_in("desmond")
    telephones = "/staff/events/small/telephones"
    page = get(desmond, telephones)
    assert "06-06 9:00 起可以添加签到设备。" in page.text
    token = {"csrf_token": page.forms[0].fields["csrf_token"]}
    refused = Page(desmond.post(telephones, data=token))
    assert refused.status == 409
    assert "活动开始前 4 天起可以添加" in refused.text
    small.now = local("2030-06-11 20:00")
    assert "不能再添加设备" in get(small.signed_in("desmond"), telephones).text


def test_looking_at_the_page_behind_a_code_does_not_use_it(small: House) -> None:
    """Not even in a browser inside WeChat. So another browser can still use it."""
    desmond = small.signed_in("desmond")
    telephones = "/staff/events/small/telephones"
    offered = Page(desmond.post(telephones, data=get(desmond, telephones).form().fields))
    address = next(word for word in offered.text.split() if "/staff/pair/" in word)
    path = address[address.index("/staff/pair/") :]
    in_app = {"User-Agent": "Mozilla/5.0 (Linux; Android 9) MicroMessenger/8.0"}
    for _ in range(3):
        assert small.client().get(path, headers=in_app).status_code == 200
    phone = small.client()
    page = get(phone, path)
    assert "只在有网络时用" in page.text, "the one button without a script"
    checks = '{"secure": "missing", "evil": "<b>"}'
    sent = phone.post(path, data={**page.form().fields, "checks": checks})
    assert sent.status_code == 303
    assert "断网不能用" in get(desmond, telephones).text


def test_pairing_again_takes_up_the_same_door(small: House) -> None:
    desmond = small.signed_in("desmond")
    phone, path = paired(small, desmond)
    held = devices.of_event(reading(), small.event())[0].device
    telephones = "/staff/events/small/telephones"
    offered = Page(desmond.post(telephones, data=get(desmond, telephones).form().fields))
    path = next(word for word in offered.text.split() if "/staff/pair/" in word)
    path = path[path.index("/staff/pair/") :]
    again = {**get(phone, path).form().fields, "device": held}
    assert phone.post(path, data=again).status_code == 303
    assert len(devices.of_event(reading(), small.event())) == 1
    assert get(phone, "/door/small/").kind == "door"


def test_a_code_opened_again_on_its_own_telephone_leads_to_the_door(small: House) -> None:
    """After a reload, a second press or Back. Everybody else reads that it is used."""
    phone, path = paired(small, small.signed_in("desmond"))
    assert phone.get(path).headers["Location"] == "/door/small/"
    token = {"csrf_token": get(phone, "/door/small/").forms[0].fields["csrf_token"]}
    assert phone.post(path, data=token).headers["Location"] == "/door/small/"
    assert small.client().get(path).status_code == 404


def test_a_pairing_code_expires_after_fifteen_minutes(small: House) -> None:
    desmond = small.signed_in("desmond")
    telephones = "/staff/events/small/telephones"
    offered = Page(desmond.post(telephones, data=get(desmond, telephones).form().fields))
    path = (
        "/staff/pair/"
        + next(w for w in offered.text.split() if "/staff/pair/" in w).split("/staff/pair/")[1]
    )
    small.now += timedelta(minutes=15)
    assert small.client().get(path).status_code == 404
    assert "这个网址不是 https，断网时不能签到。" in offered.text
