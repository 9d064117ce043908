"""The call desk: whom to call and why, the outcomes of calls, and seats that are passed on."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from eventreg.core import invariants
from eventreg.core.desk import calls
from eventreg.core.models.calls import CallReason
from eventreg.core.registration import lookup
from eventreg.storage.session import reading
from tests.support.factories import House, local, toml
from tests.support.houses import a_couple_and_two_who_wait
from tests.support.pages import Page, get

DESK = "/staff/events/small"
CALLS = f"{DESK}/calls"
SPEAKER_REPLACED = """
[notice]
kind = "speaker-replaced"
text = { zh = "换人主讲。", en = "Another speaker." }
"""
small = a_couple_and_two_who_wait


def press(client: FlaskClient, registration_id: int, outcome: str, **more: str) -> None:
    """Press one of the buttons beside a call."""
    form = get(client, f"{CALLS}?anyway=yes").form(f"/calls/{registration_id}")
    answer = client.post(form.action, data={**form.fields, "outcome": outcome, **more})
    assert answer.status_code == 303


def tasks(house: House) -> dict[int, calls.Task]:
    """The calls to be made now, by registration."""
    reading().rollback()
    return {
        task.registration_id: task for task in calls.tasks(reading(), house.event(), now=house.now)
    }


def test_a_promoted_party_is_called_with_words_and_code(small: House, desmond: FlaskClient) -> None:
    assert tasks(small) == {}
    small.cancel(1)
    page = get(desmond, CALLS)
    assert page.data["data-calls"] == "1"
    assert "138 0013 8001" in page.text
    code = lookup.party(reading(), small.next)[0].code or ""  # type: ignore[attr-defined]
    assert f"签到码：{'、'.join(code)}" in page.text
    assert "请问是张桂芳吗？" in page.text
    assert "上午 8 点 45 分开始签到" in page.text
    press(desmond, 2, "reached")
    assert get(desmond, CALLS).data["data-calls"] == "0", "the list empties as the work is done"
    assert "打通了 1" in get(desmond, CALLS).text
    assert "打了电话 · 打通了" in get(desmond, f"{DESK}/registrations/2").text


def test_an_unanswered_call_is_tried_again_in_two_hours(small: House, desmond: FlaskClient) -> None:
    small.cancel(1)
    press(desmond, 2, "not-reached")
    task = tasks(small)[2]
    assert (task.tries, task.waits(small.now)) == (1, True)
    assert task.next_try_at == small.now + timedelta(hours=2)
    assert "已经打过 1 次" in get(desmond, CALLS).text
    small.now += timedelta(hours=2)
    assert not tasks(small)[2].waits(small.now)
    small.now = local("2030-06-04 19:30")
    press(small.signed_in("desmond"), 2, "not-reached")
    assert tasks(small)[2].next_try_at == local("2030-06-05 09:00"), "not in the evening"


def test_pressing_a_button_twice_records_one_call(small: House, desmond: FlaskClient) -> None:
    small.cancel(1)
    form = get(desmond, CALLS).form("/calls/2")
    for _ in range(2):
        desmond.post(form.action, data={**form.fields, "outcome": "not-reached"})
        small.now += timedelta(seconds=2)
    assert tasks(small)[2].tries == 1


def test_will_not_come_cancels_the_registration(small: House, desmond: FlaskClient) -> None:
    small.cancel(1, 1)  # one of the couple, so that one seat is free
    press(desmond, 2, "will-not-come", confirmed="yes")
    assert lookup.get(reading(), 2).state == "cancelled"
    assert 2 not in tasks(small)
    assert invariants.of_event(reading(), small.event(), now=small.now).holds


def test_a_wrong_number_is_marked_until_it_is_corrected(small: House, desmond: FlaskClient) -> None:
    small.cancel(1)
    press(desmond, 2, "wrong-number")
    assert tasks(small)[2].wrong_number
    assert "号码不对" in get(desmond, CALLS).text
    form = get(desmond, f"{DESK}/registrations/2").form("/edit")
    desmond.post(form.action, data={**form.fields, "phone": "13900139000"})
    assert not tasks(small)[2].wrong_number
    assert tasks(small)[2].phone_number == "+8613900139000"


def test_an_unsure_name_is_checked_by_a_call(house: House) -> None:
    house.apply(toml())
    house.hire()
    house.register("黄桂芳", name_unsure=True)
    desmond = house.signed_in("desmond")
    assert "您的姓名是哪几个字？" in get(desmond, CALLS).text
    press(desmond, 1, "reached")
    assert tasks(house) == {}
    assert not lookup.get(reading(), 1).name_unsure


def test_reminders_come_on_the_last_working_day_before(house: House) -> None:
    # The Friday before is a holiday, so the reminders are due on Thursday.
    house.apply(toml(capacity=6, more="closed_on = [2030-06-07]\n"))
    house.hire()
    house.register("张桂芳")
    house.register("李秀英", "王建国")
    house.now = local("2030-06-05 12:00")
    assert tasks(house) == {}
    house.now = local("2030-06-06 09:30")
    desmond = house.signed_in("desmond")
    assert {task.reasons for task in tasks(house).values()} == {(CallReason.REMINDER,)}
    press(desmond, 1, "reached")
    assert set(tasks(house)) == {2}
    house.register("晚到一")
    assert set(tasks(house)) == {2}, "whoever registers on that very day knows"
    house.now = local("2030-06-10 09:00")
    assert tasks(house) == {}, "once it has begun there is nobody to remind"


def test_outside_calling_hours_numbers_are_hidden_unless_asked_for(small: House) -> None:
    small.cancel(1)
    small.now = local("2030-06-03 21:00")
    desmond = small.signed_in("desmond")
    page = get(desmond, CALLS)
    assert "现在不是打电话的时间（9:00–20:00）" in page.text
    assert "138 0013 8001" not in page.text
    assert "138 0013 8001" in get(desmond, f"{CALLS}?anyway=yes").text
    assert Page(desmond.get(CALLS)).data["data-calls"] == "1"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("moved", "时间或地点有变动。改到下星期。"),
        ("cancelled", "这场活动取消了。改到下星期。"),
        ("speaker-replaced", "主讲人有变动，座位都保留。改到下星期。"),
        ("please-note", "有件事要告诉您。改到下星期。"),
    ],
)
def test_a_notice_is_told_to_everybody(
    small: House, desmond: FlaskClient, kind: str, said: str
) -> None:
    small.apply(
        toml(
            capacity=2,
            more=f'[notice]\nkind = "{kind}"\ntext = {{ zh = "改到下星期。", en = "Next week." }}',
        )
    )
    assert set(tasks(small)) == {1, 2, 3}
    assert said in get(desmond, CALLS).text
    olga = small.signed_in("olga")
    numbers = get(olga, f"{DESK}/numbers")
    assert "您报名的“书法课”：改到下星期。有问题请打 0574-87654321。" in numbers.text
    assert "13800138000 13800138001" in numbers.text
    assert "收不到短信，要打电话" in numbers.text
    assert desmond.get(f"{DESK}/numbers").status_code == 403
    seen = get(olga, f"{DESK}/audit").text
    assert "看了全部电话" in seen


def test_the_call_sheet_has_numbers_reasons_and_boxes(small: House, desmond: FlaskClient) -> None:
    small.cancel(1)
    sheet = get(desmond, f"{DESK}/calls/sheet")
    assert sheet.kind == "staff-call-sheet"
    assert "书法课 6 月 10 日（星期一） 9:00 开始" in sheet.text
    assert "138 0013 8001 有座位了 座位留到 06-04 10:00 □ □ □ □" in sheet.text
    press(desmond, 2, "not-reached")
    sheet = get(desmond, f"{DESK}/calls/sheet")
    assert "有座位了 打过 1 次，12:00 再打 座位留到 06-04 10:00 □" in sheet.text
    assert "打印电话名单" in get(small.signed_in("olga"), f"{DESK}/audit").text


def test_a_call_for_two_reasons_asks_once(house: House) -> None:
    house.apply(toml(capacity=1))
    house.hire()
    house.register("王建国")
    house.register("张桂芳", waitlist=True, name_unsure=True)
    house.now = local("2030-06-07 09:30")
    house.cancel(1)
    assert set(tasks(house)[2].reasons) == {
        CallReason.PROMOTED,
        CallReason.NAME_UNSURE,
        CallReason.REMINDER,
    }
    said = get(house.signed_in("desmond"), CALLS).text
    assert said.count("您来吗？") == 1
    assert "您来吗？您的姓名是哪几个字？我核对一下。" in said
    assert "提醒您来听" not in said


def test_afternoon_times_are_written_in_twelve_hours(house: House) -> None:
    morning = toml(more="[waitlist]\nopen = true", capacity=1)
    house.apply(
        morning.replace("T09:00", "T15:00")
        .replace("11:00", "17:00")
        .replace("08:45", "14:45")
        .replace("09:00", "15:00")
    )
    house.hire()
    seat = house.register("张桂芳")
    house.register("王建国", waitlist=True)
    house.cancel(seat)
    desmond = house.signed_in("desmond")
    assert "下午 2 点 45 分开始签到，下午 3 点开始" in get(desmond, CALLS).text
    assert "下午 2 点 45 分到 3 点签到" in get(desmond, f"{DESK}/registrations/2?read=1").text


def test_a_party_whose_first_person_cancelled_is_on_the_list_of_numbers(small: House) -> None:
    couple = small.couple  # type: ignore[attr-defined]
    small.cancel(couple, lookup.party(reading(), couple)[0].id)
    assert calls.Number("李秀英", "+8613800138000") in calls.numbers(reading(), small.event())


def test_the_most_urgent_calls_are_shown_however_many_are_owed_longer(
    small: House, desmond: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MOST", 2)
    small.apply(toml(capacity=2, more=SPEAKER_REPLACED))
    assert set(tasks(small)) == {1, 2}
    small.apply(toml(capacity=5, more=SPEAKER_REPLACED))
    assert set(tasks(small)) == {2, 3}, "those who got a seat come before those who have one"
    press(desmond, 2, "not-reached")
    assert set(tasks(small)) == {3, 1}, "who is tried later makes room"
