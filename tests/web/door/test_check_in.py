"""A volunteer checks people in on a telephone, without a script."""

import hashlib

import pytest
from flask.testing import FlaskClient

from eventreg.core import audit
from eventreg.core.registration import cancellations, lookup, tickets
from eventreg.storage.session import reading, transaction
from tests.support.factories import PASSWORD, SECRET, House, local, toml, with_event
from tests.support.pages import Page, get, sign_in

DOOR = "/door/small/"


@pytest.fixture
def morning(house: House) -> House:
    """It is 8:47 on the day; a couple and one more person are expected."""
    house.apply(toml(capacity=5))
    house.hire()
    house.register("张桂芳", "王建国", phone="13800138000")
    house.register("曾秀英", phone="13900139123")
    house.now = local("2030-06-10 08:47")
    return house


@pytest.fixture
def dora(morning: House) -> FlaskClient:
    """The volunteer's telephone."""
    client = morning.client()
    sign_in(client, "dora", PASSWORD)
    return client


def press(client: FlaskClient, page: Page, name: str) -> Page:
    """Press the button in the row of that name. Returns the page that follows."""
    html = page.html
    row = html[html.index(f">{name}</b>") :]
    action = row.split('action="', 1)[1].split('"', 1)[0]
    form = next(form for form in page.forms if form.action == action and _row_has(row, form.fields))
    answer = client.post(form.action, data=form.fields)
    return get(client, answer.headers["Location"]) if answer.status_code == 303 else Page(answer)


def _row_has(row: str, fields: dict[str, str]) -> bool:
    attendee = fields.get("attendee")
    return attendee is None or f'value="{attendee}"' in row[:900]


def test_the_page_shows_how_many_of_the_expected_have_arrived(dora: FlaskClient) -> None:
    page = get(dora, DOOR)
    assert page.kind == "door"
    assert (page.data["data-arrived"], page.data["data-expected"]) == ("0", "3")
    assert "0 / 3" in page.text
    assert len(page.having("data-attendee")) == 3
    assert "13800138000" not in page.html
    assert "尾号 8000" in page.text


def test_one_press_checks_in_and_offers_the_rest_of_the_party(dora: FlaskClient) -> None:
    page = press(dora, get(dora, DOOR), "张桂芳")
    assert "签到成功" in page.text
    assert "同来的还有 王建国" in page.text
    assert "1 / 3" in page.text
    together = next(form for form in page.forms if form.fields.get("attendee"))
    both = get(dora, dora.post(together.action, data=together.fields).headers["Location"])
    assert "王建国 签到成功" in both.text
    assert both.data["data-arrived"] == "2"


@pytest.mark.parametrize("query", ["曾", "zxy", "zeng", "9123"])
def test_the_search_box_finds_people_by_name_initials_and_last_digits(
    dora: FlaskClient, query: str
) -> None:
    page = get(dora, f"{DOOR}?q={query}")
    assert len(page.having("data-attendee")) == 1
    assert "曾秀英" in page.text


def test_the_page_says_if_the_search_finds_no_one(dora: FlaskClient) -> None:
    page = get(dora, f"{DOOR}?q=nobody")
    assert "没找到，换个写法再查" in page.text
    assert 'class="panel no' not in page.html, "nothing red: somebody may be on the list"


def test_a_second_press_says_when_the_first_one_was(morning: House, dora: FlaskClient) -> None:
    form = next(form for form in get(dora, DOOR).forms if form.fields.get("attendee"))
    dora.post(form.action, data=form.fields)
    morning.now = local("2030-06-10 08:52")
    again = get(dora, dora.post(form.action, data=form.fields).headers["Location"])
    assert "8:47 已经签到" in again.text
    assert again.data["data-arrived"] == "1"


def test_undo_withdraws_a_check_in(dora: FlaskClient) -> None:
    press(dora, get(dora, DOOR), "曾秀英")
    undone = press(dora, get(dora, DOOR), "曾秀英")
    assert "已撤销签到" in undone.text
    assert undone.data["data-arrived"] == "0"


