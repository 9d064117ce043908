"""Register as a guest, without scripts and without cookies."""

import re
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from eventreg.core.models.registration import Registration
from eventreg.storage.session import reading
from tests.support import pages
from tests.support.factories import House, local, toml
from tests.support.houses import guest_without_cookies, with_seats
from tests.support.pages import Page, book, fill, get

REGISTER = "/zh/events/small/register"
small = with_seats(3)
guest = guest_without_cookies


def ticket_of(client: Any, answer: TestResponse) -> Page:
    """The ticket to which a registration redirects."""
    assert answer.status_code == 303, Page(answer).text
    return get(client, answer.headers["Location"])


def test_a_guest_registers_in_three_steps_without_a_cookie(guest: Any) -> None:
    form = get(guest, REGISTER)
    assert (form.kind, form.status) == ("register", 200)
    sent = form.form("/register")
    checked = Page(
        guest.post(REGISTER, data={**sent.fields, "name": " 张桂芳 ", "phone": "138-0013-8000"})
    )
    assert (checked.kind, checked.status) == ("check", 200)
    assert "138 0013 8000" in checked.text
    booking = checked.form("/register")
    assert booking.fields["confirmed"] == "yes"
    answer = guest.post(booking.action, data=booking.fields)
    assert "Set-Cookie" not in answer.headers
    assert re.fullmatch(r"/T/[0-9A-HJKMNP-TV-Z]{26}", answer.headers["Location"])
    ticket = ticket_of(guest, answer)
    assert (ticket.kind, ticket.data["data-state"]) == ("ticket", "confirmed")
    codes = [element["data-code"] for element in ticket.having("data-code")]
    assert len(codes) == 1
    assert str(codes[0]) in ticket.text
    assert " ".join(str(codes[0])) in ticket.text
    assert "138****8000" in ticket.text
    assert "13800138000" not in ticket.html.replace(" ", "")


def test_nothing_is_registered_before_the_last_button(guest: Any) -> None:
    assert Page(fill(guest, REGISTER, name="张桂芳", phone="13800138000")).kind == "check"
    assert reading().query(Registration).count() == 0


def test_a_couple_has_two_codes_on_one_ticket(guest: Any) -> None:
    answer = book(guest, name="张桂芳", companion_1="王建国", phone="13800138000")
    ticket = ticket_of(guest, answer)
    assert len({element["data-code"] for element in ticket.having("data-code")}) == 2
    assert "王建国" in ticket.text


def test_the_check_page_sent_three_times_registers_once(guest: Any) -> None:
    form = Page(fill(guest, REGISTER, name="张桂芳", phone="13800138000")).form("/register")
    answers = [guest.post(form.action, data=form.fields) for _ in range(3)]
    assert {answer.headers["Location"] for answer in answers} == {answers[0].headers["Location"]}
    assert reading().query(Registration).count() == 1


def test_a_form_sent_again_finds_its_ticket_after_the_event_has_filled(
    small: House, guest: Any
) -> None:
    form = Page(fill(guest, REGISTER, name="张桂芳", phone="13800138000")).form("/register")
    first = guest.post(form.action, data=form.fields)
    small.register("王一", "王二")
    small.now = local("2030-06-10 08:50") - timedelta(days=6)
    assert (
        guest.post(form.action, data=form.fields).headers["Location"] == first.headers["Location"]
    )


