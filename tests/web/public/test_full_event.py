"""A full event on the pages: waiting list, split couple, full waiting list, held seats."""

from typing import Any

import pytest

from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup
from eventreg.storage.session import reading
from tests.support.factories import House, local, toml
from tests.support.houses import ZHANG, with_seats
from tests.support.pages import Page, book, count_codes, fill, get

pytestmark = pytest.mark.both_databases
REGISTER = "/zh/events/small/register"
small = with_seats(2)


def press(guest: Any, page: Page, wish: str) -> Page:
    """Press the button with that wish on a full page, and confirm if the check page comes."""
    form = next(form for form in page.forms if wish in form.fields)
    answer = Page(guest.post(form.action.split("#")[0], data=form.fields))
    if answer.kind == "check":
        form = answer.form("/register")
        return get(guest, guest.post(form.action, data=form.fields).headers["Location"])
    return answer


def test_a_full_event_offers_the_waiting_list_and_gives_a_place_in_it(
    small: House, guest: Any
) -> None:
    small.register("王一", "王二")
    event = get(guest, "/zh/events/small")
    assert "名额已满，可以登记候补" in event.text
    opened = get(guest, REGISTER)
    assert (opened.status, opened.kind) == (200, "full")
    form = opened.form("/register")
    assert form.fields["waitlist"] == "yes"
    checked = Page(
        guest.post(REGISTER, data={**form.fields, "name": "张桂芳", "phone": "138 0013 8000"})
    )
    assert checked.kind == "check"
    assert "确认候补" in checked.text
    sent = guest.post(REGISTER, data=checked.form("/register").fields)
    assert sent.status_code == 303
    page = get(guest, sent.headers["Location"])
    assert (page.kind, page.data["data-state"], page.data["data-position"], count_codes(page)) == (
        "waitlisted",
        "waitlisted",
        "1",
        0,
    )
    assert "您排在候补第 1 位" in page.text
    assert "138****8000" in page.text
    assert "<svg" not in page.html, "it must not look like a ticket"


def test_a_waiting_list_form_with_errors_comes_back_and_stays_one(small: House, guest: Any) -> None:
    small.register("王一", "王二")
    form = get(guest, REGISTER).form("/register").fields
    wrong = Page(guest.post(REGISTER, data={**form, "name": "", "phone": "138 0013 8000"}))
    assert (wrong.status, wrong.kind) == (422, "register")
    fields = wrong.form("/register").fields
    assert (fields["waitlist"], fields["phone"]) == ("yes", "138 0013 8000")


def test_a_full_event_refuses_an_ordinary_form_and_offers_the_waiting_list(
    small: House, guest: Any
) -> None:
    form = get(guest, REGISTER).form("/register").fields
    small.register("王一", "王二")
    refused = Page(guest.post(REGISTER, data={**form, **ZHANG, "confirmed": "yes"}))
    assert (refused.status, refused.kind) == (409, "full")
    waiting = press(guest, refused, "waitlist")
    assert waiting.status == 303, "the guest has confirmed already"
    assert reading().query(Registration).filter_by(state="waitlisted").count() == 1


@pytest.mark.parametrize(
    ("wish", "states", "seats"),
    [("split", ["confirmed", "waitlisted"], 2), ("waitlist", ["waitlisted"], 1)],
)
def test_a_couple_with_one_seat_left_can_split_or_wait(
    small: House, guest: Any, wish: str, states: list[str], seats: int
) -> None:
    small.register("王一")
    page = Page(fill(guest, REGISTER, name="张桂芳", companion_1="李建国", phone="138 0013 8000"))
    assert (page.status, page.kind) == (409, "full")
    assert "现在只剩 1 个座位" in page.text
    for words in ("一位先留座，另一位候补", "两位一起候补", "只报一位"):
        assert words in page.text
    ticket = press(guest, page, wish)
    found = (
        reading()
        .query(Registration)
        .filter(Registration.phone_number == "+8613800138000")
        .order_by("id")
        .all()
    )
    assert [one.state for one in found] == states
    assert small.seats().taken == seats
    if wish == "split":
        assert (ticket.kind, count_codes(ticket)) == ("ticket", 1)
        beside = next(
            link["href"] for link in ticket.having("href") if (link["href"] or "").startswith("/T/")
        )
        assert get(guest, str(beside).split("/cancel")[0]).kind in {"waitlisted", "ticket"}
        assert "李建国 排在候补第 1 位" in ticket.text
    else:
        assert ticket.kind == "waitlisted"


def test_a_full_waiting_list_says_so_and_offers_only_the_telephone(
    small: House, guest: Any
) -> None:
    small.apply(toml(capacity=2, more="[waitlist]\nsize = 1"))
    small.register("王一", "王二")
    form = get(guest, REGISTER).form("/register").fields
    small.register("李一", waitlist=True)
    assert "名额和候补都已满" in get(guest, "/zh/events/small").text
    opened = get(guest, REGISTER)
    assert [form for form in opened.forms if "waitlist" in form.fields] == []
    sent = Page(guest.post(REGISTER, data={**form, **ZHANG, "waitlist": "yes", "confirmed": "yes"}))
    assert (sent.status, sent.kind) == (409, "full")
    assert "0574-87654321" in sent.text


def test_the_first_page_view_after_held_seats_come_free_promotes_the_waiting_list(
    small: House, guest: Any
) -> None:
    small.apply(toml(capacity=2, more="held_seats = 1\nheld_until = 2030-06-05T12:00:00"))
    small.register("王一")
    waiting = small.register("张桂芳", waitlist=True)
    assert "网上名额已满，打电话还有 1 个" in get(guest, "/zh/events/small").text
    small.now = local("2030-06-05 12:00")
    page = get(guest, "/zh/events/small")
    assert page.having("data-seats-left")[0]["data-seats-left"] == "0", (
        "the guest who opens the page is not offered the seat"
    )
    reading().rollback()
    assert lookup.get(reading(), waiting.id).state == "confirmed"
    assert small.seats().taken == 2


def test_a_couple_of_whom_one_is_registered_is_told_that_nobody_was_taken(
    house: House, guest: Any
) -> None:
    house.apply(toml(capacity=9))
    book(guest, **ZHANG)
    page = Page(book(guest, companion_1="李红", **ZHANG))
    assert page.kind == "already-registered"
    assert "这一次没有记下谁。没有报过名的人，请单独报。" in page.text
    assert house.seats().taken == 1


def test_who_waits_already_is_not_told_of_a_seat(house: House, guest: Any) -> None:
    house.apply(toml(capacity=1))
    house.register("王一")
    book(guest, waitlist="yes", **ZHANG)
    page = Page(book(guest, waitlist="yes", **ZHANG))
    assert "也可能在候补名单上。有没有座位，请看报名的那一页" in page.text


def test_who_gives_a_seat_back_reads_first_whether_it_can_be_taken_back(
    house: House, guest: Any
) -> None:
    house.apply(toml(capacity=1))
    ticket = book(guest, **ZHANG).headers["Location"]
    assert "10 分钟以内，座位还空着就能拿回来" in get(guest, f"{ticket}/cancel").text
    house.register("王一", waitlist=True)
    assert "座位马上安排给别人，拿不回来" in get(guest, f"{ticket}/cancel").text
