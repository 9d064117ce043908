"""Whom the door knows: who is in, who waits, who cancelled; and buttons that a second press cannot
confuse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Locator, Page, expect

from tests.proofs.conftest import WHOLE
from tests.support import pages
from tests.support.factories import House, local, toml
from tests.support.pages import get
from tests.support.servers import running
from tests.support.windows import LAPTOP, PHONE, SMALLEST, follow, kind, settle, sign_in, window

DOOR, DESK = "/door/small/", "/staff/events/small"
BROWN = "rgb(111, 60, 0)"


def fill(house: House) -> None:
    """A couple, two people without a telephone, one who cancelled, and two who wait."""
    house.apply(toml(capacity=5))
    house.hire()
    house.register("张桂芳", "王建国", phone="13800138000")
    house.register("王秀英", source="phone", phone="")
    house.register("徐英", source="phone", phone="")
    gone = house.register("欧阳秀英", phone="13900139123")
    house.cancel(gone)
    house.register("曾秀英", phone="13900139124")
    house.register("赵秀英", waitlist=True, phone="13900139125")
    house.register("钱秀英", "钱大伟", waitlist=True, phone="13900139126")
    house.now = local("2030-06-10 08:47")


@pytest.fixture
def morning(house: House) -> House:
    """It is 8:47 on the day."""
    fill(house)
    return house


@pytest.fixture
def door(folder: Path, browser: Browser) -> Iterator[Page]:
    """The volunteer's telephone at a real server, at 8:47 on the day. It shows the page that works
    without the door's script."""
    house = House(folder)
    with house.app.app_context():
        fill(house)
    house.close()
    with running(folder, EVENTREG_CLOCK="2030-06-10T08:47:00+08:00") as server:
        page = window(browser, PHONE)
        page.context.route("**/door/assets/**", lambda route: route.abort())
        sign_in(page, server, "dora")
        page.locator(".button.main").click()
        kind(page, "door")
        yield page
        page.context.close()


def search(page: Page, query: str) -> None:
    """Type into the search box and press Enter."""
    settle(page)
    page.locator("#q").fill(query)
    with page.expect_navigation():
        page.locator("#q").press("Enter")


def row(page: Page, name: str) -> Locator:
    """The row of a person."""
    return page.locator("[data-attendee]").filter(has=page.get_by_text(name, exact=True))


def sides(buttons: Locator) -> list[tuple[float, float]]:
    """Where each button begins and ends on its line."""
    boxes = [one.bounding_box() for one in buttons.all()]
    return [(box["x"], box["x"] + box["width"]) for box in boxes if box]


@pytest.mark.browser
def test_a_known_person_is_an_amber_card_after_a_search(door: Page) -> None:
    row(door, "王秀英").locator(".in button").click()
    expect(door.locator(".panel.ok")).to_contain_text("王秀英")
    search(door, "xy")
    said = {
        "王秀英": "8:47 已经签到",
        "欧阳秀英": "已取消报名",
        "赵秀英": "候补第 1 位",
        "钱秀英": "候补第 2 位",
    }
    for name, words in said.items():
        card = row(door, name)
        expect(card).to_contain_text(f"! {words}" if name != "欧阳秀英" else words)
        expect(card).to_have_css("background-color", BROWN)
        expect(card.locator(".in button")).to_have_count(0)
    expected = row(door, "曾秀英")
    expect(expected).not_to_have_css("background-color", BROWN)
    expect(expected.locator(".in button")).to_have_count(1)
    expect(row(door, "王秀英").locator(".undo button")).to_be_visible()


@pytest.mark.browser
def test_undoing_never_stands_where_checking_in_stood(door: Page) -> None:
    """Whatever is pressed twice in a hurry, the second press takes nothing back."""
    sizes: list[Any] = [shape["viewport"] for shape in (PHONE, SMALLEST, LAPTOP)]
    for size in sizes if WHOLE else sizes[:1]:
        door.set_viewport_size(size)
        for language in ("zh", "en"):
            check_in, undo = list[tuple[float, float]](), list[tuple[float, float]]()
            door.goto(
                f"{door.url.split('?')[0].split('/check-ins')[0].rstrip('/')}/?lang={language}"
            )
            check_in += sides(door.locator(".in button"))
            for name in ("张桂芳", "王建国"):
                follow(row(door, name).locator(".in button"))
                check_in += sides(door.locator(".in button"))
                undo += sides(door.locator(".undo button"))
            search(door, "zgf")
            undo += sides(door.locator(".undo button"))
            assert max(right for _, right in undo) < min(left for left, _ in check_in), size
            for name in ("张桂芳", "王建国"):
                search(door, name)
                follow(row(door, name).locator(".undo button"))


@pytest.mark.browser
def test_a_double_press_on_check_in_leaves_the_person_checked_in(door: Page) -> None:
    button = row(door, "曾秀英").locator(".in button")
    box = button.bounding_box()
    assert box
    follow(button)
    settle(door)
    door.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(door)  # a press that leads to another page has now begun to
    door.wait_for_load_state()
    search(door, "zxy")
    expect(row(door, "曾秀英")).to_contain_text("已经签到")


