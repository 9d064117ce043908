"""The waiting list, and cancelling, on the pages of the desk."""

from typing import Any

import pytest

from tests.support.factories import PASSWORD, House, toml
from tests.support.houses import with_seats
from tests.support.pages import Page, fill, get, named, sign_in

pytestmark = pytest.mark.both_databases
small = with_seats(2)


@pytest.fixture
def desk(small: House) -> Any:
    """Desmond, signed in."""
    small.hire()
    client = small.client()
    sign_in(client, "desmond", PASSWORD)
    return client


NEW = "/staff/events/small/registrations/new"


def take_call(desk: Any, **typed: str) -> Page:
    """Enter a registration; returns its page, or the form if it was refused."""
    answer = fill(desk, NEW, **typed)
    return get(desk, answer.headers["Location"]) if answer.status_code == 303 else Page(answer)


def test_the_desk_puts_a_caller_on_the_waiting_list_and_sees_the_position(
    small: House, desk: Any
) -> None:
    small.register("王一", "王二")
    full = take_call(desk, name="张桂芳", phone="13800138000")
    assert full.status == 409
    assert "登记候补" in full.text
    assert ("main", {"waitlist": "yes"}) in full.form().buttons
    waiting = take_call(desk, name="张桂芳", phone="13800138000", waitlist="yes")
    assert (waiting.kind, waiting.data["data-state"]) == ("staff-registration", "waitlisted")
    assert "排在第 1 位" in waiting.text


def test_the_desk_splits_a_couple_if_one_seat_is_left(small: House, desk: Any) -> None:
    small.register("王一")
    full = take_call(desk, name="张桂芳", companion_1="李建国", phone="13800138000")
    assert (full.status, "一位先留座，其余候补" in full.text) == (409, True)
    page = take_call(
        desk,
        **named({"name": "张桂芳", "companion_1": "李建国"}),
        phone="13800138000",
        split="one-now",
    )
    assert page.data["data-state"] == "confirmed"
    assert "同伴还在候补" in page.text


def test_the_desk_sees_whom_to_call_until_the_call_is_recorded(small: House, desk: Any) -> None:
    small.register("王一", "王二")
    waiting = small.register("张桂芳", waitlist=True)
    small.apply(toml(capacity=3))
    board = get(desk, "/staff/events/small")
    assert "要打电话：1 家" in board.text
    path = f"/staff/events/small/registrations/{waiting.id}"
    page = get(desk, path)
    assert "候补转正，要打电话" in page.text
    told = page.form("/told")
    assert desk.post(told.action, data=told.fields).status_code == 303
    assert "要打电话" not in get(desk, "/staff/events/small").text
    assert "已打电话告诉" in get(desk, path).text


def test_the_desk_gives_a_held_seat_to_a_waiting_guest(small: House, desk: Any) -> None:
    small.apply(toml(capacity=3, more="held_seats = 1\nheld_until = 2030-06-09T12:00:00"))
    small.register("王一", "王二")
    waiting = small.register("张桂芳", waitlist=True)
    path = f"/staff/events/small/registrations/{waiting.id}"
    act = get(desk, path).form("/promote")
    assert desk.post(act.action, data=act.fields).status_code == 303
    assert desk.post(act.action, data=act.fields).status_code == 303, (
        "the second time changes nothing"
    )
    assert get(desk, path).data["data-state"] == "confirmed"
    other = small.register("李一", waitlist=True)
    act = get(desk, f"/staff/events/small/registrations/{other.id}").form("/promote")
    refused = Page(desk.post(act.action, data=act.fields))
    assert (refused.status, refused.data["data-state"]) == (409, "waitlisted")


def test_the_desk_cancels_one_of_two(small: House, desk: Any) -> None:
    made = small.register("张桂芳", "李建国")
    path = f"/staff/events/small/registrations/{made.id}"
    form = next(form for form in get(desk, f"{path}/cancel").forms if "attendee" in form.fields)
    desk.post(form.action, data=form.fields)
    assert (get(desk, path).data["data-state"], small.seats().taken) == ("confirmed", 1)


@pytest.mark.parametrize("attendee", ["x", "-1", "9" * 30, "999999"])
def test_an_unknown_attendee_at_the_desk_cancels_nothing(
    small: House, desk: Any, attendee: str
) -> None:
    """Without an attendee the form would cancel the whole party."""
    made = small.register("张桂芳", "李建国")
    form = get(desk, f"/staff/events/small/registrations/{made.id}/cancel").form("/cancel")
    assert desk.post(form.action, data={**form.fields, "attendee": attendee}).status_code == 404
    assert small.seats().taken == 2


def test_the_desk_keeps_an_email_address_and_refuses_a_malformed_one(
    small: House, desk: Any
) -> None:
    wrong = take_call(desk, name="张桂芳", phone="13800138000", email="nobody")
    assert (wrong.status, "邮箱好像不对" in wrong.text) == (422, True)
    page = take_call(desk, name="张桂芳", phone="13800138000", email="zhang@example.org")
    assert "zhang@example.org" in page.text


def test_the_dashboard_shows_the_sum_of_seats_and_whether_it_is_right(
    small: House, desk: Any
) -> None:
    small.register("王一")
    board = get(desk, "/staff/events/small")
    assert "2 个名额 = 已报名 1 + 空 1" in board.text
    assert (board.data["data-taken"], board.data["data-holds"]) == ("1", "yes")
    with small.writing() as session:
        session.connection().exec_driver_sql("UPDATE event_seats SET taken = 2")
    board = get(desk, "/staff/events/small")
    assert board.data["data-holds"] == "no"
    assert "对不上，请告诉管理员" in board.text
