"""Walk-ins, the people who wait at the door, and the release, by forms without a script."""

import pytest
from flask.testing import FlaskClient

from eventreg.core.desk import reports
from eventreg.core.models.door import DoorDevice
from eventreg.core.registration import tickets
from eventreg.storage.session import reading, transaction
from tests.core.door.mornings import arrive, check_sum, id_of, release, walk_in
from tests.support.factories import SECRET, House, local, toml
from tests.support.pages import Page, get

DOOR = "/door/small"
RELEASE = toml(capacity=4).replace(
    "closes_at = 09:00:00", "closes_at = 09:00:00\nrelease_at = 09:10:00"
)


@pytest.fixture
def morning(house: House) -> House:
    """9:10. Two of four people have come, a couple has not; one waits, one walked in."""
    house.apply(RELEASE)
    house.hire()
    house.register("张桂芳")
    house.register("王建国")
    house.couple = house.register("李秀英", "陈阿宝")  # type: ignore[attr-defined]
    house.register("钱大伟", waitlist=True)
    house.now = local("2030-06-10 08:50")
    arrive(house, "张桂芳", "王建国")
    walk_in(house, "赵一")
    house.now = local("2030-06-10 09:10")
    return house


@pytest.fixture
def dora(morning: House) -> FlaskClient:
    """The volunteer's telephone."""
    return morning.signed_in("dora")


def send(client: FlaskClient, page: Page, ending: str, **fields: object) -> Page:
    """Send the form of that page whose action ends so and which has these fields."""
    form = next(
        form
        for form in page.forms
        if form.action.endswith(ending)
        and all(form.fields.get(name) == value for name, value in fields.items())
    )
    answer = client.post(form.action, data=form.fields)
    return get(client, answer.headers["Location"]) if answer.status_code == 303 else Page(answer)


def test_a_walk_in_gets_a_number_and_the_page_says_how_many_seats_are_free(
    morning: House, dora: FlaskClient
) -> None:
    page = get(dora, f"{DOOR}/walk-ins")
    assert "空位 0 = 4 − 已到 2 − 还留着的 2" in page.text
    form = page.form("/walk-ins")
    typed = {**form.fields, "name": "周一"}
    for _ in range(2):  # the same form twice is one number
        got = get(dora, dora.post(form.action, data=typed).headers["Location"])
        assert "现场 2 号 · 周一" in got.text
        assert "现场等候第 3 位" in got.text
    nameless = Page(dora.post(form.action, data={**form.fields, "name": ""}))
    assert (nameless.status, nameless.kind) == (422, "door-walk-in")
    chair = {**page.form("/walk-ins").fields, "key": "c" * 32, "name": "吴一", "over": "chair"}
    assert "现场 3 号" in get(dora, dora.post(form.action, data=chair).headers["Location"]).text
    olga = morning.signed_in("olga")
    chair |= {**get(olga, f"{DOOR}/walk-ins").form("/walk-ins").fields, "name": "郑一"}
    got = get(olga, olga.post(form.action, data=chair).headers["Location"])
    assert "有座位，可以进去了" in got.text
    known = Page(dora.post(form.action, data={**typed, "key": "d" * 32, "name": "赵一"}))
    assert (known.status, "名单上有这个人" in known.text) == (409, True)
    check_sum(morning)


def test_the_release_by_form_and_the_calls_after_it(morning: House, dora: FlaskClient) -> None:
    assert "9:10 到了" in get(dora, f"{DOOR}/").text
    assert "9:10 到了" in get(morning.signed_in("desmond"), "/staff/events/small").text
    page = get(dora, f"{DOOR}/?q=钱大伟")
    assert "现场等候第 1 位" in send(dora, page, "/waiting", what="here").text
    page = get(dora, f"{DOOR}/release")
    assert (page.status, page.data["data-absent"]) == (200, "2")
    assert "让出以后先入座：钱大伟、赵一" in page.text
    form = page.form("/release")
    absent = [id_of("李秀英"), id_of("陈阿宝")]
    arrive(morning, "陈阿宝")  # at the other door, while Dora looks at this page
    answer = dora.post(form.action, data={**form.fields, "absent": ["", *absent]})
    line = get(dora, answer.headers["Location"])
    assert line.data["data-called"] == "1"
    assert "dora 9:10 让出了 1 个座位" in line.text
    for said in ("叫过 1 遍", "走了的"):
        line = send(dora, line, "/waiting", what="no-answer")
        assert said in line.text or line.data["data-called"] == "1"
    line = send(dora, line, "/waiting", what="in")
    assert line.data["data-called"] == "0"
    assert get(dora, f"{DOOR}/").data["data-arrived"] == "4"
    again = get(dora, f"{DOOR}/release")
    assert "dora 9:10 让出了 1 个座位" in again.text
    check_sum(morning)


