"""Full, waiting, giving back, finding a lost ticket: on the pages, as a guest without scripts meets
them."""

from typing import Any

import pytest

from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup
from eventreg.storage.session import reading
from tests.support.factories import PASSWORD, House, local, toml
from tests.support.pages import Page, book, fill, get, named, sign_in

pytestmark = pytest.mark.both_databases

REGISTER = "/zh/events/small/register"
FIND = {"name": "张桂芳", "phone": "138 0013 8000"}


@pytest.fixture
def house(house: House) -> House:
    """Two seats."""
    house.apply(toml(capacity=2))
    return house


@pytest.fixture
def guest(house: House) -> Any:
    """Somebody with a browser."""
    return house.client()


def press(guest: Any, page: Page, wish: str) -> Page:
    """Press the button of that wish on a full page, and confirm on the check page if it comes."""
    form = next(form for form in page.forms if wish in form.fields)
    answer = Page(guest.post(form.action.split("#")[0], data=form.fields))
    if answer.kind == "check":
        form = answer.form("/register")
        return get(guest, guest.post(form.action, data=form.fields).headers["Location"])
    return answer


def codes(page: Page) -> int:
    """How many codes a page shows."""
    return len(page.having("data-code"))


def test_a_full_event_offers_the_waiting_list_and_gives_a_place_in_it(
    house: House, guest: Any
) -> None:
    house.register("王一", "王二")
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
    assert (page.kind, page.data["data-state"], page.data["data-position"], codes(page)) == (
        "waitlisted",
        "waitlisted",
        "1",
        0,
    )
    assert "您排在候补第 1 位" in page.text
    assert "138****8000" in page.text
    assert "<svg" not in page.html, "nobody must take this for a ticket"


def test_a_waiting_form_that_is_wrong_comes_back_and_still_waits(house: House, guest: Any) -> None:
    house.register("王一", "王二")
    form = get(guest, REGISTER).form("/register").fields
    wrong = Page(guest.post(REGISTER, data={**form, "name": "", "phone": "138 0013 8000"}))
    assert (wrong.status, wrong.kind) == (422, "register")
    fields = wrong.form("/register").fields
    assert (fields["waitlist"], fields["phone"]) == ("yes", "138 0013 8000")


def test_without_the_wish_a_full_event_refuses_with_the_button_to_wait(
    house: House, guest: Any
) -> None:
    form = get(guest, REGISTER).form("/register").fields
    house.register("王一", "王二")
    refused = Page(guest.post(REGISTER, data={**form, **FIND, "confirmed": "yes"}))
    assert (refused.status, refused.kind) == (409, "full")
    waiting = press(guest, refused, "waitlist")
    assert waiting.status == 303, "who had confirmed already need not confirm again"
    assert reading().query(Registration).filter_by(state="waitlisted").count() == 1


@pytest.mark.parametrize(
    ("wish", "states", "seats"),
    [("split", ["confirmed", "waitlisted"], 2), ("waitlist", ["waitlisted"], 1)],
)
def test_a_couple_and_one_seat_choose(
    house: House, guest: Any, wish: str, states: list[str], seats: int
) -> None:
    house.register("王一")
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
    assert house.seats().taken == seats
    if wish == "split":
        assert (ticket.kind, codes(ticket)) == ("ticket", 1)
        beside = next(
            link["href"] for link in ticket.having("href") if (link["href"] or "").startswith("/T/")
        )
        assert get(guest, str(beside).split("/cancel")[0]).kind in {"waitlisted", "ticket"}
        assert "李建国 排在候补第 1 位" in ticket.text
    else:
        assert ticket.kind == "waitlisted"


def test_a_full_list_says_so_and_offers_only_the_telephone(house: House, guest: Any) -> None:
    house.apply(toml(capacity=2, more="[waitlist]\nsize = 1"))
    house.register("王一", "王二")
    form = get(guest, REGISTER).form("/register").fields
    house.register("李一", waitlist=True)
    assert "名额和候补都已满" in get(guest, "/zh/events/small").text
    opened = get(guest, REGISTER)
    assert [form for form in opened.forms if "waitlist" in form.fields] == []
    sent = Page(guest.post(REGISTER, data={**form, **FIND, "waitlist": "yes", "confirmed": "yes"}))
    assert (sent.status, sent.kind) == (409, "full")
    assert "0574-87654321" in sent.text


