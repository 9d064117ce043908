"""The page of the attendee list: similar names, several rows at once, duplicates, odd searches."""

import time

import pytest
from flask.testing import FlaskClient

from eventreg.core.registration import lookup
from eventreg.storage.session import reading
from tests.support.factories import House, toml
from tests.support.pages import Page, get

DESK = "/staff/events/small"
LIST = f"{DESK}/attendees"


@pytest.fixture
def hall(house: House) -> House:
    """A room with people whose names sound alike."""
    house.apply(toml(capacity=30))
    house.hire()
    for number, name in enumerate(
        [
            "王桂芳",
            "黄桂芳",
            "汪阿宝",
            "吴水娣",
            "胡水娣",
            "何水娣",
            "陈美康",
            "程美康",
            "Anna Wang",
        ]
    ):
        house.register(name, phone=f"1380013800{number}")
    return house


@pytest.fixture
def desmond(hall: House) -> FlaskClient:
    """The desk's browser."""
    return hall.signed_in("desmond")


def searched(client: FlaskClient, query: str) -> tuple[str, str]:
    """What a search finds, and the names that sound similar."""
    found, _, near = Page(client.get(LIST, query_string={"q": query})).text.partition("读音相近")
    return found, near


@pytest.mark.parametrize(
    ("query", "found", "near"),
    [
        ("王", "王桂芳", "黄桂芳"),
        ("王", "王桂芳", "汪阿宝"),
        ("黄桂芳", "黄桂芳", "王桂芳"),
        ("wu", "吴水娣", "胡水娣"),
        ("hu", "胡水娣", "何水娣"),
        ("何水", "何水娣", "吴水娣"),
        ("chenmei", "陈美康", "程美康"),
        ("huanggui", "黄桂芳", "王桂芳"),
    ],
)
def test_similar_sounding_names_are_listed_separately(
    desmond: FlaskClient, query: str, found: str, near: str
) -> None:
    exactly, alike = searched(desmond, query)
    assert found in exactly
    assert near in alike
    assert found not in alike, "apart means once"


def test_nothing_sounds_like_a_number(desmond: FlaskClient) -> None:
    assert searched(desmond, "8000")[1] == ""


@pytest.mark.parametrize(
    "query",
    [
        "%",
        "_",
        "(a+)+$",
        "\\",
        "'; --",
        "\u202e王",
        "王" * 5_000,
        "a" * 1_800,
        "王" * 200,
        "* OR 1=1",
        "٣",
        "𠮷",
        "مريم",
    ],
)
def test_a_hostile_search_is_literal_and_quick(desmond: FlaskClient, query: str) -> None:
    begun = time.process_time()  # CPU time, which parallel tests do not change
    answer = desmond.get(LIST, query_string={"q": query})
    assert answer.status_code == (414 if len(query) > 1_900 else 200), (
        "an address of 10 kB is refused, as everywhere"
    )
    assert time.process_time() - begun < 1
    found = Page(answer).having("data-registration")
    assert len(found) == (1 if query == "\u202e王" else 0), (
        "what turns text around is left out of the search"
    )


def chosen(client: FlaskClient, act: str, *ids: int, **more: str) -> Page:
    """Tick registrations and press a button; returns the next page."""
    form = next(form for form in get(client, LIST).forms if form.id == "chosen")
    answer = client.post(LIST, data={**form.fields, "registration": list(ids), "act": act, **more})
    return get(client, answer.headers["Location"]) if answer.status_code == 303 else Page(answer)


def test_chosen_registrations_are_printed_together(desmond: FlaskClient) -> None:
    page = chosen(desmond, "print", 2, 1, 999)
    assert page.kind == "staff-check-in-list"
    assert "签到表（选出的）" in page.text
    assert "王桂芳" in page.text
    assert "陈美康" not in page.text


def test_chosen_registrations_are_cancelled_after_confirmation(
    hall: House, desmond: FlaskClient
) -> None:
    asked = chosen(desmond, "cancel", 1, 2)
    assert asked.kind == "staff-bulk-cancel"
    assert "要取消这 2 个人的报名吗？" in asked.text
    assert hall.seats().taken == 9, "asking changes nothing"
    assert "取消了 2 个报名。" in chosen(desmond, "cancel", 1, 2, confirmed="yes").text
    assert hall.seats().taken == 7
    again = chosen(desmond, "cancel", 1, 2, confirmed="yes").text
    assert "取消了 0 个报名。 2 个没有变" in again, "twice is once, and it is said"


def test_chosen_registrations_get_seats_while_any_are_left(house: House) -> None:
    house.apply(toml(capacity=3, more="held_seats = 2\nheld_until = 2030-06-09T12:00:00"))
    house.hire()
    house.register("张一")
    for name in ("李一", "李二", "李三"):
        house.register(name, waitlist=True)
    desmond = house.signed_in("desmond")
    page = chosen(desmond, "promote", 2, 3, 4)
    assert "给 2 个报名安排了座位。 1 个没有变" in page.text, "the third found no seat"
    assert house.seats().taken == 3
    assert "2 个报名记为已打电话。" in chosen(desmond, "told", 1, 2, 3).text


def test_people_with_the_same_name_are_shown_side_by_side(
    hall: House, desmond: FlaskClient
) -> None:
    assert "没有同名的人" in get(desmond, f"{DESK}/duplicates").text
    hall.register("王桂芳", phone="13900139000")
    assert "可能重复 1 组" in get(desmond, DESK).text
    page = get(desmond, f"{DESK}/duplicates")
    assert page.text.count("王桂芳") == 2
    assert "138****8000" in page.text
    assert "139****9000" in page.text
    apart = next(form for form in page.forms if form.action == "" and form.method == "post")
    people = [
        str(attrs["value"]) for attrs in page.having("name") if attrs.get("name") == "attendee"
    ][-2:]
    desmond.post(f"{DESK}/duplicates", data={**apart.fields, "attendee": people})
    assert "可能重复" not in get(desmond, DESK).text, "they are two, and it is not asked again"
    hall.register("王桂芳", phone="13900139001")
    assert "可能重复 1 组" in get(desmond, DESK).text, "until a third one comes"


def test_one_of_two_duplicates_is_cancelled(hall: House, desmond: FlaskClient) -> None:
    hall.register("王桂芳", phone="13900139000")
    page = get(desmond, f"{DESK}/duplicates")
    (ask,) = [
        str(link["href"]) for link in page.having("href") if "/10/cancel" in (link["href"] or "")
    ]
    form = get(desmond, ask).form("/cancel")
    desmond.post(form.action, data=form.fields)
    assert lookup.get(reading(), 10).state == "cancelled"
    assert "没有同名的人" in get(desmond, f"{DESK}/duplicates").text


def test_viewing_a_number_is_audited_once_an_hour(hall: House, desmond: FlaskClient) -> None:
    for _ in range(3):
        get(desmond, f"{DESK}/registrations/1")
    assert get(hall.signed_in("olga"), f"{DESK}/audit").html.count("registration:number:seen") == 1
    assert "13800138000" not in get(desmond, LIST).html