@pytest.mark.browser
def test_nothing_is_broken_at_the_bottom_of_the_page(door: Page) -> None:
    button = door.locator("footer button")
    box = button.bounding_box()
    assert box
    assert box["width"] > 34, "退出 stands on one line"
    assert box["height"] < 60


def test_a_row_has_no_dangling_words(morning: House) -> None:
    """Not everybody has a telephone, and who waits has no code."""
    page = get(morning.signed_in("dora"), f"{DOOR}?q=xy")
    small = [text.split("</small>")[0] for text in page.html.split("<small>")[1:]]
    assert len(small) == 6
    assert not [
        text for text in small if text.strip().startswith("·") or text.strip().endswith("·")
    ]
    assert not [text for text in small if text.strip().endswith("尾号")]


def test_every_link_of_the_door_leads_somewhere(morning: House) -> None:
    """Also on the page that answers a refused press."""
    for name in ("dora", "desmond"):
        client = morning.signed_in(name)
        form = next(form for form in get(client, DOOR).forms if form.fields.get("attendee"))
        refused = pages.Page(client.post(form.action, data={**form.fields, "attendee": "nobody"}))
        for page in (get(client, DOOR), get(client, f"{DOOR}?q=xy"), refused):
            for link in page.having("href"):
                address = str(link["href"])
                if not address.startswith("#"):
                    assert get(client, address).status == 200, (name, address)


def test_a_paired_telephone_is_not_sent_to_pages_that_only_lead_back(morning: House) -> None:
    desk, telephone = morning.signed_in("desmond"), morning.client()
    offer = get(desk, f"{DESK}/telephones")
    made = pages.Page(
        desk.post(offer.form().action or f"{DESK}/telephones", data=offer.form().fields)
    )
    path = next(word for word in made.text.split() if "/staff/pair/" in word)
    path = path[path.index("/staff/pair/") :]
    telephone.post(path, data=get(telephone, path).form().fields)
    page = get(telephone, DOOR)
    assert page.kind == "door"
    assert "书法课" in page.text
    assert "/staff/" not in [link["href"] for link in page.having("href")]


@pytest.mark.parametrize("name", ["dora", "desmond"])
def test_everybody_at_the_door_may_register_a_walk_in(morning: House, name: str) -> None:
    client = morning.signed_in(name)
    for address in (DOOR, f"{DOOR}?q=qqq", f"{DOOR}?q=oyxy"):
        links = [str(link["href"]) for link in get(client, address).having("href")]
        assert f"{DOOR}walk-ins" in links, address


def test_a_name_with_one_wrong_letter_is_offered_and_can_be_checked_in(morning: House) -> None:
    dora = morning.signed_in("dora")
    page = get(dora, f"{DOOR}?q=zhangguifamg")
    assert "没有“zhangguifamg”，看看写法相近的。" in page.text
    assert len(page.having("data-attendee")) == 1
    assert page.form("/check-ins").fields["attendee"]


def test_names_that_sound_alike_are_offered_below(morning: House) -> None:
    page = get(morning.signed_in("dora"), f"{DOOR}?q=黄建国")
    assert "没找到" not in page.text
    assert "读音相近 王建国" in page.text


def walk_in(client: FlaskClient) -> pages.Page:
    """The form for a walk-in, as the door's link opens it."""
    return get(client, f"{DESK}/registrations/new?source=walk-in")


def test_a_walk_in_has_its_own_heading_and_needs_no_number(morning: House) -> None:
    morning.cancel(1)
    desmond = morning.signed_in("desmond")
    page = walk_in(desmond)
    assert "现场登记" in page.text
    assert "手机或固定电话（可以不填）" in page.text
    form = page.form()
    saved = desmond.post(
        form.action or f"{DESK}/registrations/new", data={**form.fields, "name": "周来"}
    )
    assert saved.status_code == 303
    read = get(desmond, saved.headers["Location"])
    assert "周来" in read.text
    assert "现场" in read.text


def test_a_call_still_needs_a_number_or_the_word_that_there_is_none(morning: House) -> None:
    desmond = morning.signed_in("desmond")
    form = get(desmond, f"{DESK}/registrations/new").form()
    address = f"{DESK}/registrations/new"
    assert desmond.post(address, data={**form.fields, "name": "周来"}).status_code == 422


def test_a_walk_in_with_a_wrong_number_stays_a_walk_in(morning: House) -> None:
    desmond = morning.signed_in("desmond")
    sent = {**walk_in(desmond).form().fields, "name": "周来", "phone": "123"}
    page = pages.Page(desmond.post(f"{DESK}/registrations/new", data=sent))
    assert page.status == 422
    assert "现场登记" in page.text
    assert page.form().fields["source"] == "walk-in"
