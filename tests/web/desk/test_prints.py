"""What was printed is recorded: supplements, lists that are out of date, the waiting list."""

import re
from datetime import timedelta

import pytest

from eventreg.core.desk import print_history
from eventreg.storage.session import reading
from tests.support.factories import House, toml
from tests.support.houses import with_seats
from tests.support.pages import get
from tests.web.desk.test_check_in_list import DESK, PAPER, fill_with, print_list

hall = with_seats(60, staff=True)


def registration_of(line: print_history.PaperRow) -> int:
    """The registration of a row."""
    assert line.row is not None
    return line.row.registration_id


def test_the_waiting_list_is_printed_separately(house: House) -> None:
    house.apply(toml(capacity=1))
    house.hire()
    house.register("张一")
    house.register("李二", waitlist=True)
    house.register("陈三", "陈四", waitlist=True)
    page = get(house.signed_in("desmond"), f"{PAPER}?list=waiting")
    assert page.kind == "staff-waiting-list"
    assert re.search(r"1 李二.* 2 陈三.* 3 陈四 .*同上一位", page.text), (
        "in the order in which they are seated"
    )
    assert "张一" not in page.text


def test_an_outdated_list_is_reported_and_a_supplement_printed(hall: House) -> None:
    fill_with(hall, 3)
    desmond = hall.signed_in("desmond")
    assert "已经旧了" not in get(desmond, DESK).text, "nothing was printed yet"
    print_list(desmond)
    assert "已经旧了" not in get(desmond, DESK).text
    gone = print_history.paper_rows(reading(), hall.event())[1]
    hall.cancel(registration_of(gone))
    new = hall.register("阿新")
    # A printed selection is no supplement to the list.
    print_list(desmond, f"?registration={new.id}")
    page = get(desmond, DESK)
    assert "06-03 10:00 打印的签到表已经旧了。 新增 1 人，退出 1 人。" in page.text
    assert "只打印新增的 1 人" in page.text
    supplement = print_list(desmond, "?list=new")
    assert "签到表（新增）" in supplement.text
    assert "4 A 阿新" in supplement.text, "numbered on from the list"
    assert f"请在原表上划掉：2 号 {gone.name}" in supplement.text
    assert "已经旧了" not in get(desmond, DESK).text or "新增 0 人" in get(desmond, DESK).text
    order = [(line.number, line.name) for line in print_history.paper_rows(reading(), hall.event())]
    assert order[1:2] + order[-1:] == [(2, gone.name), (4, "阿新")], (
        "typed back in the order of the paper"
    )
    assert "打印签到表" in get(hall.signed_in("olga"), f"{DESK}/audit").text


def test_viewing_the_list_does_not_count_as_printing(hall: House) -> None:
    fill_with(hall, 3)
    desmond = hall.signed_in("desmond")
    for query in ("", "?signs=yes", "?list=waiting", "?registration=1"):
        get(desmond, f"{PAPER}{query}")
    assert print_history.latest(reading(), hall.event()).at is None
    print_list(desmond)
    assert len(print_history.latest(reading(), hall.event()).people) == 3


def test_a_print_records_the_people_shown_on_the_page(hall: House) -> None:
    fill_with(hall, 3)
    desmond = hall.signed_in("desmond")
    form = get(desmond, PAPER).form("/check-in-list")
    hall.register("阿新")
    desmond.post(form.action, data=form.fields)
    assert len(print_history.latest(reading(), hall.event()).people) == 3
    assert "新增 1 人，退出 0 人。" in get(desmond, DESK).text, (
        "who came after the page was opened is not on the paper"
    )


def test_a_print_is_recorded_only_from_a_page_of_this_event(hall: House) -> None:
    hall.apply(toml(slug="other"))
    desmond = hall.signed_in("desmond")
    form = get(desmond, PAPER).form("/check-in-list")
    for shown in ("", "x", form.fields["shown"][:-1], '[1,"all",1,[1]]'):
        answer = desmond.post(form.action, data={**form.fields, "shown": shown})
        assert answer.status_code == 400, shown
    there = "/staff/events/other/check-in-list"
    assert desmond.post(there, data=form.fields).status_code == 400
    assert print_history.latest(reading(), hall.event()).at is None


def test_after_a_list_too_long_to_note_only_those_who_came_later_are_new(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(print_history, "_MOST_KEPT", 2)
    small.apply(toml(capacity=5, more="[waitlist]\nopen = true"))
    stays, goes, couple = (
        small.register(*names) for names in (["甲一"], ["乙一"], ["丙一", "丙二"])
    )
    small.now += timedelta(hours=1)
    desmond = small.signed_in("desmond")
    shown = get(desmond, f"{DESK}/check-in-list").form("/check-in-list")
    assert desmond.post(shown.action, data=shown.fields).status_code == 303
    small.now += timedelta(hours=1)

    def changed() -> tuple[list[str], list[str]]:
        reading().rollback()
        prints = print_history.latest(reading(), small.event())
        found = print_history.differences(reading(), small.event(), prints)
        counted = print_history.count_differences(reading(), small.event(), prints)
        assert counted == (len(found.new), len(found.gone))
        return [row.name for row in found.new], [gone.name for gone in found.gone]

    assert changed() == ([], [])
    small.register("丁一")
    small.cancel(goes)
    assert changed() == (["丁一"], ["乙一"])
    page = get(small.signed_in("desmond"), f"{DESK}/check-in-list?list=new")
    assert "请在原表上划掉：乙一" in page.text
    assert "None" not in page.text
    assert {stays.id, couple.id}
