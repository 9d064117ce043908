"""What guests see and do, without scripts and without cookies."""

import re
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from eventreg.core import audit
from eventreg.core.models.registration import Registration
from eventreg.core.registration import cancellations, lookup
from eventreg.storage.session import reading, transaction
from tests.support import pages
from tests.support.factories import SHIPPED, House, local, toml, with_event
from tests.support.pages import Page, book, fill, get

REGISTER = "/zh/events/small/register"


@pytest.fixture
def small(house: House) -> House:
    """Three seats."""
    house.apply(toml())
    return house


@pytest.fixture
def guest(small: House) -> Any:
    """A guest's browser, which drops every cookie as those inside chat apps do."""
    return small.app.test_client(use_cookies=False)


def ticket_of(client: Any, answer: TestResponse) -> Page:
    """The ticket to which a booking leads."""
    assert answer.status_code == 303, Page(answer).text
    return get(client, answer.headers["Location"])


def test_the_address_alone_leads_to_the_language_of_the_browser(small: House) -> None:
    client = small.client()
    for accepted, target in [
        ("en-GB,en;q=0.9", "/en/"),
        ("zh-CN", "/zh/"),
        ("fr", "/zh/"),
        ("", "/zh/"),
    ]:
        answer = client.get("/", headers={"Accept-Language": accepted})
        assert (answer.status_code, answer.headers["Location"]) == (302, target)


def test_the_one_event_is_the_start_page_and_two_are_a_list(small: House) -> None:
    client = small.client()
    assert get(client, "/zh/").data["data-page"] == "start"
    assert "书法课" in get(client, "/zh/").text
    small.apply(toml(slug="other").replace("书法课", "太极课"))
    both = get(client, "/zh/")
    assert "书法课" in both.text
    assert "太极课" in both.text
    assert get(client, "/en/").kind == "start"


def test_an_empty_house_says_so(house: House) -> None:
    assert "现在没有可以报名的活动" in get(house.client(), "/zh/").text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_shipped_event_shows_every_fact(house: House, language: str) -> None:
    house.apply(SHIPPED.read_text(encoding="utf-8"))
    page = get(house.client(), f"/{language}/events/june-10-self-care")
    facts = {
        "zh": [
            "中老年人自我保健与康复",
            "6 月 10 日（星期一）上午",
            "爸妈体验中心",
            "兴宁桥",
            "康复治疗师",
            "50 个名额",
            "0574-56116778",
        ],
        "en": [
            "Self-care and rehabilitation",
            "Monday, June 10",
            "285 Lingqiao Road",
            "Rehabilitation therapist",
            "50 seats",
        ],
    }[language]
    for fact in [*facts, "8:45", "9:00", "11:00"]:
        assert fact in page.text
    assert page.having("data-seats-left")[0]["data-seats-left"] == "50"
    assert 'href="tel:+8657456116778"' in page.html


def test_the_year_is_told_where_it_is_not_this_one(small: House) -> None:
    small.now = local("2029-12-30 10:00")
    assert "2030 年 6 月 10 日" in get(small.client(), "/zh/events/small").text
    small.now = local("2030-01-02 10:00")
    assert "2030 年" not in get(small.client(), "/zh/events/small").text


@pytest.mark.parametrize(
    ("moment", "taken", "zh", "en", "button"),
    [
        (
            "2030-05-31 10:00",
            0,
            "报名从 6 月 1 日（星期六）9:00 开始",
            "Registration opens on Saturday, June 1",
            False,
        ),
        ("2030-06-03 10:00", 0, "还有名额", "Seats are available", True),
        ("2030-06-03 10:00", 4, "还剩 2 个名额", "2 seats left", True),
        ("2030-06-03 10:00", 5, "还剩 1 个名额", "1 seat left", True),
        (
            "2030-06-03 10:00",
            6,
            "名额已满，可以登记候补",
            "All seats are taken. You can join the waiting list",
            True,
        ),
        ("2030-06-10 07:30", 0, "今天上午 8:45 开始签到", "Check-in opens today at 8:45", True),
        ("2030-06-10 08:50", 0, "网上报名已经结束", "Online registration has closed", False),
        ("2030-06-10 09:30", 0, "活动正在进行", "The event is in progress", False),
        ("2030-06-10 11:00", 0, "活动已结束", "The event is over", False),
    ],
)
def test_the_event_page_says_where_things_stand(
    house: House, moment: str, taken: int, zh: str, en: str, button: bool
) -> None:
    house.apply(toml(capacity=6, head="[registration]\nopens_at = 2030-06-01T09:00:00"))
    for number in range(taken):
        house.register(f"王{number}号")
    house.now = local(moment)
    for language, words in (("zh", zh), ("en", en)):
        page = get(house.client(), f"/{language}/events/small")
        assert words in page.text
        assert (f"/{language}/events/small/register" in page.html) is button
        assert page.having("data-seats-left")[0]["data-seats-left"] == str(6 - taken)


