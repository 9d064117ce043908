"""The card of surnames that sound alike, on the page for taking a call."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.factories import SECRET, House, toml
from tests.support.servers import running
from tests.support.windows import LAPTOP, sign_in, window

pytestmark = pytest.mark.browser


def card_for(page: Page, typed: str) -> list[str]:
    """The lines of the card while that is in the name's box."""
    page.locator("#name").fill(typed)
    lines = page.locator(".homophones > div")
    return [line.inner_text() for line in lines.all() if line.is_visible()]


def test_the_card_shows_the_surnames_that_sound_like_the_one_typed(
    browser: Browser, folder: Path
) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(toml())
        house.hire()
    house.close()
    with running(
        folder, EVENTREG_CLOCK="2030-06-03T10:00:00+08:00", EVENTREG_SECRET_KEY=SECRET
    ) as server:
        page = window(browser, LAPTOP)
        sign_in(page, server, "desmond")
        page.goto(f"{server.address}/staff/events/small/registrations/new")
        page.locator("#name").focus()
        everything = card_for(page, "")
        assert len(everything) == 6
        for typed, first in (("王小明", "王"), ("黄", "王"), ("hu da", "吴"), ("俞", "余")):
            (line,) = card_for(page, typed)
            assert line.startswith(first), typed
        assert card_for(page, "仇阿娣") == [], "no other surname sounds like it"
        assert not page.locator(".homophones").is_visible()
        assert card_for(page, "q") == everything, "not a whole surname yet"
