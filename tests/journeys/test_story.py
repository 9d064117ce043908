"""The June 10 lecture in the order of events, from the first registration to three arrivals."""

import pytest

from tests.support.factories import PASSWORD, SHIPPED, House, local
from tests.support.pages import Page, book, fill, get, sign_in

pytestmark = pytest.mark.both_databases

EVENT = "june-10-self-care"
DESK = f"/staff/events/{EVENT}"
DOOR = f"/door/{EVENT}/"


def test_the_june_10_lecture(house: House) -> None:
    """Fifty seats, a couple, a fifty-first person, a printed list, and check-in at the door."""
    house.apply(SHIPPED.read_text(encoding="utf-8"))
    house.hire()
    daughter, desmond, dora = house.client(), house.client(), house.client()

    # In the week before, people register online, some with a companion ...
    for couple in range(20):
        answer = book(
            daughter,
            EVENT,
            name=f"王桂{couple}",
            companion_1=f"陈阿{couple}",
            phone=f"138{couple:08d}",
        )
        assert answer.status_code == 303
    # ... and by telephone, where Desmond registers them.
    sign_in(desmond, "desmond", PASSWORD)
    for caller in range(9):
        taken = fill(
            desmond, f"{DESK}/registrations/new", name=f"曾秀{caller}", phone=f"139{caller:08d}"
        )
        assert get(desmond, taken.headers["Location"]).text.count("报好了") == 1
    assert (
        get(daughter, f"/zh/events/{EVENT}").having("data-seats-left")[0]["data-seats-left"] == "1"
    )
    assert "还剩 1 个名额" in get(daughter, "/zh/").text

    # Otto opens the form while one seat is left, and is called away from it.
    guest_form = house.client()
    open_form = get(guest_form, f"/en/events/{EVENT}/register").form("/register").fields

    # A couple tries for the last single seat. Neither is registered, what they typed is kept, and
    # the page says what they can do.
    couple_page = Page(book(daughter, EVENT, name="张桂芳", companion_1="李国强", phone="56116778"))
    assert (couple_page.status, couple_page.kind) == (409, "full")
    assert "现在只剩 1 个座位" in couple_page.text
    alone = next(
        form
        for form in couple_page.forms
        if form.method == "post" and "companion-1" not in form.fields
    )
    checked = Page(daughter.post(alone.action, data=alone.fields))
    booked = daughter.post(alone.action, data=checked.form("/register").fields)
    ticket = get(daughter, booked.headers["Location"])
    assert "张桂芳" in ticket.text
    code = str(ticket.having("data-code")[0]["data-code"])

    # Otto comes back as the fifty-first person, and reads that the event is full, and whom to call.
    late = Page(
        guest_form.post(
            f"/en/events/{EVENT}/register",
            data={**open_form, "name": "Otto Lin", "phone": "56116779"},
        )
    )
    assert (late.status, late.kind) == (409, "full")
    assert late.form("/register").fields["name"] == "Otto Lin"
    assert "All seats are taken" in late.text
    assert "0574-56116778" in late.text
    dashboard = get(desmond, DESK)
    assert (dashboard.data["data-taken"], dashboard.data["data-capacity"]) == ("50", "50")

    # On the Friday before, Desmond prints the list: two sides with names and one for walk-ins.
    house.now = local("2030-06-07 16:30")
    sign_in(desmond, "desmond", PASSWORD)
    paper = get(desmond, f"{DESK}/check-in-list")
    assert paper.html.count("<section>") == 3
    assert paper.html.count("□") == 2 * (50 + 20)
    assert "第 2 面，共 3 面" in paper.text
    assert (
        paper.text.index("陈阿0")
        < paper.text.index("王桂0")
        < paper.text.index("曾秀0")
        < paper.text.index("张桂芳")
    )

    # Monday, 8:46: Dora checks in Zhang Guifang by her code, then a couple together.
    house.now = local("2030-06-10 08:46")
    sign_in(dora, "dora", PASSWORD)
    assert "0 / 50" in get(dora, DOOR).text
    first = press(dora, get(dora, f"{DOOR}?q={code}"))
    assert "张桂芳 签到成功" in first.text
    second = press(dora, get(dora, f"{DOOR}?q=王桂0"))
    assert "同来的还有 陈阿0" in second.text
    third = press(dora, second)
    assert "3 / 50" in third.text

    # That was the wrong Chen. She undoes it, and the row stays.
    undo = next(form for form in third.forms if form.action.endswith("/undo"))
    undone = get(dora, dora.post(undo.action, data=undo.fields).headers["Location"])
    assert "陈阿0 已撤销签到" in undone.text
    assert (undone.data["data-arrived"], undone.data["data-expected"]) == ("2", "50")
    sign_in(desmond, "desmond", PASSWORD)  # Friday's session has ended
    history = get(desmond, f"{DESK}/registrations/1").text
    assert "dora · 签到 · 王桂0" in history
    assert "dora · 撤销签到 · 陈阿0" in history


def press(dora: object, page: Page) -> Page:
    """Press the first check-in button. Returns the page that follows."""
    form = next(form for form in page.forms if form.action.endswith("/check-ins"))
    answer = dora.post(form.action, data=form.fields)  # type: ignore[attr-defined]
    return get(dora, answer.headers["Location"])  # type: ignore[arg-type]
