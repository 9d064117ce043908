"""A volunteer hands out gifts at the exit, on a telephone and without a script."""

import pytest
from flask.testing import FlaskClient

from tests.support.factories import House, local, toml
from tests.support.pages import Form, Page, get

TABLE = "/door/small/gifts"
OWED = "/staff/events/small/owed-gifts"
TEA = '[gift]\ntext = { zh = "茶", en = "Tea" }\nstock = 2\n'


@pytest.fixture
def morning(house: House) -> House:
    """8:47 on the day, two gifts in stock. A couple and two more people are expected."""
    house.apply(toml(capacity=5, more=TEA))
    house.hire()
    house.register("张桂芳", "王建国", phone="13800138000")
    house.register("曾秀英", phone="13900139123")
    house.register("黄美康")
    house.now = local("2030-06-10 08:47")
    return house


@pytest.fixture
def dora(morning: House) -> FlaskClient:
    """The volunteer's telephone."""
    return morning.signed_in("dora")


def arrive(dora: FlaskClient, *people: str) -> None:
    """Check them in on the door page."""
    for name in people:
        page = get(dora, f"/door/small/?q={name}")
        answer = dora.post("/door/small/check-ins", data=page.form("/check-ins").fields)
        assert answer.status_code == 303


def row(page: Page, name: str) -> str:
    """The HTML of this person's row."""
    found = [part for part in page.html.split("<li ")[1:] if f">{name}</b>" in part]
    return found[0].split("</li>")[0]


def buttons(page: Page, name: str, ending: str = "/gifts") -> list[Form]:
    """The forms of this person with such an action."""
    attendee = row(page, name).split('data-attendee="')[1][:32]
    return [
        form
        for form in page.forms
        if form.action.endswith(ending) and form.fields.get("attendee") == attendee
    ]


def press(dora: FlaskClient, form: Form) -> Page:
    """Press a button. Returns the page that follows."""
    answer = dora.post(form.action, data=form.fields)
    return get(dora, answer.headers["Location"]) if answer.status_code == 303 else Page(answer)


def give(dora: FlaskClient, name: str) -> Page:
    """Give this person a gift on the page of the table."""
    return press(dora, buttons(get(dora, TABLE), name)[0])


def test_only_people_who_came_are_listed_and_one_press_gives_the_gift(
    morning: House, dora: FlaskClient
) -> None:
    assert "还没有人签到" in get(dora, TABLE).text
    arrive(dora, "曾秀英", "张桂芳")
    page = get(dora, TABLE)
    assert len(page.having("data-attendee")) == 2
    assert "王建国" not in page.text
    assert page.kind == "door-gifts"
    done = press(dora, buttons(page, "曾秀英")[0])
    assert "曾秀英 礼品已领" in done.text
    assert "已发 1 · 剩余 1 · 待补 0" in done.text
    assert (done.data["data-given"], done.data["data-left"]) == ("1", "1")
    assert "☑ 8:47 已领" in " ".join(row(done, "曾秀英").replace("</span>", " ").split())
    assert buttons(done, "曾秀英") == [], "who has a gift has no button for one"


def test_the_second_try_says_when_the_gift_was_given(morning: House, dora: FlaskClient) -> None:
    arrive(dora, "曾秀英")
    form = buttons(get(dora, TABLE), "曾秀英")[0]
    press(dora, form)
    morning.now = local("2030-06-10 11:03")
    again = press(dora, form)
    assert "曾秀英 8:47 已领" in again.text.split("姓名、拼音")[0]
    assert again.data["data-given"] == "1"


def test_the_gift_of_the_companion_is_one_more_tap(morning: House, dora: FlaskClient) -> None:
    arrive(dora, "张桂芳")
    page = give(dora, "张桂芳")
    assert "同来的还有 王建国 · 还没签到" in page.text
    assert page.text.count("一起领") == 0
    press(dora, page.form("/undo"))
    arrive(dora, "王建国")
    page = give(dora, "张桂芳")
    together = next(form for form in page.forms if form.action.endswith("/gifts"))
    done = press(dora, together)
    assert "王建国 礼品已领" in done.text
    assert "同来的还有 张桂芳 · 8:47 已领" in done.text
    assert done.data["data-given"] == "2"


def test_a_gift_is_taken_back_once_and_only_by_its_own_form(
    morning: House, dora: FlaskClient
) -> None:
    arrive(dora, "曾秀英", "张桂芳")
    undo = give(dora, "曾秀英").form("/undo")
    other = buttons(get(dora, TABLE), "张桂芳")[0].fields["attendee"]
    wrong = dora.post(undo.action, data={**undo.fields, "attendee": other})
    assert (wrong.status_code, get(dora, TABLE).data["data-given"]) == (404, "1")
    assert "已撤销，礼品算没领" in press(dora, undo).text
    give(dora, "曾秀英")
    assert press(dora, undo).data["data-given"] == "1", "the old form leaves the new gift alone"
    assert dora.post(f"{TABLE}/99/undo", data=undo.fields).status_code == 404


def test_who_has_not_come_is_named_by_a_search_and_gets_no_gift(
    morning: House, dora: FlaskClient
) -> None:
    arrive(dora, "曾秀英")
    page = get(dora, f"{TABLE}?q=张桂芳")
    assert "还没签到： 张桂芳" in page.text
    assert page.having("data-attendee") == []
    token = page.form("/sign-out").fields
    attendee = get(dora, "/door/small/?q=张桂芳").form("/check-ins").fields["attendee"]
    refused = Page(dora.post(TABLE, data={**token, "attendee": attendee}))
    assert (refused.status, refused.data["data-given"]) == (409, "0")
    assert "张桂芳 还没签到，先签到再领" in refused.text


