"""Cancelling at the desk: the question before it, who got the seat, and undoing it."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from eventreg.core.door import check_in
from eventreg.core.door.check_in import Arrival
from eventreg.core.event import events
from eventreg.core.registration import lookup
from eventreg.operations import forgetting
from eventreg.storage.session import reading, transaction
from tests.support.factories import House, toml
from tests.support.pages import Page, get

DESK = "/staff/events/small"


@pytest.fixture
def small(house: House) -> House:
    """Two seats, taken by a couple; one who waits."""
    house.apply(toml(capacity=2))
    house.hire()
    house.register("王秀英", "张建国", phone="13800138000")
    house.register("钱大伟", phone="13800138001", waitlist=True)
    return house


def path(number: int = 1) -> str:
    """The page of a registration."""
    return f"{DESK}/registrations/{number}"


def press(client: FlaskClient, page: Page, ending: str, place: int = 0) -> Page:
    """Press a button of the page. Returns the page that follows."""
    forms = [form for form in page.forms if form.action.endswith(ending)]
    answer = client.post(forms[place].action, data=forms[place].fields)
    return get(client, answer.headers["Location"]) if answer.status_code == 303 else Page(answer)


def test_cancelling_asks_first_and_says_who_would_get_the_seat(
    small: House, desmond: FlaskClient
) -> None:
    page = get(desmond, path())
    assert not [form for form in page.forms if form.action.endswith("/cancel")]
    assert f'href="{path()}/cancel"' in page.html
    asked = get(desmond, f"{path()}/cancel")
    assert asked.kind == "staff-cancel"
    for words in (
        "要取消哪一位的报名？",
        "座位会马上给候补的钱大伟，要打电话通知。",
        "十分钟内可以撤销",
        "不取消，回去",
        "只取消王秀英",
        "只取消张建国",
        "两位都取消",
    ):
        assert words in asked.text
    assert small.seats().taken == 2, "the question changes nothing"


def test_the_page_says_who_got_the_seat_with_a_button_to_the_call(
    small: House, desmond: FlaskClient
) -> None:
    page = press(desmond, get(desmond, f"{path()}/cancel"), "/cancel")
    assert "王秀英的名额已取消，张建国的还留着。" in page.text
    assert "钱大伟补上了，请打电话通知。" in page.text
    assert f'href="{DESK}/calls?anyway=yes#call-2"' in page.html
    assert 'id="call-2"' in get(desmond, f"{DESK}/calls?anyway=yes").html
    form = get(desmond, path(2)).form("/told")
    desmond.post(form.action, data=form.fields)
    assert "钱大伟补上了，已经通知了。" in get(desmond, path()).text


def test_a_free_seat_comes_back_within_ten_minutes(small: House, desmond: FlaskClient) -> None:
    small.cancel(2)
    page = press(desmond, get(desmond, f"{path()}/cancel"), "/cancel", 2)
    assert ("王秀英、张建国的报名已取消。" in page.text, small.seats().taken) == (True, 0)
    assert "10:10 以前可以撤销" in page.text
    back = press(desmond, page, "/undo-cancel")
    assert (back.data["data-state"], small.seats().taken) == ("confirmed", 2)
    assert "撤销了取消，名额还在" in back.text
    assert press(desmond, page, "/undo-cancel").status == 200, "the second time changes nothing"
    small.now += timedelta(minutes=10)
    assert "以前可以撤销" not in get(desmond, path()).text


def test_if_the_seat_is_gone_staff_may_put_the_person_first_in_line(
    small: House, desmond: FlaskClient
) -> None:
    small.register("孙一", waitlist=True)
    page = press(desmond, get(desmond, f"{path()}/cancel"), "/cancel")
    assert "把王秀英排到候补最前" in page.text
    assert not [form for form in page.forms if form.action.endswith("/undo-cancel")]
    after = press(desmond, page, "/put-first")
    assert "误取消的人又在名单里了" in after.text
    assert "误取消，排到候补最前" in after.text, "the history says so"
    (again,) = lookup.put_first_from(reading(), lookup.get(reading(), 1))
    first = get(desmond, path(again.id))
    assert "候补第 1 位" in first.text
    assert "误取消，排在最前" in first.text
    rows = get(desmond, f"{DESK}/check-in-list?list=waiting").text
    assert rows.index("王秀英") < rows.index("孙一")


def test_an_undo_that_comes_too_late_says_why(small: House, desmond: FlaskClient) -> None:
    small.cancel(2)
    page = press(desmond, get(desmond, f"{path()}/cancel"), "/cancel", 2)
    small.register("孙一", "孙二")
    refused = press(desmond, page, "/undo-cancel")
    assert (refused.status, "刚刚有人得到了这个座位" in refused.text) == (409, True)
    small.now += timedelta(minutes=10)
    refused = press(desmond, page, "/undo-cancel")
    assert (refused.status, "过了十分钟" in refused.text) == (409, True)


def test_a_call_that_ends_with_will_not_come_says_who_got_the_seat_and_can_be_undone(
    small: House, desmond: FlaskClient
) -> None:
    small.register("孙一", waitlist=True)
    small.cancel(1, lookup.party(reading(), lookup.get(reading(), 1))[0].id)
    desk = get(desmond, f"{DESK}/calls?anyway=yes")
    form = desk.form("/calls/2")
    asked = Page(desmond.post(form.action, data={**form.fields, "outcome": "will-not-come"}))
    assert "钱大伟不来了吗？" in asked.text
    assert lookup.get(reading(), 2).state == "confirmed", "asking changes nothing"
    sure = asked.form("/calls/2")
    sent = desmond.post(sure.action, data=sure.fields)
    page = get(desmond, sent.headers["Location"])
    assert "钱大伟的报名已取消。" in page.text
    assert "孙一补上了，请打电话通知。" in page.text
    assert "钱大伟的报名已取消。" not in get(desmond, f"{DESK}/calls").text, "said once"
    assert "把钱大伟排到候补最前" in get(desmond, path(2)).text


def test_a_correction_says_once_that_it_was_saved(small: House, desmond: FlaskClient) -> None:
    page = press(desmond, get(desmond, path()), "/edit")
    assert "已保存" in page.text
    assert "已保存" not in get(desmond, path()).text


def test_who_is_erased_is_not_offered_for_erasing_again(small: House, olga: FlaskClient) -> None:
    assert "/erase" in get(olga, path()).html
    forgetting.erase("small", 1, "", by=small.olga, now=small.now)
    page = get(olga, path())
    assert "/erase" not in page.html
    assert "撤销" not in page.text
    assert olga.get(f"{path()}/erase").headers["Location"] == path()


def test_bulk_cancelling_says_once_what_was_done(small: House, desmond: FlaskClient) -> None:
    form = get(desmond, f"{DESK}/attendees").form()
    sent: Any = {**form.fields, "registration": "1", "act": "cancel", "confirmed": "yes"}
    answer = desmond.post(f"{DESK}/attendees", data=sent)
    assert answer.headers["Location"] == f"{DESK}/attendees"
    assert (
        "取消了 1 个报名。 有人候补的话，座位已经给他们了" in get(desmond, f"{DESK}/attendees").text
    )
    assert "取消了 1 个报名" not in get(desmond, f"{DESK}/attendees").text


def test_the_dashboard_names_the_companion_who_sits(small: House, desmond: FlaskClient) -> None:
    small.cancel(1, lookup.party(reading(), lookup.get(reading(), 1))[0].id)
    page = get(desmond, DESK)
    rows = {row["data-registration"]: row["data-state"] for row in page.having("data-registration")}
    assert rows["1"] == "confirmed"
    assert "张建国 王秀英 已取消" in page.text
    assert "13800138000" in get(small.signed_in("olga"), f"{DESK}/numbers").html.replace(" ", "")


def test_the_desk_is_told_if_the_person_has_arrived_already(small: House) -> None:
    people = lookup.party(reading(), lookup.get(reading(), 1))
    small.now = small.event().starts_at
    with transaction() as session:
        arrival = Arrival(people[0].public_id, small.now, small.now)
        event = events.get(session, "small")
        check_in.check_in(session, event, arrival, anyway=True, by=small.dora)
    asked = get(small.signed_in("desmond"), f"{path()}/cancel")
    assert "王秀英已经到场签到了。请先问清楚。" in asked.text


def test_a_corrected_name_gets_its_own_reading(small: House, desmond: FlaskClient) -> None:
    form = get(desmond, path(2)).form("/edit")
    assert form.fields["pinyin"] == "qian da wei"
    desmond.post(form.action, data={**form.fields, "name": "宋玉芹"})
    again = get(desmond, path(2)).form("/edit")
    assert again.fields["pinyin"] == "song yu qin", "not the reading of the old name"
    desmond.post(again.action, data={**again.fields, "pinyin": "song yu jin"})
    assert get(desmond, path(2)).form("/edit").fields["pinyin"] == "song yu jin"
