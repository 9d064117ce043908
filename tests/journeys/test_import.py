"""A clerk imports a list in a real browser: what each column is taken for, on a laptop and on a
telephone, in both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.proofs.conftest import WHOLE
from tests.support.factories import House, toml
from tests.support.servers import Server, running
from tests.support.windows import LAPTOP, PHONE, follow, kind, settle, sign_in, window

pytestmark = pytest.mark.browser
DESK = "/staff/events/small"
NEIGHBOURS = (
    "序号,提交答卷时间,1、您的姓名：,您孩子的手机,备注,同行人\n"
    "1,2030/6/1 9:00,李四,123,怕冷,无\n"
    "2,2030/6/1 9:05,王秀英,,坐前面,张建国\n"
    "3,2030/6/1 9:07,欧阳修,139 0013 8001,,\n"
)
SHORT = "姓名,手机\n李四,138 0013 8000\n"
GOOD = NEIGHBOURS.replace(",123,", ",138 0013 8000,")


@pytest.fixture
def server(house: House, folder: Path) -> Iterator[Server]:
    """A server with an event of fifty seats."""
    house.apply(toml(capacity=50))
    house.hire()
    with running(folder, EVENTREG_CLOCK="2030-06-05T09:30:00+08:00") as begun:
        yield begun


def desk(browser: Browser, server: Server, shape: object, language: str = "zh") -> Page:
    """Desmond at the page for imports."""
    page = window(browser, shape, scripts=False)
    sign_in(page, server, "desmond")
    page.goto(f"{server.address}{DESK}/import?lang={language}")
    return page


def send(page: Page, text: str) -> None:
    """Choose a file and press the button."""
    page.locator("#file").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    follow(page.locator("form", has=page.locator("#file")).locator("button"))
    kind(page, "staff-import")
    settle(page)


def press(page: Page, name: str) -> None:
    """Press a button and wait for the next page."""
    follow(page.get_by_role("button", name=name))
    settle(page)


def test_a_clerk_maps_two_columns_mends_a_number_and_imports(
    browser: Browser, server: Server
) -> None:
    page = desk(browser, server, LAPTOP)
    send(page, NEIGHBOURS)
    assert page.locator("main").get_attribute("data-undecided") == "2"
    expect(page.locator("textarea")).to_be_hidden()
    page.get_by_label("您孩子的手机").select_option(label="电话")
    press(page, "没选的列都不导入")
    told = page.locator('tr[data-row="2"]')
    expect(told).to_contain_text("123")
    expect(told).to_contain_text("这个号码好像不对")
    send(page, GOOD)
    page.get_by_label("您孩子的手机").select_option(label="电话")
    page.get_by_label("备注").select_option(label="不导入")
    press(page, "按这样再试一遍")
    expect(page.locator("main")).to_contain_text("2 人没有电话")
    press(page, "导入这 3 行")
    expect(page.locator("main")).to_have_attribute("data-done", "yes")
    page.goto(f"{server.address}{DESK}/attendees")
    expect(page.locator("main")).to_contain_text("张建国")
    page.goto(f"{server.address}{DESK}/attendees?q=8000")
    expect(page.locator("main")).to_contain_text("李四")


@pytest.mark.parametrize("shape", [PHONE, LAPTOP] if WHOLE else [PHONE])
def test_the_columns_can_be_read_and_pressed(
    browser: Browser, server: Server, shape: object, tmp_path: Path
) -> None:
    for language in ("zh", "en"):
        page = desk(browser, server, shape, language)
        for name, text in {"undecided": NEIGHBOURS, "good": SHORT}.items():
            send(page, text)
            page.screenshot(path=tmp_path / f"{name}-{language}.png", full_page=True)
            assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
            for pressed in page.locator(".taken select, main button").all():
                box = pressed.bounding_box()
                assert box is not None
                assert box["height"] >= 48
