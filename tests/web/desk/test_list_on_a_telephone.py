"""The desk's list on a telephone: each person is a card, and nothing is cut off."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.factories import House, toml
from tests.support.servers import running
from tests.support.windows import PHONE, SMALLEST, sign_in, window

pytestmark = pytest.mark.browser
_CUT_OFF = """() => { const wide = document.querySelector('.wide');
  const edge = wide.getBoundingClientRect().right + 0.5;
  return [...wide.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > edge)
    .map(e => e.outerHTML.slice(0, 90)); }"""
"""What of the list is seen only by scrolling sideways."""


@pytest.fixture
def desk(folder: Path, browser: Browser) -> Iterator[Page]:
    """The list of a clerk with a telephone, with long names and all states."""
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=3))
        house.hire()
        house.register("张桂芳", phone="13800138000")
        house.register("阿卜杜拉·买买提江·伊布拉音", phone="13900139123")
        house.cancel(house.register("Margaret Johnson-Featherstone", phone="+44 20 7946 0018"))
        house.register("王建国", phone="13800138001")
        house.register("赵淑芬", waitlist=True, phone="13900139125")
    house.close()
    with running(folder) as server:
        page = window(browser, PHONE)
        sign_in(page, server, "desmond")
        page.goto(f"{server.address}/staff/events/small/attendees")
        yield page
        page.context.close()


def test_every_cell_of_the_list_is_seen_without_scrolling_sideways(desk: Page) -> None:
    for size in (PHONE["viewport"], SMALLEST["viewport"]):
        for language in ("zh", "en"):
            desk.set_viewport_size(size)
            desk.goto(f"{desk.url.split('?')[0]}?lang={language}")
            for row in desk.locator("[data-registration]").all():
                for cell in ("td.who", "td.phone", "td.source", "td.time", "td.state"):
                    box = row.locator(cell).bounding_box()
                    assert box, cell
                    assert box["x"] >= 0
                    assert box["x"] + box["width"] <= size["width"], (cell, size)
            assert desk.evaluate(_CUT_OFF) == [], size


def test_the_code_stands_beside_the_name(desk: Page) -> None:
    row = desk.locator("[data-registration]").filter(has_text="张桂芳")
    who, code = row.locator("td.who").bounding_box(), row.locator("td.code").bounding_box()
    assert who
    assert code
    assert abs(who["y"] - code["y"]) < who["height"]
    assert code["x"] >= who["x"] + who["width"] - 1