def test_a_notice_stands_on_top_and_a_cancelled_event_takes_nobody(small: House) -> None:
    small.apply(
        toml(more='[notice]\nkind = "cancelled"\ntext = { zh = "下雨，取消了。", en = "Rain." }')
    )
    page = get(small.client(), "/zh/events/small")
    assert "下雨，取消了。" in page.text
    closed = get(small.client(), REGISTER)
    assert (closed.kind, closed.data["data-state"]) == ("closed", "cancelled")


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2030-06-03 10:00", "现在是接听时间"),
        ("2030-06-03 08:00", "请在今天 9:00 以后打"),
        ("2030-06-07 17:00", "请在星期六 9:00 以后打"),
        ("2030-06-08 17:00", "请在星期一 9:00 以后打"),
        ("2030-06-05 12:00", "请在星期四 9:00 以后打"),
        ("2030-06-08 10:00", "现在是接听时间"),
    ],
)
def test_the_page_says_whether_it_is_a_time_to_call(house: House, moment: str, words: str) -> None:
    house.apply(toml(more="closed_on = [2030-06-05]\nopen_on = [2030-06-08]"))
    house.now = local(moment)
    assert words in get(house.client(), "/zh/events/small").text


def test_a_guest_books_in_three_steps_without_a_cookie(guest: Any) -> None:
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


def test_nothing_is_booked_before_the_last_button(guest: Any) -> None:
    assert Page(fill(guest, REGISTER, name="张桂芳", phone="13800138000")).kind == "check"
    assert reading().query(Registration).count() == 0


def test_a_couple_has_two_codes_on_one_ticket(guest: Any) -> None:
    answer = book(guest, name="张桂芳", companion_1="王建国", phone="13800138000")
    ticket = ticket_of(guest, answer)
    assert len({element["data-code"] for element in ticket.having("data-code")}) == 2
    assert "王建国" in ticket.text


def test_pressing_twice_reloading_and_a_lost_answer_are_one_booking(guest: Any) -> None:
    form = Page(fill(guest, REGISTER, name="张桂芳", phone="13800138000")).form("/register")
    answers = [guest.post(form.action, data=form.fields) for _ in range(3)]
    assert {answer.headers["Location"] for answer in answers} == {answers[0].headers["Location"]}
    assert reading().query(Registration).count() == 1


def test_a_lost_answer_is_found_again_even_when_the_event_has_filled_or_closed(
    small: House, guest: Any
) -> None:
    form = Page(fill(guest, REGISTER, name="张桂芳", phone="13800138000")).form("/register")
    first = guest.post(form.action, data=form.fields)
    small.register("王一", "王二")
    small.now = local("2030-06-10 08:50") - timedelta(days=6)
    assert (
        guest.post(form.action, data=form.fields).headers["Location"] == first.headers["Location"]
    )