def test_a_script_sends_the_proposal_of_a_door_and_reads_what_was_done(
    morning: House, dora: FlaskClient
) -> None:
    token = get(dora, f"{DOOR}/release").form("/release").fields["csrf_token"]
    asked = {"Accept": "application/json", "X-CSRF-Token": token}
    absent = [id_of("李秀英"), id_of("张桂芳"), "x"]
    morning.now = local("2030-06-10 09:09")
    early = dora.post(f"{DOOR}/release", data={"absent": absent}, headers=asked)
    assert (early.status_code, early.json) == (403, {"error": "release_too_early"})
    morning.now = local("2030-06-10 09:10")
    done = dora.post(f"{DOOR}/release", data={"absent": absent}, headers=asked)
    assert done.json == {
        "released": [id_of("李秀英")],
        "kept": [id_of("张桂芳")],
        "seated": [id_of("赵一")],
        "left": 0,
    }


def test_before_its_time_the_page_is_the_organisers(morning: House, dora: FlaskClient) -> None:
    morning.now = local("2030-06-10 09:09")
    page = get(dora, f"{DOOR}/release")
    assert (page.status, page.kind) == (403, "door-release")
    assert "9:10 起才能让出座位" in page.text
    refused = Page(dora.post(f"{DOOR}/release", data=page.form("/release").fields))
    assert (refused.status, "请负责人来按" in refused.text) == (403, True)
    assert get(morning.signed_in("olga"), f"{DOOR}/release").status == 200


def test_the_page_names_the_doors_that_are_silent(morning: House, dora: FlaskClient) -> None:
    with transaction() as session:
        for name, seen, unsent in (
            ("1 号台", "09:09", 0),
            ("2 号台", "08:52", 3),
            ("新", "", None),
        ):
            at = local(f"2030-06-10 {seen}") if seen else None
            session.add(
                DoorDevice(
                    event_id=morning.event().id, device=name, name=name, seen_at=at, unsent=unsent
                )
            )
    page = get(dora, f"{DOOR}/release")
    assert "2 号台 · 最后联系" in page.text
    assert "8:52 · 还有 3 条没上传" in page.text
    assert "新 · 还没联系过" in page.text
    assert "1 号台" not in page.text
    in_english = get(dora, f"{DOOR}/release?lang=en").text
    assert "Desk 2 · " in in_english, "nobody chose its name, so the page says it"
    assert "新 · " in in_english


def test_who_comes_late_reads_why_and_is_seated_or_first_in_line(
    morning: House, dora: FlaskClient
) -> None:
    ticket = f"/T/{tickets.token(SECRET, morning.couple.ticket_seed)}"  # type: ignore[attr-defined]
    release(morning)  # one seat goes to the walk-in, one is free
    reads = get(morning.client(), ticket).text
    assert "您的座位在 9:10 让给了现场等候的人。您来了，请到签到台，有空位先安排您。" in reads
    english = get(morning.client(), f"{ticket}?lang=en").text
    assert "Your seat went to people waiting in the hall at 9:10" in english
    assert "撤销" not in reads
    page = get(dora, f"{DOOR}/?q=李秀英")
    assert "座位 9:10 让给了等候的人" in page.text
    refused = Page(
        dora.post(f"{DOOR}/check-ins", data={**token(page), "attendee": id_of("陈阿宝")})
    )
    assert (refused.status, "座位 9:10 让给了等候的人" in refused.text) == (409, True)
    assert "签到成功" in send(dora, page, "/restores").text
    page = get(dora, f"{DOOR}/?q=陈阿宝")
    assert "现场等候第 1 位" in send(dora, page, "/restores").text
    partly = get(morning.client(), ticket).text
    assert "一位有座，一位候补" in partly
    check_sum(morning)


def token(page: Page) -> dict[str, str]:
    """The field that every form of the page has."""
    fields = next(form.fields for form in page.forms if "csrf_token" in form.fields)
    return {"csrf_token": fields["csrf_token"]}


def test_the_report_counts_who_was_released_as_a_no_show(morning: House) -> None:
    release(morning)
    arrive(morning, "赵一")
    report = reports.figures(reading(), morning.event())
    assert (report.registered, report.came, report.no_show, report.cancelled) == (5, 3, 2, 0)
    olga = morning.signed_in("olga")
    assert "没来，座位已让出" in get(olga, "/staff/events/small/attendees").text
    desk = f"/staff/events/small/registrations/{morning.couple.id}"  # type: ignore[attr-defined]
    assert "没来，座位已让出" in get(olga, desk).text


def test_the_words_read_back_say_until_when_the_seat_is_kept(morning: House) -> None:
    desk = f"/staff/events/small/registrations/{morning.couple.id}?read=1"  # type: ignore[attr-defined]
    assert "座位会让给现场等候的人" in get(morning.signed_in("desmond"), desk).text
