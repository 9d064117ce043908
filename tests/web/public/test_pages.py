"""The start page, the event page over time, and the small public pages."""

import re
from typing import Any

import pytest

from eventreg.core import audit
from eventreg.core.registration import cancellations, lookup
from eventreg.storage.session import transaction
from tests.support.factories import SHIPPED, House, local, toml, with_event
from tests.support.houses import guest_without_cookies, with_seats
from tests.support.pages import book, get

REGISTER = "/zh/events/small/register"
small = with_seats(3)
guest = guest_without_cookies


def test_the_root_redirects_to_the_language_of_the_browser(small: House) -> None:
    client = small.client()
    for accepted, target in [
        ("en-GB,en;q=0.9", "/en/"),
        ("zh-CN", "/zh/"),
        ("fr", "/zh/"),
        ("", "/zh/"),
    ]:
        answer = client.get("/", headers={"Accept-Language": accepted})
        assert (answer.status_code, answer.headers["Location"]) == (302, target)


def test_the_start_page_is_the_one_event_or_a_list(small: House) -> None:
    client = small.client()
    assert get(client, "/zh/").data["data-page"] == "start"
    assert "书法课" in get(client, "/zh/").text
    small.apply(toml(slug="other").replace("书法课", "太极课"))
    both = get(client, "/zh/")
    assert "书法课" in both.text
    assert "太极课" in both.text
    assert get(client, "/en/").kind == "start"


def test_the_start_page_says_so_if_there_is_no_event(house: House) -> None:
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


def test_a_date_has_its_year_if_it_is_not_this_one(small: House) -> None:
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
def test_the_event_page_says_whether_one_can_register(
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


def test_a_notice_is_shown_and_a_cancelled_event_takes_no_registration(small: House) -> None:
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
def test_the_page_says_whether_the_telephone_is_answered(
    house: House, moment: str, words: str
) -> None:
    house.apply(toml(more="closed_on = [2030-06-05]\nopen_on = [2030-06-08]"))
    house.now = local(moment)
    assert words in get(house.client(), "/zh/events/small").text


def test_a_cancelled_seat_is_shown_as_free_at_once(small: House, guest: Any) -> None:
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


def test_an_unknown_address_is_a_404_page_with_a_link_onwards(small: House) -> None:
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


def test_the_privacy_page_has_all_its_sections(small: House) -> None:
    for language in ("zh", "en"):
        page = get(small.client(), f"/{language}/privacy")
        assert page.kind == "privacy"
        assert page.html.count("<h2>") == 8
        assert "30" in page.text


def test_the_privacy_page_names_everything_that_is_kept(small: House) -> None:
    text = get(small.client(), "/zh/privacy").text
    for kept in ("邮箱", "联系人", "轮椅位", "签到码", "打过电话", "同一个网络", "备份"):
        assert kept in text, kept
    assert "可以打电话问主办方" in text, "where the server stands is the organiser's sentence"
    small.apply(toml(more='[privacy]\nserver = { zh = "放在市图书馆。", en = "In the library." }'))
    named = get(small.client(), "/zh/privacy").text
    assert ("放在市图书馆。" in named, "问主办方" in named) == (True, False)


def test_public_pages_set_no_cookie_and_load_no_files(guest: Any) -> None:
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


def test_the_favicon_is_empty_and_cached(guest: Any) -> None:
    answer = guest.get("/favicon.ico")
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert "max-age" in answer.headers["Cache-Control"]
