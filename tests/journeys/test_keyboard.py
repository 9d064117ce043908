"""Public pages without a mouse or without eyes: keyboard, mistakes in a form, screen readers."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import visitor
from tests.support.factories import ROOT
from tests.support.windows import LAPTOP, PHONE, kind, settle, window

pytestmark = pytest.mark.browser
ARIA = ROOT / "tests" / "aria"


def stops(page: Page) -> list[tuple[str, float]]:
    """Every stop of the Tab key: its place in the document, and the width of its focus ring."""
    page.evaluate("[...document.querySelectorAll('*')].forEach((e, place) => e.place = place)")
    found: list[tuple[str, float]] = []
    settle(page)
    for _ in range(60):
        page.keyboard.press("Tab")
        tag, place, ring = page.evaluate(
            "(e => [e.tagName, e.place, getComputedStyle(e).outlineWidth])(document.activeElement)"
        )
        if tag == "BODY" or (found and place == found[0][0]):
            break
        found.append((place, float(ring.removesuffix("px"))))
    return found


def test_the_tab_key_goes_down_the_page_with_a_visible_focus_ring(
    browser: Browser, site: Any
) -> None:
    guest = visitor(browser, site, LAPTOP, ("zh", "light", "standard"))
    for name, page in guest.on_the_way_to_a_ticket():
        page.wait_for_load_state()
        settle(page)
        found = stops(page)
        assert len(found) > 5, name
        places = [place for place, _ in found]
        assert places == sorted(places), f"{name}: the keyboard jumps"
        assert all(ring >= 2 for _, ring in found), f"{name}: a focus ring is too thin to see"


def test_mistakes_are_listed_first_with_the_focus_and_links_to_their_fields(
    browser: Browser, site: Any
) -> None:
    guest = visitor(browser, site, PHONE, ("zh", "light", "standard"))
    page = guest.fill("open", "", "1380013800")
    expect(page.locator("#errors")).to_be_focused()
    expect(page).to_have_title(re.compile("^请改一下："))
    assert page.locator("main > *").first.get_attribute("id") == "errors"
    said = page.locator("#errors a").all_text_contents()
    assert said == ["请填写参加人的姓名", "手机号要有 11 位数字，现在是 10 位"]
    assert page.locator("form .problem").all_text_contents() == said, "the same words at the field"
    for field in ("name", "phone"):
        page.locator(f"#errors a[href='#{field}']").click()
        expect(page.locator(f"#{field}")).to_be_focused()
        expect(page.locator(f"#{field}")).to_have_attribute(
            "aria-describedby", re.compile(f"{field}-problem")
        )
    assert page.locator("#phone").input_value() == "1380013800"


def heard(page: Page) -> str:
    """What a screen reader gets of the page, without what differs from run to run."""
    text = page.locator("body").aria_snapshot()
    text = re.sub(r"/T/[0-9A-Z]{26}", "/T/<ticket>", text)
    return re.sub(r"\b\d \d \d \d\b", "<code>", text) + "\n"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_screen_readers_get_what_the_files_in_aria_say(
    browser: Browser, site: Any, language: str
) -> None:
    guest = visitor(browser, site, PHONE, (language, "light", "standard"))
    wanted = {
        "event-open",
        "event-full-waiting",
        "form-open",
        "problems",
        "check",
        "ticket-couple",
        "ticket-waitlisted",
    }
    for name, page in guest.states(*wanted):
        wanted.remove(name)
        kept = ARIA / f"{name}.{language}.yml"
        assert heard(page) == kept.read_text(encoding="utf-8"), (
            f"{kept.name}: if the change is wanted, write it to the file"
        )
    assert wanted == set()


def test_from_the_form_to_the_cancelled_seat_without_scripts_and_by_keyboard(
    browser: Browser, site: Any
) -> None:
    page = window(browser, PHONE, scripts=False)
    page.goto(f"{site[0].address}/zh/events/open/register")
    settle(page)
    page.locator("#name").focus()
    page.keyboard.type("吴桂珍")
    page.keyboard.press("Tab")
    page.keyboard.type("13800138055")
    page.keyboard.press("Enter")
    kind(page, "check")
    settle(page)
    page.locator("button.main").focus()
    page.keyboard.press("Enter")
    kind(page, "ticket")
    for button in ("#listen", "#share", "#print"):
        expect(page.locator(button)).to_be_hidden()
    page.locator("a[href$='/change']").click()
    kind(page, "change")
    page.locator("#name").fill("吴桂真")
    page.locator("button.main").click()
    kind(page, "ticket")
    expect(page.locator(".ticket h2")).to_contain_text("吴桂真")
    page.locator("a[href$='/cancel']").click()
    kind(page, "cancel")
    page.locator("button.danger").click()
    kind(page, "cancelled")
