"""The screen of the door on a stage: its real modules and styles over a list that a test makes,
with no server and no storage behind them."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from eventreg.i18n import sentence
from eventreg.web import assets, door_words
from tests.support.door.modules import page_with
from tests.support.factories import ROOT

_STYLES = sorted((ROOT / "static" / "door").rglob("*.css"))
_PUT_ON = (Path(__file__).parent / "stage.js").read_text()


def words(language: str) -> dict[str, str]:
    """The sentences of the screen."""
    keys = door_words.WORDS
    return {key: sentence(language, key) for key in keys}


def put_on(
    browser: Browser,
    roster: dict[str, Any],
    *,
    language: str = "zh",
    now: str = "2030-06-10T08:50:00+08:00",
    facts: dict[str, Any] | None = None,
    **window: Any,
) -> Page:
    """A window that shows the screen. ``window.stage`` has what a test may change."""
    page = page_with(browser, "page.js", **{"viewport": {"width": 360, "height": 740}, **window})
    css = assets.staff_css() + "".join(path.read_text() for path in _STYLES)
    given = {
        "css": css,
        "words": words(language),
        "roster": roster,
        "now": now,
        "facts": facts or {},
        "language": language,
    }
    page.evaluate(_PUT_ON, json.loads(json.dumps(given)))
    return page