def test_another_name_in_a_used_form_is_asked_for_again_and_then_registers(
    guest: Any,
) -> None:
    form = Page(fill(guest, REGISTER, name="张桂芳", phone="13800138000")).form("/register")
    guest.post(form.action, data=form.fields)
    again = Page(guest.post(form.action, data={**form.fields, "name": "王建国"}))
    assert (again.status, again.kind) == (422, "register")
    kept = again.form("/register").fields
    assert kept["name"] == "王建国"
    checked = Page(guest.post(REGISTER, data=kept)).form("/register")
    assert guest.post(REGISTER, data=checked.fields).status_code == 303
    assert reading().query(Registration).count() == 2


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": "", "phone": ""}, ["请填写参加人的姓名", "请填写电话号码", "有 2 处要改"]),
        ({"name": "张三", "phone": "1380013800"}, ["手机号要有 11 位数字，现在是 10 位"]),
        ({"name": "张三", "phone": "12345678901"}, ["这个号码好像不对，请再看一看"]),
        ({"name": "12345", "phone": "13800138000"}, ["姓名里不能只有数字"]),
        ({"name": "x" * 41, "phone": "13800138000"}, ["姓名太长了"]),
        ({"name": "张三", "phone": "13800138000", "companion_1": "张 三"}, ["两位的姓名一样"]),
        ({"name": "张三", "phone": "13800138000", "companion_1": "999"}, ["姓名里不能只有数字"]),
    ],
)
def test_an_error_is_shown_at_its_field_and_all_input_is_kept(
    guest: Any, typed: dict[str, str], words: list[str]
) -> None:
    page = Page(fill(guest, REGISTER, **typed))
    assert (page.status, page.kind) == (422, "register")
    for sentence in words:
        assert sentence in page.text
    kept = page.form("/register").fields
    for name, value in pages.named(typed).items():
        assert kept[name] == value
    assert "<title>请改一下：" in page.html
    links = re.findall(r'<li><a href="#([\w-]+)">', page.html)
    assert links
    assert all(f'id="{link}"' in page.html for link in links)


def test_the_same_person_again_is_refused_without_code_or_link(guest: Any) -> None:
    book(guest, name="张桂芳", phone="13800138000")
    answer = book(guest, name="张桂芳", phone="+86 138 0013 8000")
    page = Page(answer)
    assert (page.status, page.kind) == (409, "already-registered")
    assert "/T/" not in page.html
    assert not page.having("data-code")


def test_the_fifth_person_under_one_number_is_asked_to_call(house: House) -> None:
    house.apply(toml(capacity=9))
    client = house.client()
    for name in ("王一", "王二", "王三", "王四"):
        assert book(client, name=name, phone="13800138000").status_code == 303
    page = Page(book(client, name="王五", phone="13800138000"))
    assert (page.status, page.kind) == (409, "error")
    assert "请打电话" in page.text


def test_a_full_event_shows_the_next_step_and_keeps_the_input(small: House, guest: Any) -> None:
    form = get(guest, REGISTER).form("/register")
    small.register("王一", "王二")
    small.register("王三")
    opened = get(guest, REGISTER)
    assert (opened.status, opened.kind) == (200, "full")
    assert "0574-87654321" in opened.text
    sent = Page(
        guest.post(REGISTER, data={**form.fields, "name": "张桂芳", "phone": "13800138000"})
    )
    assert (sent.status, sent.kind) == (409, "full")
    kept = sent.form("/register").fields
    assert (kept["name"], kept["phone"], kept["waitlist"]) == ("张桂芳", "13800138000", "yes")
    assert "张桂芳" in sent.text
    again = [form.fields for form in sent.forms if form.method == "post"][-1]
    in_english = Page(guest.post("/en/events/small/register", data=again))
    assert (in_english.status, in_english.kind) == (409, "full")
    assert in_english.form("/register").fields["name"] == "张桂芳"


def test_a_full_or_closed_event_says_so_before_it_checks_the_form(small: House, guest: Any) -> None:
    small.register("王一", "王二")
    small.register("王三")
    for typed in ({"name": "张桂芳", "phone": "13800138000"}, {"name": "", "phone": "1"}, {}):
        page = Page(guest.post(REGISTER, data=typed))
        assert (page.status, page.kind) == (409, "full")
    small.now = local("2030-06-10 09:30")
    page = Page(guest.post(REGISTER, data={"name": "张桂芳", "phone": "13800138000"}))
    assert (page.status, page.kind) == (409, "closed")
    assert "张桂芳" in page.text


def test_a_couple_with_one_seat_left_may_register_one_person(small: House, guest: Any) -> None:
    small.register("王一", "王二")
    page = Page(fill(guest, REGISTER, name="张桂芳", companion_1="王建国", phone="13800138000"))
    assert (page.status, page.kind) == (409, "full")
    assert "现在只剩 1 个座位" in page.text
    one = next(
        form for form in page.forms if "companion-1" not in form.fields and form.method == "post"
    )
    checked = Page(guest.post(one.action, data=one.fields))
    assert checked.kind == "check"
    assert guest.post(one.action, data=checked.form("/register").fields).status_code == 303
    assert reading().query(Registration).count() == 2


