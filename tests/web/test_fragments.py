"""A form that is sent to ``…#errors`` must not leave that fragment in the address of the ticket;
tried in a real browser."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.factories import ROOT, SECRET, House, toml
from tests.support.servers import Server, running
from tests.support.windows import PHONE, follow, kind, window

SENT_TO_ERRORS = {"find.html", "correct.html", "register.html", "full.html"}
"""The templates with such a form. The form for the waiting list leads to the same page as the form
for seats."""


def test_this_module_covers_every_form_that_is_sent_to_errors() -> None:
    found = {
        path.name
        for path in (ROOT / "templates").rglob("*.html")
        if re.search(r'<form(?=[^>]*method="post")[^>]*action="[^"]*#', _without_quotes(path))
    }
    assert found == SENT_TO_ERRORS


def _without_quotes(path: Path) -> str:
    """A template without the quotes inside its expressions."""
    return re.sub(r"\{\{.*?\}\}", "", path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def server(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with three seats."""
    folder = tmp_path_factory.mktemp("fragments")
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=3))
    house.close()
    with running(
        folder, EVENTREG_CLOCK="2030-06-03T10:00:00+08:00", EVENTREG_SECRET_KEY=SECRET
    ) as made:
        yield made


def filled(page: Page, server: Server, token: str = "") -> str:
    """Fill in the form for Zhang, with the given token or its own. Returns the token."""
    page.goto(f"{server.address}/zh/events/small/register")
    own: str = page.locator("input[name=csrf_token]").input_value()
    page.evaluate(
        "token => document.querySelector('[name=csrf_token]').value = token", token or own
    )
    page.locator("#name").fill("张桂芳")
    page.locator("#phone").fill("13800138000")
    page.locator("button.main").click()
    return own


@pytest.mark.browser
def test_a_redirect_to_a_ticket_drops_the_errors_fragment(browser: Browser, server: Server) -> None:
    page = window(browser, PHONE)
    token = filled(page, server)
    kind(page, "check")
    page.locator("button.main").click()
    kind(page, "ticket")
    ticket = page.url
    assert "#" not in ticket, "the ordinary case"
    code = str(page.locator("[data-code]").first.get_attribute("data-code"))

    filled(page, server, token)
    kind(page, "ticket")
    assert page.url == f"{ticket}#main", "the same form, sent again"

    page.goto(f"{server.address}/zh/find")
    follow(page.locator("button.main"))
    assert page.url.endswith("#errors"), "an error is still shown first"
    for field, value in (("name", "张桂芳"), ("phone", "13800138000"), ("code", code)):
        page.locator(f"#{field}").fill(value)
    page.locator("button.main").click()
    kind(page, "ticket")
    assert page.url == f"{ticket}#main"

    page.goto(f"{ticket}/change")
    page.locator("#name").fill("张桂英")
    page.locator("button.main").click()
    kind(page, "ticket")
    assert page.url == f"{ticket}#main"