def test_a_search_finds_people_as_the_door_does(morning: House, dora: FlaskClient) -> None:
    arrive(dora, "曾秀英", "张桂芳")
    for query in ("zxy", "9123", "曾"):
        assert len(get(dora, f"{TABLE}?q={query}").having("data-attendee")) == 1, query
    assert "没找到，换个写法再查" in get(dora, f"{TABLE}?q=xyzzy").text


@pytest.mark.parametrize("attendee", ["", "1", "x" * 32, "0" * 32, "٣", "\0"])
def test_a_form_without_a_known_person_is_404(
    morning: House, dora: FlaskClient, attendee: str
) -> None:
    token = get(dora, TABLE).form("/sign-out").fields
    for address in (TABLE, f"{TABLE}/owed"):
        answer = Page(dora.post(address, data={**token, "attendee": attendee}))
        assert (answer.status, answer.kind) == (404, "door-gifts")


def test_a_person_of_another_event_gets_nothing_here(morning: House, dora: FlaskClient) -> None:
    arrive(dora, "曾秀英")
    form = buttons(get(dora, TABLE), "曾秀英")[0]
    morning.apply(toml(slug="other", more=TEA))
    for address in ("/door/other/gifts", "/door/other/gifts/owed"):
        assert dora.post(address, data=form.fields).status_code == 404
    assert get(dora, TABLE).data["data-given"] == "0"


def test_if_none_is_left_the_desk_learns_who_gets_one_later(
    morning: House, dora: FlaskClient
) -> None:
    arrive(dora, "张桂芳", "王建国", "曾秀英", "黄美康")
    give(dora, "张桂芳")
    page = give(dora, "王建国")
    assert "礼品发完了，登记补领" in page.text
    assert "曾秀英 已登记补领" in press(dora, buttons(page, "曾秀英", "/owed")[0]).text
    page = press(dora, buttons(page, "黄美康", "/owed")[0])
    assert page.data["data-owed"] == "2"
    undone = next(form for form in page.forms if form.fields.get("act") == "cross-out")
    assert "不再补领" in press(dora, undone).text
    press(dora, buttons(page, "黄美康", "/owed")[0])

    desmond = morning.signed_in("desmond")
    assert "待补礼品：1 人" in get(desmond, "/staff/events/small").text
    listed = get(desmond, OWED)
    assert "曾秀英" in listed.text
    assert "13900139123" not in listed.html
    form = listed.form()
    sent = {**form.fields, "act": "given"}
    assert desmond.post(OWED, data=sent).status_code == 303
    assert desmond.post(OWED, data=sent).status_code == 303, "twice is once"
    assert "没有要补的礼品" in get(desmond, OWED).text
    assert get(desmond, TABLE).data["data-given"] == "3"
    assert dora.get(OWED).status_code == 403, "the list is the desk's"


def test_the_desk_crosses_out_a_gift_that_nobody_wants(morning: House, dora: FlaskClient) -> None:
    arrive(dora, "曾秀英")
    page = get(dora, TABLE)
    attendee = buttons(page, "曾秀英")[0].fields
    dora.post(f"{TABLE}/owed", data=attendee)
    desmond = morning.signed_in("desmond")
    form = get(desmond, OWED).form()
    desmond.post(OWED, data={**form.fields, "act": "cross-out"})
    assert get(dora, TABLE).data["data-owed"] == "0"
    assert get(dora, TABLE).data["data-given"] == "0"


def test_who_has_a_gift_is_owed_none(morning: House, dora: FlaskClient) -> None:
    arrive(dora, "曾秀英")
    form = buttons(get(dora, TABLE), "曾秀英")[0]
    press(dora, form)
    page = get(dora, dora.post(f"{TABLE}/owed", data=form.fields).headers["Location"])
    assert "曾秀英 8:47 已领" in page.text
    assert page.data["data-owed"] == "0"


def test_few_gifts_are_told_to_the_table(morning: House, dora: FlaskClient) -> None:
    assert "礼品只剩 2 份" in get(dora, TABLE).text
    morning.apply(toml(capacity=5, more=TEA.replace("2\n", "6\n")))
    assert "只剩" not in get(dora, TABLE).text


def test_where_check_in_gives_the_gift_the_table_has_nothing_to_do(
    morning: House, dora: FlaskClient
) -> None:
    morning.apply(toml(capacity=5, more=f"{TEA}at_check_in = true\n"))
    arrive(dora, "曾秀英")
    page = get(dora, TABLE)
    assert "签到即领" in page.text
    assert page.data["data-given"] == "1"
    door = get(dora, "/door/small/?q=曾秀英")
    press(dora, door.form("/undo"))
    assert get(dora, TABLE).data["data-given"] == "0"


def test_the_dashboard_and_the_report_count_what_the_doors_did(
    morning: House, dora: FlaskClient
) -> None:
    olga = morning.signed_in("olga")
    morning.now = local("2030-06-10 08:00")
    assert "签到情况" not in get(olga, "/staff/events/small").text
    morning.now = local("2030-06-10 08:47")
    arrive(dora, "张桂芳", "王建国", "曾秀英")
    give(dora, "曾秀英")
    page = get(olga, "/staff/events/small")
    assert "签到情况" in page.text
    assert "已到 3 / 4" in page.text
    assert "每分钟 3 人 · 照这样还要 1 分钟" in page.text
    assert "网页表单 3" in page.text
    assert "已发 1 · 剩余 1" in page.text
    assert "每分钟 3 人" in get(dora, "/door/small/").text
    attendee = buttons(get(dora, TABLE), "张桂芳")[0].fields
    dora.post(f"{TABLE}/owed", data=attendee)
    report = get(olga, "/staff/events/small/report")
    assert (report.data["data-gifts"], report.data["data-owed"]) == ("1", "1")
