"""Pair volunteers' telephones with the door of one event."""

from datetime import timedelta

from flask.testing import FlaskClient
from pytest import MonkeyPatch

from eventreg.core.staff import accounts
from eventreg.storage.session import reading
from tests.support.factories import House, local, toml
from tests.support.houses import with_seats
from tests.support.pages import Page, get

small = with_seats(3, "张桂芳", staff=True)


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


def test_a_paired_telephone_is_signed_out_at_midnight(small: House) -> None:
    small.now = local("2030-06-10 08:00")
    phone, _ = paired(small, small.signed_in("desmond"))
    small.now = local("2030-06-10 23:59")
    assert phone.get("/door/small/").status_code == 200
    small.now = local("2030-06-11 00:00")
    assert phone.get("/door/small/").status_code == 303


def test_a_paired_telephone_can_be_disabled(small: House) -> None:
    desmond = small.signed_in("desmond")
    phone, _ = paired(small, desmond)
    page = get(desmond, "/staff/events/small/telephones")
    form = next(form for form in page.forms if "telephone" in form.fields)
    assert (
        desmond.post(form.action or "/staff/events/small/telephones", data=form.fields).status_code
        == 303
    )
    assert phone.get("/door/small/").status_code == 303
    olga_id = str(accounts.by_name(reading(), "olga").id)
    gone = desmond.post(
        "/staff/events/small/telephones", data={**form.fields, "telephone": olga_id}
    )
    assert gone.status_code == 404, "an account is no telephone"


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
