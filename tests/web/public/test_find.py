"""Find a lost ticket by name, telephone number and code."""

from typing import Any

import pytest

from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup
from eventreg.storage.session import reading
from tests.support.factories import House, toml
from tests.support.houses import ZHANG, with_seats
from tests.support.pages import Page, book, get

pytestmark = pytest.mark.both_databases
small = with_seats(2)


def test_a_lost_ticket_is_found_by_name_number_and_code(small: House, guest: Any) -> None:
    ticket = book(guest, **ZHANG).headers["Location"]
    (person,) = lookup.party(reading(), reading().query(Registration).one())
    form = get(guest, "/zh/find")
    assert form.kind == "find"
    assert "签到码" in form.text
    assert "验证码" not in form.text, "that word means a code sent by text message"
    for typed in (
        {"phone": "+86 13800138000"},
        {"name": " 张 桂芳 "},
        {"code": " ".join(str(person.code))},
    ):
        found = guest.post("/zh/find", data={**ZHANG, "code": str(person.code), **typed})
        assert (found.status_code, found.headers["Location"]) == (303, f"{ticket}#main")


def test_the_finder_says_that_who_waits_has_no_code_and_whom_to_call(guest: Any) -> None:
    page = get(guest, "/zh/find")
    assert "签到码（4 位数字）" in page.text
    assert "还在候补，就没有签到码" in page.text
    assert page.text.index("还在候补") < page.text.index("0574-87654321")
    assert "查看我的报名，或退名额" in get(guest, "/zh/events/small").text


def test_the_finder_names_no_length_if_the_codes_of_events_differ(small: House) -> None:
    small.apply(toml(slug="stadium", capacity=2000))
    page = get(small.client(), "/zh/find")
    assert "签到码（数字）" in page.text


def test_a_failed_search_does_not_say_which_field_was_wrong(small: House, guest: Any) -> None:
    book(guest, **ZHANG)
    (person,) = lookup.party(reading(), reading().query(Registration).one())
    right = {**ZHANG, "code": str(person.code)}
    other = "2127" if person.code != "2127" else "3829"
    said = set()
    for typed in ({"name": "李桂芳"}, {"phone": "13900139000"}, {"code": other}):
        page = Page(guest.post("/zh/find", data={**right, **typed}))
        assert (page.status, page.kind) == (422, "find")
        said.add(next(words for words in page.text.split("。") if "没有找到" in words)[-20:])
    assert len(said) == 1
    for missing in right:
        assert guest.post("/zh/find", data={**right, missing: ""}).status_code == 422


def test_searches_for_a_ticket_are_limited(folder: Any) -> None:
    house = House(folder, EVENTREG_RATE_LIMITS="on")
    with house.app.app_context():
        house.apply(toml())
        guest = house.client()
        for _ in range(12):
            assert guest.post("/zh/find", data={**ZHANG, "code": "3829"}).status_code == 422
        refused = guest.post("/zh/find", data={**ZHANG, "code": "3829"})
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
    house.close()