def test_back_from_the_ticket_and_another_name_asks_to_press_again_and_then_books(
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
def test_what_cannot_be_accepted_is_told_at_its_field_and_everything_typed_is_kept(
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


def test_the_same_person_again_is_told_so_without_code_or_link(guest: Any) -> None:
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


def test_a_full_event_says_so_with_the_next_step_and_keeps_what_was_typed(
    small: House, guest: Any
) -> None:
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


def test_a_full_or_closed_event_says_so_whatever_form_is_sent(small: House, guest: Any) -> None:
    small.register("王一", "王二")
    small.register("王三")
    for typed in ({"name": "张桂芳", "phone": "13800138000"}, {"name": "", "phone": "1"}, {}):
        page = Page(guest.post(REGISTER, data=typed))
        assert (page.status, page.kind) == (409, "full")
    small.now = local("2030-06-10 09:30")
    page = Page(guest.post(REGISTER, data={"name": "张桂芳", "phone": "13800138000"}))
    assert (page.status, page.kind) == (409, "closed")
    assert "张桂芳" in page.text


def test_a_couple_and_one_seat_hears_how_many_are_left_and_may_book_for_one(
    small: House, guest: Any
) -> None:
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


def test_seats_that_go_while_a_guest_is_checking_are_told_at_the_last_button(
    small: House, guest: Any
) -> None:
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
def test_before_and_after_its_time_the_form_says_which_and_when(
    house: House, moment: str, state: str, words: str
) -> None:
    house.apply(toml(head="[registration]\nopens_at = 2030-06-01T09:00:00"))
    client = house.client()
    house.now = local(moment)
    page = get(client, REGISTER)
    assert (page.status, page.kind, page.data["data-state"]) == (200, "closed", state)
    assert words in page.text


def test_a_form_that_was_open_when_registration_closed_keeps_what_was_typed(
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


def test_a_form_older_than_a_day_comes_back_filled_to_be_pressed_once_more(
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
def test_a_forged_form_is_refused_and_keeps_what_was_typed(guest: Any, token: str) -> None:
    data = {"csrf_token": token, "name": "张桂芳", "phone": "13800138000", "confirmed": "yes"}
    page = Page(guest.post(REGISTER, data=data))
    assert (page.status, page.kind) == (400, "register")
    assert page.form("/register").fields["name"] == "张桂芳"
    assert reading().query(Registration).count() == 0


def test_a_token_of_one_event_does_not_open_another(small: House, guest: Any) -> None:
    small.apply(toml(slug="other"))
    form = get(guest, "/zh/events/other/register").form("/register")
    page = Page(
        guest.post(REGISTER, data={**form.fields, "name": "张桂芳", "phone": "13800138000"})
    )
    assert page.status == 400


def test_a_program_that_fills_every_field_books_nothing(guest: Any) -> None:
    page = Page(
        fill(guest, REGISTER, name="Bot", phone="13800138000", website="https://spam.example")
    )
    assert page.status == 400


def test_going_back_to_change_something_keeps_everything(guest: Any) -> None:
    checked = Page(
        fill(guest, REGISTER, name="张桂芳", companion_1="王建国", phone="13800138000")
    ).form("/register")
    page = Page(guest.post(REGISTER, data={**checked.fields, "show": "form"}))
    assert (page.status, page.kind) == (200, "register")
    kept = page.form("/register").fields
    assert (kept["name"], kept["companion-1"], kept["phone"]) == ("张桂芳", "王建国", "13800138000")


def test_changing_the_language_on_the_form_keeps_what_was_typed(guest: Any) -> None:
    form = get(guest, REGISTER)
    assert 'formaction="/en/events/small/register"' in form.html
    data = {**form.form("/register").fields, "name": "张", "phone": "1", "show": "form"}
    page = Page(guest.post("/en/events/small/register", data=data))
    assert (page.kind, page.status) == ("register", 200)
    assert page.form("/register").fields["phone"] == "1"
    assert "Phone number" in page.text


def test_a_ticket_speaks_the_language_of_its_registration_or_the_one_asked_for(guest: Any) -> None:
    address = book(guest, language="en", name="Anna Lin", phone="13800138000").headers["Location"]
    assert "Your seat is booked" in get(guest, address).text
    assert "报名成功" in get(guest, f"{address}?lang=zh").text
    assert "Your seat is booked" in get(guest, address.lower().replace("/t/", "/T/")).text


def test_a_cancelled_ticket_says_only_that(small: House, guest: Any) -> None:
    address = book(guest, name="张桂芳", phone="13800138000").headers["Location"]
    with transaction() as session:
        made, _ = lookup.by_token(session, address.rsplit("/", 1)[1])
        cancellations.cancel(session, *with_event(session, made), by=audit.SYSTEM, now=small.now)
    page = get(guest, address)
    assert (page.kind, page.data["data-state"]) == ("cancelled", "cancelled")
    assert "张桂芳" not in page.html
    assert not page.having("data-code")


def test_after_a_cancellation_the_seat_is_shown_free_at_once(small: House, guest: Any) -> None:
    made = small.register("王一", "王二")
    assert get(guest, "/zh/events/small").having("data-seats-left")[0]["data-seats-left"] == "1"
    with transaction() as session:
        cancellations.cancel(
            session,
            *with_event(session, lookup.get(session, made.id)),
            by=audit.SYSTEM,
            now=small.now,
        )
    assert get(guest, "/zh/events/small").having("data-seats-left")[0]["data-seats-left"] == "3"


def test_a_changed_event_file_takes_effect_on_the_next_page(small: House, guest: Any) -> None:
    get(guest, "/zh/events/small")
    small.apply(toml(capacity=8).replace("图书馆", "礼堂"))
    page = get(guest, "/zh/events/small")
    assert "礼堂" in page.text
    assert page.having("data-seats-left")[0]["data-seats-left"] == "8"


def test_what_does_not_exist_is_404_in_words_with_a_way_on(small: House) -> None:
    for address in (
        "/zh/events/nothing",
        "/fr/",
        "/zh/nothing",
        "/T/" + "0" * 26,
        "/zh/events/nothing/register",
    ):
        page = get(small.client(), address)
        assert (page.status, page.kind) == (404, "error"), address
        assert 'href="/zh/"' in page.html


def test_the_privacy_page_answers_six_questions(small: House) -> None:
    for language in ("zh", "en"):
        page = get(small.client(), f"/{language}/privacy")
        assert page.kind == "privacy"
        assert page.html.count("<h2>") == 7
        assert "30" in page.text


def test_public_pages_set_no_cookie_and_fetch_nothing(guest: Any) -> None:
    answers = [
        guest.get("/zh/"),
        guest.get("/zh/events/small"),
        guest.get(REGISTER),
        guest.get("/zh/privacy"),
    ]
    answers.append(guest.get(book(guest, name="张桂芳", phone="13800138000").headers["Location"]))
    for answer in answers:
        assert "Set-Cookie" not in answer.headers
        html = answer.get_data(as_text=True)
        assert " src=" not in html
        assert not [
            kind
            for kind in re.findall(r'<link rel="([a-z]+)"', html)
            if kind not in {"canonical", "alternate"}
        ]
        assert " style=" not in html
        packed = guest.get(answer.request.path, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert len(packed.get_data()) + len(str(packed.headers)) < 10_000


def test_favicon_is_a_quiet_nothing(guest: Any) -> None:
    answer = guest.get("/favicon.ico")
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert "max-age" in answer.headers["Cache-Control"]
