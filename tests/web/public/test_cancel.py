"""Cancel seats by the ticket, as a guest without scripts."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.factories import PASSWORD, House, local
from tests.support.houses import ZHANG, with_seats
from tests.support.pages import Page, book, count_codes, get, sign_in

pytestmark = pytest.mark.both_databases
small = with_seats(2)


def test_cancelling_asks_first_and_opening_the_page_changes_nothing(
    small: House, guest: Any
) -> None:
    ticket = book(guest, **ZHANG).headers["Location"]
    page = get(guest, f"{ticket}/cancel")
    assert (page.status, page.kind) == (200, "cancel")
    for words in ("要退掉这个名额吗？", "张桂芳", "保留名额", "退掉名额"):
        assert words in page.text
    assert small.seats().taken == 1
    sent = guest.post(f"{ticket}/cancel", data={})
    assert sent.status_code == 303
    gone = get(guest, sent.headers["Location"])
    assert (gone.kind, gone.data["data-state"]) == ("cancelled", "cancelled")
    assert "张桂芳" not in gone.html
    assert small.seats().taken == 0
    assert guest.post(f"{ticket}/cancel", data={}).status_code == 303, (
        "the second time changes nothing"
    )
    assert guest.get(f"{ticket}/cancel").status_code == 303


def test_one_of_two_cancels_and_the_other_keeps_the_seat(small: House, guest: Any) -> None:
    ticket = book(guest, companion_1="王建国", **ZHANG).headers["Location"]
    page = get(guest, f"{ticket}/cancel")
    one = next(form for form in page.forms if "attendee" in form.fields)
    assert "要退哪一位的名额？" in page.text
    assert "只退张桂芳的名额" in page.text
    guest.post(f"{ticket}/cancel", data=one.fields)
    after = get(guest, ticket)
    assert (after.kind, count_codes(after)) == ("ticket", 1)
    assert "张桂芳的名额已经退了，王建国的还留着。" in after.text
    assert "报名成功" not in after.text
    assert "不用再做别的" not in after.text
    small.now += timedelta(minutes=10)
    later = get(guest, ticket)
    assert ("报名成功" in later.text, "张桂芳" in later.text) == (True, False)


@pytest.mark.parametrize("attendee", ["999999", "x", "-1", "１", "9" * 30])
def test_a_ticket_cannot_cancel_an_unknown_attendee(
    small: House, guest: Any, attendee: str
) -> None:
    ticket = book(guest, **ZHANG).headers["Location"]
    assert guest.post(f"{ticket}/cancel", data={"attendee": attendee}).status_code == 404
    assert small.seats().taken == 1


def test_a_page_of_another_site_cannot_cancel(small: House, guest: Any) -> None:
    ticket = book(guest, **ZHANG).headers["Location"]
    assert (
        guest.post(f"{ticket}/cancel", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    )
    assert small.seats().taken == 1


def test_after_the_start_a_ticket_cannot_be_cancelled(small: House, guest: Any) -> None:
    ticket = book(guest, **ZHANG).headers["Location"]
    small.now = local("2030-06-10 09:00")
    for answer in (guest.get(f"{ticket}/cancel"), guest.post(f"{ticket}/cancel")):
        assert answer.status_code == 409
    assert "退掉名额" not in get(guest, ticket).text


def test_a_guest_who_has_checked_in_is_sent_to_the_staff_to_cancel(
    small: House, guest: Any
) -> None:
    small.hire()
    ticket = book(guest, **ZHANG).headers["Location"]
    small.now = local("2030-06-10 08:50")
    dora = small.client()
    sign_in(dora, "dora", PASSWORD)
    form = next(form for form in get(dora, "/door/small/").forms if "attendee" in form.fields)
    assert dora.post(form.action, data=form.fields).status_code == 303
    refused = Page(guest.post(f"{ticket}/cancel"))
    assert (refused.status, "请告诉现场的工作人员" in refused.text) == (409, True)
    assert small.seats().taken == 1