def test_giving_back_asks_first_and_opening_changes_nothing(house: House, guest: Any) -> None:
    ticket = book(guest, **FIND).headers["Location"]
    page = get(guest, f"{ticket}/cancel")
    assert (page.status, page.kind) == (200, "cancel")
    for words in ("要退掉这个名额吗？", "张桂芳", "保留名额", "退掉名额"):
        assert words in page.text
    assert house.seats().taken == 1
    sent = guest.post(f"{ticket}/cancel", data={})
    assert sent.status_code == 303
    gone = get(guest, sent.headers["Location"])
    assert (gone.kind, gone.data["data-state"]) == ("cancelled", "cancelled")
    assert "张桂芳" not in gone.html
    assert house.seats().taken == 0
    assert guest.post(f"{ticket}/cancel", data={}).status_code == 303, "twice is once"
    assert guest.get(f"{ticket}/cancel").status_code == 303


def test_one_of_two_gives_the_seat_back_and_the_other_keeps_it(house: House, guest: Any) -> None:
    ticket = book(guest, companion_1="王建国", **FIND).headers["Location"]
    page = get(guest, f"{ticket}/cancel")
    one = next(form for form in page.forms if "attendee" in form.fields)
    assert "要退哪一位的名额？" in page.text
    assert "只退 张桂芳 的名额" in page.text
    guest.post(f"{ticket}/cancel", data=one.fields)
    after = get(guest, ticket)
    assert (after.kind, codes(after)) == ("ticket", 1)
    assert "王建国" in after.text
    assert "张桂芳" not in after.text


@pytest.mark.parametrize("attendee", ["999999", "x", "-1", "１", "9" * 30])
def test_nobody_else_can_be_cancelled_by_a_ticket(house: House, guest: Any, attendee: str) -> None:
    ticket = book(guest, **FIND).headers["Location"]
    assert guest.post(f"{ticket}/cancel", data={"attendee": attendee}).status_code == 404
    assert house.seats().taken == 1


