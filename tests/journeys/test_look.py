"""How public pages look in a real browser: sizes, contrast, and room on each screen."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.conftest import visitor
from tests.proofs.conftest import WHOLE
from tests.support.windows import (
    LAPTOP,
    PHONE,
    SIZES,
    SMALLEST,
    TABLET,
    Visitor,
    faults,
    measured,
    sideways,
)

pytestmark = pytest.mark.browser
ALL_WAYS = [
    (language, scheme, size)
    for language in ("zh", "en")
    for scheme in ("light", "dark")
    for size in SIZES
]
TWO_WAYS = [("zh", "light", "standard"), ("en", "dark", "largest")]
MORE_WAYS = [
    ("zh", "dark", "large"),
    ("en", "light", "large"),
    ("zh", "light", "largest"),
    ("en", "dark", "standard"),
]
"""Together with ``TWO_WAYS``, in which the test above shows every state, every pair of language,
scheme and size occurs."""


def in_turn(guest: Visitor, place: int) -> Iterator[tuple[str, Page]]:
    """All states in `make proofs`. In `make test` every second one; the next way has the others."""
    return guest.states() if WHOLE else guest.states(*list(guest.shows())[place::2])


@pytest.mark.parametrize("way", ALL_WAYS if WHOLE else TWO_WAYS, ids="-".join)
def test_every_state_can_be_read_and_pressed(
    browser: Browser, site: Any, way: tuple[str, str, str]
) -> None:
    guest = visitor(browser, site, PHONE, way)
    place = (ALL_WAYS if WHOLE else TWO_WAYS).index(way)
    found = [fault for name, page in in_turn(guest, place) for fault in faults(name, page)]
    assert found == []


@pytest.mark.parametrize("way", ALL_WAYS if WHOLE else MORE_WAYS, ids="-".join)
def test_event_form_and_ticket_in_every_way(
    browser: Browser, site: Any, way: tuple[str, str, str]
) -> None:
    guest = visitor(browser, site, PHONE, way)
    found = [fault for name, page in guest.main_states() for fault in faults(name, page)]
    assert found == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_state_scrolls_sideways_on_the_smallest_screen(
    browser: Browser, site: Any, language: str
) -> None:
    guest = visitor(browser, site, SMALLEST, (language, "light", "standard"))
    states = in_turn(guest, ("en", "zh").index(language))
    found = [fault for name, page in states for fault in sideways(name, page)]
    assert found == []


@pytest.mark.parametrize("shape", [TABLET, LAPTOP], ids=["tablet", "laptop"])
def test_every_state_fits_a_tablet_and_a_laptop(browser: Browser, site: Any, shape: Any) -> None:
    guest = visitor(browser, site, shape, ("en", "light", "standard"))
    states = in_turn(guest, (TABLET, LAPTOP).index(shape))
    assert [fault for name, page in states for fault in measured(name, page)] == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_the_button_and_the_text_sizes_are_seen_without_scrolling(
    browser: Browser, site: Any, language: str, size: str
) -> None:
    guest = visitor(browser, site, PHONE, (language, "light", size))
    for slug in ("open", "few"):
        page = guest.event(slug)
        button, sizes = (page.locator(one).bounding_box() for one in ("a.button", ".sizes"))
        assert button is not None
        assert button["y"] <= 640, slug
        assert sizes is not None
        assert sizes["y"] + sizes["height"] <= 160
        if language == "zh":
            assert page.locator("#sizes").is_visible(), "the words 字号"


def test_the_checks_find_each_fault_that_is_put_in(browser: Browser, site: Any) -> None:
    """Without this, the checks above could pass without looking."""
    guest = visitor(browser, site, PHONE, ("zh", "light", "standard"))
    spoilt = {
        "color-contrast-enhanced": "document.querySelector('h1').style.color = '#888'",
        "too small to press": "document.querySelector('a.button').style.minHeight = '40px'",
        "too small to read": "document.querySelector('.small').style.fontSize = '14px'",
        "sideways": "document.querySelector('h1').style.width = '600px'",
        "too close": "const first = document.querySelector('.button'); "
        "first.after(first.cloneNode(true)); "
        "document.querySelectorAll('.button')[1].style.margin = 0",
    }
    for found, spoil in spoilt.items():
        page = guest.event("open")
        assert faults("event", page) == []
        page.evaluate(spoil)
        assert [fault for fault in faults("event", page) if found in fault], found
