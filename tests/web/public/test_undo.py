"""Taking a cancellation back, and what the page of a ticket says was just done."""

from datetime import timedelta
from typing import Any

import pytest

from eventreg.core.registration import lookup
from eventreg.storage.session import reading
from eventreg.web import addresses
from tests.support.factories import House, toml
from tests.support.pages import Page, book, fill, get

pytestmark = pytest.mark.both_databases

COUPLE = {"name": "王秀英", "companion_1": "张建国", "phone": "138 0013 8000"}


@pytest.fixture
def house(house: House) -> House:
    """An event with two seats."""
    house.apply(toml(capacity=2))
    return house


@pytest.fixture
def guest(house: House) -> Any:
    """A guest's browser."""
    return house.client()


def give_back(guest: Any, ticket: str, place: int | None = None) -> Page:
    """Give back the seat of one person, or of all. Returns the page that follows."""
    forms = [form for form in get(guest, f"{ticket}/cancel").forms if "attendee" in form.fields]
    sent = guest.post(f"{ticket}/cancel", data=forms[place].fields if place is not None else {})
    return get(guest, sent.headers["Location"])


def take_back(guest: Any, page: Page) -> Any:
    """Press the button that takes it back."""
    form = page.form("/undo")
    return guest.post(form.action, data=form.fields)


def test_one_of_two_seats_given_back_can_be_taken_back(house: House, guest: Any) -> None:
    ticket = book(guest, **COUPLE).headers["Location"]
    codes = [one["data-code"] for one in get(guest, ticket).having("data-code")]
    asked = get(guest, f"{ticket}/cancel")
    for words in ("要退哪一位的名额？", "只退王秀英的名额", "只退张建国的名额", "两位都退"):
        assert words in asked.text
    page = give_back(guest, ticket, 0)
    assert "王秀英的名额已经退了，张建国的还留着。" in page.text
    assert "拿回王秀英的名额" in page.text
    again = get(guest, take_back(guest, page).headers["Location"].split("#")[0])
    assert "名额拿回来了" in again.text
    assert [one["data-code"] for one in again.having("data-code")] == codes
    assert house.seats().taken == 2
    assert take_back(guest, page).status_code == 303, "the second time changes nothing"


def test_a_whole_party_takes_its_seats_back_within_ten_minutes(house: House, guest: Any) -> None:
    ticket = book(guest, **COUPLE).headers["Location"]
    gone = give_back(guest, ticket)
    assert (gone.kind, "10:10 以前还能拿回来" in gone.text) == ("cancelled", True)
    house.now += timedelta(minutes=10)
    refused = Page(take_back(guest, gone))
    assert (refused.status, "过了十分钟" in refused.text) == (409, True)
    assert "拿回名额" not in get(guest, ticket).text
    house.now -= timedelta(minutes=1)
    assert take_back(guest, gone).status_code == 303
    assert get(guest, ticket).kind == "ticket"


def test_if_somebody_has_the_seat_the_page_says_so_and_offers_nothing(
    house: House, guest: Any
) -> None:
    ticket = book(guest, **COUPLE).headers["Location"]
    gone = give_back(guest, ticket)
    house.register("赵淑芬")
    after = get(guest, ticket)
    assert "座位已经安排给别人了，拿不回来" in after.text
    assert [form for form in after.forms if form.action.endswith("/undo")] == []
    refused = Page(take_back(guest, gone))
    assert (refused.status, "座位已经安排给别人了" in refused.text) == (409, True)
    assert house.seats().taken == 1


def test_what_the_desk_cancelled_a_guest_cannot_take_back(house: House, guest: Any) -> None:
    house.hire()
    ticket = book(guest, **COUPLE).headers["Location"]
    made = lookup.by_token(reading(), ticket.rsplit("/", 1)[1])[0]
    house.cancel(made, by=house.desmond)
    assert "拿回" not in get(guest, ticket).text
    assert guest.post(f"{ticket}/undo").status_code == 303
    assert house.seats().taken == 0


def test_who_leaves_the_waiting_list_is_told_so_and_can_go_back(house: House, guest: Any) -> None:
    house.register("王一", "王二")
    made = house.register("王秀英", "张建国", waitlist=True)
    house.register("孙一", waitlist=True)
    ticket = addresses.ticket(made)
    asked = get(guest, f"{ticket}/cancel")
    for words in ("哪一位要退出候补？", "只让王秀英退出候补", "两位都退出候补"):
        assert words in asked.text
    one = give_back(guest, ticket, 0)
    assert "王秀英已经退出候补，张建国还在候补。" in one.text
    both = give_back(guest, ticket)
    assert "已经退出候补" in both.text
    assert "座位已经让出来了" not in both.text, "there was no seat"
    take_back(guest, both)
    page = get(guest, ticket)
    assert (page.kind, page.data["data-position"]) == ("waitlisted", "1")
    assert "又回到候补名单了" in page.text


def test_a_correction_says_that_it_was_saved(house: House, guest: Any) -> None:
    ticket = book(guest, **COUPLE).headers["Location"]
    saved = fill(guest, f"{ticket}/change", name="王秀瑛", phone="")
    page = get(guest, saved.headers["Location"].split("#")[0])
    assert "已保存" in page.text
    assert "王秀瑛" in page.text
    assert "报名成功" not in page.text
    house.now += timedelta(minutes=10)
    assert "报名成功" in get(guest, ticket).text


def test_a_split_couple_reads_that_one_sits_and_one_waits(house: House, guest: Any) -> None:
    house.register("王一")
    ticket = addresses.ticket(house.register("赵淑芬", "钱大伟", split=True))
    page = get(guest, ticket)
    assert "一位有座，一位候补" in page.text
    assert "座位给赵淑芬，钱大伟候补" in page.text
    assert "报名成功" not in page.text


def test_a_couple_chooses_who_gets_the_last_seat(house: House, guest: Any) -> None:
    house.register("王一")
    full = Page(
        fill(
            guest,
            "/zh/events/small/register",
            name="赵淑芬",
            companion_1="钱大伟",
            phone="13800138000",
        )
    )
    for words in (
        "一位先留座，另一位候补",
        "座位给赵淑芬，钱大伟候补",
        "座位给钱大伟，赵淑芬候补",
        "两位一起候补",
        "只报一位",
        "只报赵淑芬一位",
        "只报钱大伟一位",
    ):
        assert words in full.text
    reverse = [form for form in full.forms if "split" in form.fields][1]
    checked = Page(guest.post(reverse.action, data=reverse.fields)).form("/register")
    page = get(guest, guest.post(checked.action, data=checked.fields).headers["Location"])
    assert "座位给钱大伟，赵淑芬候补" in page.text
    assert page.having("data-code")


def test_who_was_put_first_in_line_finds_the_way_from_the_old_ticket(
    house: House, guest: Any
) -> None:
    ticket = book(guest, **COUPLE).headers["Location"]
    made = lookup.by_token(reading(), ticket.rsplit("/", 1)[1])[0]
    give_back(guest, ticket)
    taken = house.register("赵淑芬")
    house.put_first(made)
    old = get(guest, ticket)
    assert "您又在候补名单上了" in old.text
    assert "拿回" not in old.text
    house.cancel(taken)
    assert "您有座位了" in get(guest, ticket).text
