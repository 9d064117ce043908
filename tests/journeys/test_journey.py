"""From registering to checking in, in a real browser: on a telephone and on a laptop, with and
without scripts; and the printed list."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import create_engine

from tests.proofs.conftest import WHOLE
from tests.support.factories import SHIPPED, House
from tests.support.servers import Server, running
from tests.support.windows import LAPTOP, PHONE, kind, settle, sign_in, window

pytestmark = pytest.mark.browser
EVENT = "june-10-self-care"
LONGEST = (
    "阿卜杜热依木·买买提吐尔逊",
    "Wolfeschlegelsteinhausenbergerdorff",
    "字" * 40,
    "W" * 40,
    "王",
)


@pytest.fixture
def instance(folder: Path) -> Path:
    """A data folder with the June 10 lecture and its staff."""
    house = House(folder)
    with house.app.app_context():
        house.apply(SHIPPED.read_text(encoding="utf-8"))
        house.hire()
    house.close()
    return folder


@pytest.fixture
def before(instance: Path) -> Iterator[Server]:
    """A server on the Wednesday before the lecture."""
    with running(
        instance, EVENTREG_CLOCK="2030-06-05T10:00:00+08:00", EVENTREG_SECRET_KEY="k" * 20
    ) as server:
        yield server


def register(page: Page, server: Server, name: str, number: str) -> str:
    """Register from the start page. Returns the check-in code."""
    page.goto(f"{server.address}/zh/")
    page.locator("a.button").click()
    kind(page, "register")
    page.locator("#name").fill(name)
    page.locator("#phone").fill(number)
    page.locator("button.main").click()
    kind(page, "check")
    page.locator("button.main").first.click()
    kind(page, "ticket")
    return str(page.locator("[data-code]").first.get_attribute("data-code"))


BOTH = [(PHONE, True), (LAPTOP, False)]
"""In `make proofs` also a telephone without scripts and a laptop with them."""


def check_in_by_code(door: Page, code: str) -> None:
    """Type a code into the box of the door's script, and press Enter."""
    if door.locator(".sheet-open button.main").count():
        door.locator(".sheet-open button.main").click()  # how to ask people, on the first use
    expect(door.locator("main")).to_have_attribute("data-expected", "1")
    door.locator("#find").fill(code)
    door.locator("#find").press("Enter")
    expect(door.locator(".panel.ok")).to_contain_text("张桂芳")


@pytest.mark.parametrize(
    ("shape", "scripts"), [*BOTH, (PHONE, False), (LAPTOP, True)] if WHOLE else BOTH
)
def test_from_registration_to_check_in(
    browser: Browser, instance: Path, shape: Any, scripts: bool
) -> None:
    secret = {"EVENTREG_SECRET_KEY": "k" * 20}
    with running(instance, EVENTREG_CLOCK="2030-06-05T10:00:00+08:00", **secret) as server:
        code = register(window(browser, shape, scripts=scripts), server, "张桂芳", "138 0013 8000")
        desk = window(browser, shape, scripts=scripts)
        sign_in(desk, server, "desmond")
        desk.goto(f"{server.address}/staff/events/{EVENT}/attendees?q=zgf")
        expect(desk.locator("tr[data-registration]")).to_have_count(1)
        desk.goto(f"{server.address}/staff/events/{EVENT}/check-in-list")
        expect(desk.locator("td.c").first).to_have_text(code)
    with running(instance, EVENTREG_CLOCK="2030-06-10T08:46:00+08:00", **secret) as server:
        door = window(browser, shape, scripts=scripts)
        sign_in(door, server, "dora")
        door.goto(f"{server.address}/door/{EVENT}/")
        settle(door)
        if scripts:
            check_in_by_code(door, code)
        else:
            door.locator("#q").fill(code)
            with door.expect_navigation():
                door.locator("#q").press("Enter")
            expect(door.locator("li[data-attendee]")).to_have_count(1)
            door.locator("li[data-attendee] button").click()
            expect(door.locator(".panel.ok")).to_contain_text("张桂芳")
        expect(door.locator("main")).to_have_attribute("data-arrived", "1")


