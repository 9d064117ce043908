"""A form registers once, however often and with whatever names it is sent."""

from datetime import timedelta
from typing import Any

import pytest

from eventreg.core.models.registration import Registration
from eventreg.core.registration import sent_forms
from eventreg.storage.session import reading
from eventreg.web.forms import form_token
from tests.support.factories import House, toml
from tests.support.houses import ZHANG
from tests.support.pages import Page, book, fill, get

REGISTER = "/zh/events/small/register"
WANG = {"name": "王建国", "phone": "13900139000"}

pytestmark = pytest.mark.both_databases


def count_registrations() -> int:
    """The number of registrations."""
    return reading().query(Registration).count()


def test_one_form_sent_with_the_names_of_25_couples_registers_one_couple(house: House) -> None:
    house.apply(toml(capacity=50))
    guest = house.client()
    form = get(guest, REGISTER).form("/register").fields
    couples = [
        {
            "name": f"王{n}甲",
            "companion-1": f"王{n}乙",
            "phone": f"138{n:08d}",
            "form_key": f"{n:032x}",
        }
        for n in range(25)
    ]
    answers = [
        guest.post(REGISTER, data={**form, **couple, "confirmed": "yes"}).status_code
        for couple in couples
    ]
    assert answers == [303] + [422] * 24
    assert (house.seats().taken, count_registrations()) == (2, 1)


def test_a_form_sent_again_leads_to_the_same_ticket(
    guest: Any,
) -> None:
    checked = Page(fill(guest, REGISTER, **ZHANG)).form("/register").fields
    first, again, later = (guest.post(REGISTER, data=checked) for _ in range(3))
    unconfirmed = guest.post(REGISTER, data={**checked, "confirmed": ""})
    tickets = {
        answer.headers["Location"].removesuffix("#main")
        for answer in (first, again, later, unconfirmed)
    }
    assert (len(tickets), count_registrations()) == (1, 1)


def test_another_name_in_a_used_form_gets_a_fresh_form_that_works(guest: Any) -> None:
    form = get(guest, REGISTER).form("/register").fields
    checked = Page(guest.post(REGISTER, data={**form, **ZHANG})).form("/register").fields
    ticket = guest.post(REGISTER, data=checked).headers["Location"]
    back = Page(guest.post(REGISTER, data={**form, **WANG}))
    assert (back.status, back.kind) == (422, "register")
    assert "这张表已经报好一次了" in back.text
    assert ticket.removeprefix("/T/") not in back.html, "the form alone opens no ticket"
    fresh = back.form("/register").fields
    assert (fresh["name"], fresh["phone"]) == (WANG["name"], WANG["phone"])
    assert fresh["csrf_token"] != form["csrf_token"]
    checked = Page(guest.post(REGISTER, data=fresh)).form("/register").fields
    other = guest.post(REGISTER, data=checked)
    assert (other.status_code, count_registrations()) == (303, 2)
    assert other.headers["Location"] != ticket


def test_another_name_in_a_used_check_page_gets_a_fresh_form_that_works(
    guest: Any,
) -> None:
    form = get(guest, REGISTER).form("/register").fields
    guest.post(REGISTER, data={**form, **ZHANG, "confirmed": "yes"})
    back = Page(guest.post(REGISTER, data={**form, **WANG, "confirmed": "yes"}))
    assert (back.status, back.kind, count_registrations()) == (422, "register", 1)
    assert Page(guest.post(REGISTER, data=back.form("/register").fields)).kind == "check"


def test_a_family_opens_the_page_again_for_each_couple(house: House) -> None:
    house.apply(toml(capacity=50))
    guest = house.client()
    for n in range(3):
        answer = book(guest, name=f"王{n}甲", companion_1=f"王{n}乙", phone=f"1380013800{n}")
        assert answer.status_code == 303
    assert house.seats().taken == 6


def test_the_choices_of_a_couple_with_one_seat_left_are_one_form(house: House) -> None:
    """Of the buttons "one now, the other waits" and "both wait" only one takes effect."""
    house.apply(toml(capacity=1))
    guest = house.client()
    full = Page(fill(guest, REGISTER, **ZHANG, companion_1="王建国"))
    split, _the_other_way, wait = (
        form for form in full.forms if {"split", "waitlist"} & set(form.fields)
    )
    first = guest.post(REGISTER, data={**split.fields, "confirmed": "yes"})
    second = guest.post(REGISTER, data={**wait.fields, "confirmed": "yes"})
    assert first.headers["Location"] == second.headers["Location"]


def test_form_keys_are_kept_for_longer_than_a_form_is_valid() -> None:
    assert timedelta(seconds=form_token.OLDEST + form_token.SKEW) < sent_forms.KEPT