def test_a_foreign_page_cannot_give_a_seat_back(house: House, guest: Any) -> None:
    ticket = book(guest, **FIND).headers["Location"]
    assert (
        guest.post(f"{ticket}/cancel", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    )
    assert house.seats().taken == 1


def test_after_the_start_the_ticket_gives_nothing_back(house: House, guest: Any) -> None:
    ticket = book(guest, **FIND).headers["Location"]
    house.now = local("2030-06-10 09:00")
    for answer in (guest.get(f"{ticket}/cancel"), guest.post(f"{ticket}/cancel")):
        assert answer.status_code == 409
    assert "退掉名额" not in get(guest, ticket).text


def test_who_is_in_the_room_is_told_to_tell_the_staff(house: House, guest: Any) -> None:
    house.hire()
    ticket = book(guest, **FIND).headers["Location"]
    house.now = local("2030-06-10 08:50")
    dora = house.client()
    sign_in(dora, "dora", PASSWORD)
    form = next(form for form in get(dora, "/door/small/").forms if "attendee" in form.fields)
    assert dora.post(form.action, data=form.fields).status_code == 303
    refused = Page(guest.post(f"{ticket}/cancel"))
    assert (refused.status, "请告诉现场的工作人员" in refused.text) == (409, True)
    assert house.seats().taken == 1


def test_a_lost_ticket_is_found_by_name_number_and_code(house: House, guest: Any) -> None:
    ticket = book(guest, **FIND).headers["Location"]
    (person,) = lookup.party(reading(), reading().query(Registration).one())
    form = get(guest, "/zh/find")
    assert form.kind == "find"
    assert "签到码" in form.text
    assert "验证码" not in form.text, "that is what a telephone gets by text message"
    for typed in (
        {"phone": "+86 13800138000"},
        {"name": " 张 桂芳 "},
        {"code": " ".join(str(person.code))},
    ):
        found = guest.post("/zh/find", data={**FIND, "code": str(person.code), **typed})
        assert (found.status_code, found.headers["Location"]) == (303, f"{ticket}#main")


def test_find_never_says_what_was_wrong_and_never_answers_by_the_number_alone(
    house: House, guest: Any
) -> None:
    book(guest, **FIND)
    (person,) = lookup.party(reading(), reading().query(Registration).one())
    right = {**FIND, "code": str(person.code)}
    other = "2127" if person.code != "2127" else "3829"
    said = set()
    for typed in ({"name": "李桂芳"}, {"phone": "13900139000"}, {"code": other}):
        page = Page(guest.post("/zh/find", data={**right, **typed}))
        assert (page.status, page.kind) == (422, "find")
        said.add(next(words for words in page.text.split("。") if "没有找到" in words)[-20:])
    assert len(said) == 1
    for missing in right:
        assert guest.post("/zh/find", data={**right, missing: ""}).status_code == 422


def test_the_number_of_tries_to_find_a_ticket_is_limited(folder: Any) -> None:
    house = House(folder, EVENTREG_RATE_LIMITS="on")
    with house.app.app_context():
        house.apply(toml())
        guest = house.client()
        for _ in range(12):
            assert guest.post("/zh/find", data={**FIND, "code": "3829"}).status_code == 422
        refused = guest.post("/zh/find", data={**FIND, "code": "3829"})
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
    house.close()


@pytest.fixture
def desk(house: House) -> Any:
    """Desmond, signed in."""
    house.hire()
    client = house.client()
    sign_in(client, "desmond", PASSWORD)
    return client


NEW = "/staff/events/small/registrations/new"


def take_call(desk: Any, **typed: str) -> Page:
    """Take a registration on the telephone; where there are too few seats, the page that says
    so."""
    answer = fill(desk, NEW, **typed)
    return get(desk, answer.headers["Location"]) if answer.status_code == 303 else Page(answer)


def test_the_desk_puts_a_caller_on_the_list_and_reads_the_place_back(
    house: House, desk: Any
) -> None:
    house.register("王一", "王二")
    full = take_call(desk, name="张桂芳", phone="13800138000")
    assert full.status == 409
    assert "登记候补" in full.text
    assert ("main", {"waitlist": "yes"}) in full.form().buttons
    waiting = take_call(desk, name="张桂芳", phone="13800138000", waitlist="yes")
    assert (waiting.kind, waiting.data["data-state"]) == ("staff-registration", "waitlisted")
    assert "排在第 1 位" in waiting.text


def test_the_desk_parts_a_couple_over_one_seat(house: House, desk: Any) -> None:
    house.register("王一")
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


def test_the_desk_sees_who_is_to_be_called_until_somebody_has_told_them(
    house: House, desk: Any
) -> None:
    house.register("王一", "王二")
    waiting = house.register("张桂芳", waitlist=True)
    house.apply(toml(capacity=3))
    board = get(desk, "/staff/events/small")
    assert "要打电话：1 家" in board.text
    path = f"/staff/events/small/registrations/{waiting.id}"
    page = get(desk, path)
    assert "候补转正，要打电话" in page.text
    told = page.form("/told")
    assert desk.post(told.action, data=told.fields).status_code == 303
    assert "要打电话" not in get(desk, "/staff/events/small").text
    assert "已打电话告诉" in get(desk, path).text


def test_the_desk_gives_a_held_seat_to_somebody_who_waits(house: House, desk: Any) -> None:
    house.apply(toml(capacity=3, more="held_seats = 1\nheld_until = 2030-06-09T12:00:00"))
    house.register("王一", "王二")
    waiting = house.register("张桂芳", waitlist=True)
    path = f"/staff/events/small/registrations/{waiting.id}"
    act = get(desk, path).form("/promote")
    assert desk.post(act.action, data=act.fields).status_code == 303
    assert desk.post(act.action, data=act.fields).status_code == 303, "twice is once"
    assert get(desk, path).data["data-state"] == "confirmed"
    other = house.register("李一", waitlist=True)
    act = get(desk, f"/staff/events/small/registrations/{other.id}").form("/promote")
    refused = Page(desk.post(act.action, data=act.fields))
    assert (refused.status, refused.data["data-state"]) == (409, "waitlisted")


def test_the_desk_cancels_one_of_two(house: House, desk: Any) -> None:
    made = house.register("张桂芳", "李建国")
    path = f"/staff/events/small/registrations/{made.id}"
    form = next(form for form in get(desk, path).forms if "attendee" in form.fields)
    desk.post(form.action, data=form.fields)
    assert (get(desk, path).data["data-state"], house.seats().taken) == ("confirmed", 1)


@pytest.mark.parametrize("attendee", ["x", "-1", "9" * 30, "999999"])
def test_at_the_desk_an_attendee_that_is_none_cancels_nobody(
    house: House, desk: Any, attendee: str
) -> None:
    """Left out, it would mean everybody."""
    made = house.register("张桂芳", "李建国")
    form = get(desk, f"/staff/events/small/registrations/{made.id}").form("/cancel")
    assert desk.post(form.action, data={**form.fields, "attendee": attendee}).status_code == 404
    assert house.seats().taken == 2


def test_an_address_is_kept_and_a_wrong_one_told(house: House, desk: Any) -> None:
    wrong = take_call(desk, name="张桂芳", phone="13800138000", email="nobody")
    assert (wrong.status, "邮箱好像不对" in wrong.text) == (422, True)
    page = take_call(desk, name="张桂芳", phone="13800138000", email="zhang@example.org")
    assert "zhang@example.org" in page.text


def test_the_dashboard_shows_the_sum_and_that_it_holds(house: House, desk: Any) -> None:
    house.register("王一")
    board = get(desk, "/staff/events/small")
    assert "2 个名额 = 已报名 1 + 空 1" in board.text
    assert (board.data["data-taken"], board.data["data-holds"]) == ("1", "yes")
    with house.writing() as session:
        session.connection().exec_driver_sql("UPDATE event_seats SET taken = 2")
    board = get(desk, "/staff/events/small")
    assert board.data["data-holds"] == "no"
    assert "对不上，请告诉管理员" in board.text


def test_a_waiting_person_at_the_door_is_not_let_in_as_if_seated(house: House) -> None:
    house.hire()
    house.register("王一", "王二")
    house.register("张桂芳", waitlist=True)
    house.now = local("2030-06-10 08:50")
    dora = house.client()
    sign_in(dora, "dora", PASSWORD)
    (waiting,) = lookup.party(
        reading(), reading().query(Registration).filter_by(state="waitlisted").one()
    )
    form = next(form for form in get(dora, "/door/small/").forms if "attendee" in form.fields)
    refused = Page(dora.post(form.action, data={**form.fields, "attendee": waiting.public_id}))
    assert (refused.status, "在候补名单上" in refused.text) == (409, True)
    assert refused.data["data-arrived"] == "0"


def test_when_held_seats_come_free_the_next_look_at_the_page_gives_them_to_the_waiting(
    house: House, guest: Any
) -> None:
    house.apply(toml(capacity=2, more="held_seats = 1\nheld_until = 2030-06-05T12:00:00"))
    house.register("王一")
    waiting = house.register("张桂芳", waitlist=True)
    assert "网上名额已满，打电话还有 1 个" in get(guest, "/zh/events/small").text
    house.now = local("2030-06-05 12:00")
    page = get(guest, "/zh/events/small")
    assert page.having("data-seats-left")[0]["data-seats-left"] == "0", (
        "it is not offered to whoever looks"
    )
    reading().rollback()
    assert lookup.get(reading(), waiting.id).state == "confirmed"
    assert house.seats().taken == 2