def test_staff_pages_pass_axe(browser: Browser, before: Server) -> None:
    page = window(browser, LAPTOP)
    register(window(browser, PHONE), before, "张桂芳", "13800138000")
    sign_in(page, before, "olga")
    options = {
        "runOnly": {
            "type": "tag",
            "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
        },
        "resultTypes": ["violations"],
    }
    desk = f"/staff/events/{EVENT}"
    for path in (
        "/staff/",
        desk,
        f"{desk}?audit=check",
        f"{desk}/attendees",
        f"{desk}/registrations/new",
        f"{desk}/registrations/1?read=1",
        f"{desk}/registrations/1/erase",
        f"{desk}/calls?anyway=yes",
        f"{desk}/numbers",
        f"{desk}/paper",
        f"{desk}/import",
        f"{desk}/duplicates",
        f"{desk}/report",
        f"{desk}/audit",
        f"{desk}/forget",
        f"{desk}/telephones",
        f"{desk}/elsewhere",
        f"{desk}/ready",
        f"{desk}/owed-gifts",
        f"{desk}/to-settle",
        f"{desk}/edit",
        "/staff/events/new",
        "/staff/accounts",
        "/staff/me",
        "/staff/password",
        f"/door/{EVENT}/",
        f"/door/{EVENT}/gifts",
        f"/door/{EVENT}/walk-ins",
        f"/door/{EVENT}/waiting",
        f"/door/{EVENT}/release",
    ):
        page.goto(before.address + path)
        faults = Axe().run(page, options=options).response["violations"]
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in faults] == [], path
        page.set_viewport_size({"width": 360, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (
            f"{path} scrolls sideways"
        )
        page.set_viewport_size({"width": 1280, "height": 800})


def test_public_pages_request_no_other_address(browser: Browser, before: Server) -> None:
    page = window(browser, PHONE)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    console: list[str] = []
    page.on("console", lambda message: console.append(message.text))
    register(page, before, "张桂芳", "13800138000")
    assert all(url.startswith(before.address) for url in requested)
    assert [
        url
        for url in requested
        if not re.search(r"/(zh/|T/)", url) and not url.endswith("/favicon.ico")
    ] == []
    assert console == [], "the content security policy blocks nothing that the pages need"
    assert page.context.cookies() == []
    fonts = page.context.new_cdp_session(page)
    fonts.send("DOM.enable")
    fonts.send("CSS.enable")
    root = fonts.send("DOM.getDocument")["root"]["nodeId"]
    node = fonts.send("DOM.querySelector", {"nodeId": root, "selector": "h1"})["nodeId"]
    used = {
        font["familyName"]
        for font in fonts.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    }
    assert any("CJK" in family for family in used), (
        f"without a Chinese font these tests see boxes instead of characters: {used}"
    )


def fill_up(instance: Path, people: int) -> None:
    """Register that many people, first those with the longest names."""
    house = House(instance, EVENTREG_SECRET_KEY="k" * 20)
    with house.app.app_context():
        for number in range(people):
            long = LONGEST[number] if number < len(LONGEST) else f"王桂{number}"
            house.register(long, slug=EVENT)
    house.close()


@pytest.mark.parametrize(
    ("people", "pages"), [(0, 2), (25, 2), (26, 3), (50, 3)] if WHOLE else [(26, 3)]
)
def test_the_list_prints_twenty_five_to_a_side(
    browser: Browser, instance: Path, tmp_path: Path, people: int, pages: int
) -> None:
    fill_up(instance, people)
    with running(
        instance, EVENTREG_CLOCK="2030-06-07T16:30:00+08:00", EVENTREG_SECRET_KEY="k" * 20
    ) as server:
        page = window(browser, {**LAPTOP, "color_scheme": "dark"})
        sign_in(page, server, "desmond")
        page.goto(f"{server.address}/staff/events/{EVENT}/check-in-list")
        expect(page.locator("#print")).to_be_visible()
        paper = tmp_path / "list.pdf"
        page.pdf(path=paper, prefer_css_page_size=True)
    info = subprocess.run(
        ["pdfinfo", str(paper)], capture_output=True, text=True, check=True
    ).stdout
    assert re.search(rf"^Pages: +{pages}$", info, re.M), info
    assert "A4" in info
    sides = [side_of(paper, side) for side in range(1, pages + 1)]
    rows = [side.count("□") // 2 for side in sides]
    assert rows == [
        *(25 for _ in range(people // 25)),
        *([people % 25] if people % 25 or not people else []),
        20,
    ]
    assert f"第 {pages} 面，共 {pages} 面" in sides[-1]


def side_of(paper: Path, side: int) -> str:
    """The text on one side of the paper."""
    command = ["pdftotext", "-f", str(side), "-l", str(side), "-layout", str(paper), "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_double_click_on_the_last_button_makes_one_registration(
    browser: Browser, before: Server, instance: Path
) -> None:
    page = window(browser, PHONE)
    page.goto(f"{before.address}/zh/events/{EVENT}/register")
    page.locator("#name").fill("张桂芳")
    page.locator("#phone").fill("13800138000")
    page.locator("button.main").click()
    kind(page, "check")
    page.locator("button.main").first.dblclick()
    kind(page, "ticket")
    page.reload()
    kind(page, "ticket")
    engine = create_engine(f"sqlite:///{instance / 'eventreg.sqlite3'}")
    with engine.connect() as database:
        assert database.exec_driver_sql("SELECT count(*) FROM registrations").scalar() == 1
    engine.dispose()
