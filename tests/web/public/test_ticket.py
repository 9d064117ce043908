"""The page of a ticket."""

from typing import Any

from eventreg.core import audit
from eventreg.core.registration import cancellations, lookup
from eventreg.storage.session import transaction
from tests.support.factories import House, with_event
from tests.support.houses import guest_without_cookies, with_seats
from tests.support.pages import book, get

small = with_seats(3)
guest = guest_without_cookies


def test_a_ticket_is_in_the_language_of_its_registration_or_the_chosen_one(guest: Any) -> None:
    address = book(guest, language="en", name="Anna Lin", phone="13800138000").headers["Location"]
    assert "Your seat is booked" in get(guest, address).text
    assert "报名成功" in get(guest, f"{address}?lang=zh").text
    assert "Your seat is booked" in get(guest, address.lower().replace("/t/", "/T/")).text


def test_a_cancelled_ticket_shows_no_name_and_no_code(small: House, guest: Any) -> None:
    address = book(guest, name="张桂芳", phone="13800138000").headers["Location"]
    with transaction() as session:
        made, _ = lookup.by_token(session, address.rsplit("/", 1)[1])
        cancellations.cancel(session, *with_event(session, made), by=audit.SYSTEM, now=small.now)
    page = get(guest, address)
    assert (page.kind, page.data["data-state"]) == ("cancelled", "cancelled")
    assert "张桂芳" not in page.html
    assert not page.having("data-code")
