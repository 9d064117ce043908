"""Type the ticked sheet and the walk-ins back after the event."""

from collections.abc import Sequence

from flask.testing import FlaskClient

from eventreg.core import invariants
from eventreg.core.desk import attendee_list, print_history
from eventreg.storage.session import reading
from tests.support.factories import House, local, toml
from tests.support.houses import with_seats
from tests.support.pages import Page, get
from tests.web.desk.test_check_in_list import fill_with, print_list
from tests.web.desk.test_prints import registration_of

DESK = "/staff/events/small"
hall = with_seats(60, staff=True)


def ticked(client: FlaskClient, arrived: Sequence[str], given: Sequence[str], **more: str) -> Page:
    """Type the sheet back; returns the next page."""
    form = get(client, f"{DESK}/paper").form()
    data = {
        "csrf_token": form.fields["csrf_token"],
        "arrived": list(arrived),
        "gift": list(given),
        **more,
    }
    answer = client.post(f"{DESK}/paper", data=data)
    return get(client, answer.headers["Location"]) if answer.status_code == 303 else Page(answer)


def test_the_typed_sheet_is_compared_before_it_is_saved(hall: House) -> None:
    fill_with(hall, 5)
    desmond = hall.signed_in("desmond")
    people = [line.public_id for line in print_history.paper_rows(reading(), hall.event())]
    door = get(desmond, "/door/small/")
    form = next(form for form in door.forms if form.fields.get("attendee") == str(people[0]))
    desmond.post(form.action, data={**form.fields, "anyway": "yes"})
    form = next(
        f for f in get(desmond, "/door/small/").forms if f.fields.get("attendee") == str(people[4])
    )
    desmond.post(form.action, data={**form.fields, "anyway": "yes"})
    found = ticked(desmond, people[:2], [people[2]])
    assert found.data["data-changes"] == "3"
    assert "两边一样的：1 人。" in found.text
    assert "纸上到了、系统里没有的：2 人" in found.text, "who has a gift was there"
    assert "系统里到了、纸上没打钩的：1 人" in found.text
    assert get(desmond, f"{DESK}/report").data["data-came"] == "2", "comparing changes nothing"
    done = ticked(desmond, people[:2], [people[2]], confirmed="yes")
    assert done.kind == "staff-report"
    assert (done.data["data-came"], done.data["data-gifts"]) == ("4", "1")
    again = ticked(desmond, people[:2], [people[2]], confirmed="yes")
    assert (again.data["data-came"], again.data["data-gifts"]) == ("4", "1"), "twice is once"
    assert ticked(desmond, people[:2], [people[2]]).data["data-changes"] == "0"
    assert "2 人是从纸上录的" in again.text


def test_a_person_cancelled_after_printing_keeps_the_row(hall: House) -> None:
    fill_with(hall, 3)
    desmond = hall.signed_in("desmond")
    print_list(desmond)
    lines = print_history.paper_rows(reading(), hall.event())
    hall.cancel(registration_of(lines[1]))
    people = [line.public_id for line in print_history.paper_rows(reading(), hall.event())]
    assert people == [line.public_id for line in lines], (
        "nobody who types line by line slips by one"
    )
    assert f"2 {lines[1].name} 已取消" in get(desmond, f"{DESK}/paper").text
    found = ticked(desmond, people, [])
    assert found.data["data-changes"] == "2"
    assert f"纸上打了钩、可是已经取消的：1 人 {lines[1].name}" in found.text
    done = ticked(desmond, people, people[1:2], confirmed="yes")
    assert (done.data["data-came"], done.data["data-gifts"]) == ("2", "0")
    only = ticked(desmond, people, [])
    assert "都一样" not in only.text, "one tick still waits for somebody to say what is true"
    assert "当现场登记的人录入" in only.text


def walk_in(client: FlaskClient, name: str, **more: str) -> Page:
    """Type in a walk-in from the blank side; returns the next page."""
    form = get(client, f"{DESK}/registrations/new?source=walk-in").form()
    answer = client.post(
        f"{DESK}/registrations/new", data={**form.fields, "name": name, "no_phone": "yes", **more}
    )
    return get(client, answer.headers["Location"]) if answer.status_code == 303 else Page(answer)


def test_walk_ins_typed_in_after_the_event_come_last_in_order(hall: House) -> None:
    fill_with(hall, 2)
    print_list(hall.signed_in("desmond"))
    hall.now = local("2030-06-10 13:00")
    desmond = hall.signed_in("desmond")
    assert "现场登记的人先录入" in get(desmond, f"{DESK}/paper").text
    saved = walk_in(desmond, "赵来")
    assert "赵来 ，录好了。" in saved.text
    assert "签到码" not in saved.text.partition("再录一位现场登记的人")[0], (
        "nothing is read to who has gone home"
    )
    walk_in(desmond, "安来")
    lines = print_history.paper_rows(reading(), hall.event())
    assert [(line.number, line.name) for line in lines[2:]] == [(3, "赵来"), (4, "安来")], (
        "not by name"
    )
    done = ticked(desmond, [lines[2].public_id], [lines[3].public_id], confirmed="yes")
    assert (done.data["data-came"], done.data["data-gifts"]) == ("2", "1")
    assert invariants.of_event(reading(), hall.event(), now=hall.now).holds


def test_a_walk_in_registered_days_before_is_told_time_and_place(hall: House) -> None:
    fill_with(hall, 1)
    saved = walk_in(hall.signed_in("desmond"), "赵来")
    assert "上午 8 点 45 分到 9 点签到" in saved.text
    hall.now = local("2030-06-10 08:45")
    at_the_door = walk_in(hall.signed_in("desmond"), "钱来")
    assert "钱来 ，录好了。" in at_the_door.text
    assert "签到码" in at_the_door.text.partition("再录一位")[0]


def test_after_the_event_only_walk_ins_can_be_registered(hall: House) -> None:
    hall.apply(toml(capacity=1, more="[waitlist]\nopen = true"))
    hall.now = local("2030-06-10 13:00")
    desmond = hall.signed_in("desmond")
    late = walk_in(desmond, "打电话的", source="phone")
    assert (late.status, "结束以后只能录入现场登记的人" in late.text) == (409, True)
    assert walk_in(desmond, "赵来").kind == "staff-registration"
    full = walk_in(desmond, "钱来")
    assert (full.status, "登记候补" in full.text) == (409, False), "nobody waits for what is over"
    assert walk_in(desmond, "钱来", waitlist="yes").status == 409
    hall.apply(toml(capacity=2))
    hall.now = local("2030-07-11 13:00")
    too_late = walk_in(hall.signed_in("desmond"), "孙来")
    assert (too_late.status, "活动已经结束" in too_late.text) == (409, True), (
        "nobody is written down to be forgotten"
    )
    assert hall.seats().taken == 1


def test_ids_of_another_event_are_ignored(hall: House) -> None:
    hall.apply(toml(slug="other"))
    stranger = hall.register("外人", slug="other")
    (theirs,) = attendee_list.of_registration(reading(), stranger.id)
    desmond = hall.signed_in("desmond")
    fill_with(hall, 1)
    tried = ticked(desmond, [theirs.public_id, "999", "0" * 32, "\0"], [])
    assert tried.data["data-changes"] == "0"
    assert "外人" not in tried.text
    hall.cancel(stranger)
    assert "外人" not in ticked(desmond, [theirs.public_id], []).text