def test_the_last_button_says_so_if_the_seats_have_gone_meanwhile(small: House, guest: Any) -> None:
    form = Page(fill(guest, REGISTER, name="张桂芳", phone="13800138000")).form("/register")
    small.register("王一", "王二")
    small.register("王三")
    page = Page(guest.post(form.action, data=form.fields))
    assert (page.status, page.kind) == (409, "full")
    assert page.form("/register").fields["name"] == "张桂芳"


@pytest.mark.parametrize(
    ("moment", "state", "words"),
    [
        ("2030-05-31 10:00", "not-yet-open", "报名从 6 月 1 日（星期六）9:00 开始"),
        ("2030-06-10 08:50", "closed", "8:45 结束了"),
        ("2030-06-10 09:30", "running", "9:00 已经开始"),
        ("2030-06-10 12:00", "over", "11:00 结束了"),
    ],
)
def test_outside_the_registration_window_the_form_says_why(
    house: House, moment: str, state: str, words: str
) -> None:
    house.apply(toml(head="[registration]\nopens_at = 2030-06-01T09:00:00"))
    client = house.client()
    house.now = local(moment)
    page = get(client, REGISTER)
    assert (page.status, page.kind, page.data["data-state"]) == (200, "closed", state)
    assert words in page.text


def test_a_form_sent_after_registration_has_closed_keeps_the_input(
    small: House, guest: Any
) -> None:
    small.now = local("2030-06-10 08:44")
    form = get(guest, REGISTER).form("/register")
    small.now = local("2030-06-10 08:46")
    page = Page(
        guest.post(REGISTER, data={**form.fields, "name": "张桂芳", "phone": "13800138000"})
    )
    assert (page.status, page.kind) == (409, "closed")
    assert "张桂芳" in page.text


def test_a_form_older_than_a_day_comes_back_filled_and_can_be_sent_again(
    small: House, guest: Any
) -> None:
    form = get(guest, REGISTER).form("/register")
    small.now += timedelta(days=1, seconds=1)
    page = Page(
        guest.post(REGISTER, data={**form.fields, "name": "张桂芳", "phone": "13800138000"})
    )
    assert (page.status, page.kind) == (400, "register")
    assert "请再按一次" in page.text
    assert Page(guest.post(REGISTER, data=page.form("/register").fields)).kind == "check"


@pytest.mark.parametrize("token", ["", "forged", "W10.x", "\x00", "é" * 50])
def test_a_forged_token_is_refused_and_the_input_is_kept(guest: Any, token: str) -> None:
    data = {"csrf_token": token, "name": "张桂芳", "phone": "13800138000", "confirmed": "yes"}
    page = Page(guest.post(REGISTER, data=data))
    assert (page.status, page.kind) == (400, "register")
    assert page.form("/register").fields["name"] == "张桂芳"
    assert reading().query(Registration).count() == 0


def test_a_token_of_one_event_is_refused_by_another(small: House, guest: Any) -> None:
    small.apply(toml(slug="other"))
    form = get(guest, "/zh/events/other/register").form("/register")
    page = Page(
        guest.post(REGISTER, data={**form.fields, "name": "张桂芳", "phone": "13800138000"})
    )
    assert page.status == 400


def test_a_program_that_fills_every_field_registers_nothing(guest: Any) -> None:
    page = Page(
        fill(guest, REGISTER, name="Bot", phone="13800138000", website="https://spam.example")
    )
    assert page.status == 400


def test_going_back_from_the_check_page_keeps_the_input(guest: Any) -> None:
    checked = Page(
        fill(guest, REGISTER, name="张桂芳", companion_1="王建国", phone="13800138000")
    ).form("/register")
    page = Page(guest.post(REGISTER, data={**checked.fields, "show": "form"}))
    assert (page.status, page.kind) == (200, "register")
    kept = page.form("/register").fields
    assert (kept["name"], kept["companion-1"], kept["phone"]) == ("张桂芳", "王建国", "13800138000")


def test_changing_the_language_of_the_form_keeps_the_input(guest: Any) -> None:
    form = get(guest, REGISTER)
    assert 'formaction="/en/events/small/register"' in form.html
    data = {**form.form("/register").fields, "name": "张", "phone": "1", "show": "form"}
    page = Page(guest.post("/en/events/small/register", data=data))
    assert (page.kind, page.status) == ("register", 200)
    assert page.form("/register").fields["phone"] == "1"
    assert "Phone number" in page.text