def test_a_check_in_before_the_window_is_possible_after_a_warning(
    morning: House, dora: FlaskClient
) -> None:
    morning.now = local("2030-06-10 08:20")
    page = get(dora, DOOR)
    assert "8:45 开始签到" in page.text
    warned = press(dora, page, "曾秀英")
    assert warned.status == 409
    assert "曾秀英 还没有到签到时间，8:45 开始" in warned.text
    anyway = next(form for form in warned.forms if form.fields.get("anyway") == "yes")
    assert (
        get(dora, dora.post(anyway.action, data=anyway.fields).headers["Location"]).data[
            "data-arrived"
        ]
        == "1"
    )


def test_one_button_opens_check_in_early_for_everyone(morning: House, dora: FlaskClient) -> None:
    morning.now = local("2030-06-10 08:20")
    form = get(dora, DOOR).form("/open")
    assert dora.post(form.action, data=form.fields).status_code == 303
    page = get(dora, DOOR)
    assert "提前开始签到" not in page.text
    assert press(dora, page, "曾秀英").data["data-arrived"] == "1"


def test_a_late_arrival_is_told_that_the_lecture_has_begun(
    morning: House, dora: FlaskClient
) -> None:
    morning.now = local("2030-06-10 09:00")
    page = press(dora, get(dora, DOOR), "曾秀英")
    assert "已经开始，请安静入座" in page.text
    assert "迟到" in get(dora, DOOR).text


def test_a_cancelled_person_is_found_by_name_with_the_time_of_cancelling(
    morning: House, dora: FlaskClient
) -> None:
    form = next(form for form in get(dora, f"{DOOR}?q=曾").forms if form.fields.get("attendee"))
    with transaction() as session:
        made = lookup.get(session, 2)
        cancellations.cancel(
            session, *with_event(session, made), by=audit.SYSTEM, now=local("2030-06-09 16:05")
        )
    assert "曾秀英" not in get(dora, DOOR).text
    assert "06-09 16:05 已取消报名" in get(dora, f"{DOOR}?q=曾").text
    page = Page(dora.post(form.action, data=form.fields))
    assert page.status == 409
    assert "06-09 16:05 已取消报名" in page.text


def test_an_unknown_attendee_is_refused_with_404_and_a_sentence(dora: FlaskClient) -> None:
    form = next(form for form in get(dora, DOOR).forms if form.fields.get("attendee"))
    for attendee in ("99999", "", "x", "١٢"):
        page = Page(dora.post(form.action, data={**form.fields, "attendee": attendee}))
        assert (page.status, page.kind) == (404, "door")
        assert "这一行已经变了，请再查一次" in page.text
    undo = dora.post("/door/small/check-ins/999/undo", data=form.fields)
    assert undo.status_code == 404


def test_a_scanned_ticket_shows_its_party_to_the_door_and_the_ticket_to_others(
    morning: House, dora: FlaskClient
) -> None:
    made = lookup.get(reading(), 1)
    address = f"/T/{tickets.token(SECRET, made.ticket_seed)}"
    page = get(dora, address, follow_redirects=True)
    assert page.kind == "door"
    assert len(page.having("data-attendee")) == 2
    assert press(dora, page, "王建国").data["data-arrived"] == "1"
    assert get(morning.client(), address).kind == "ticket"


def test_a_scanned_ticket_leads_to_an_address_that_opens_no_ticket(
    morning: House, dora: FlaskClient
) -> None:
    made = lookup.get(reading(), 1)
    token = tickets.token(SECRET, made.ticket_seed)
    there = dora.get(f"/T/{token}").headers["Location"]
    assert there == f"/door/small/?t={hashlib.sha256(token.encode()).hexdigest()[:24]}"
    for unknown in ("0" * 24, made.ticket_digest[:23], "%", "_" * 24, "x"):
        page = get(dora, f"{DOOR}?t={unknown}")
        assert (page.status, page.kind) == (404, "door")


def test_opening_a_page_checks_no_one_in(dora: FlaskClient) -> None:
    for address in (
        DOOR,
        f"{DOOR}?done=1",
        f"{DOOR}?done=x",
        f"{DOOR}?q=曾",
        "/door/small/check-ins",
    ):
        get(dora, address)
    assert get(dora, DOOR).data["data-arrived"] == "0"
