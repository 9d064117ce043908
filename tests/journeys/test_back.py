"""Back, reload and restored pages: there is always a page, with what was typed; in Chromium with
and without its back-forward cache, without scripts, and in WebKitGTK. In `make test`, two of them
go through all four."""

import shutil
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from eventreg.core.registration import sent_forms
from tests.journeys.engines import InChromium, Window, leave, send, shows, webkit
from tests.proofs.conftest import WHOLE
from tests.support import windows
from tests.support.chromium import BROWSER, launched
from tests.support.factories import SECRET, House, toml
from tests.support.servers import Server, running

pytestmark = pytest.mark.browser
ENGINES = ("with its cache", "without scripts", "without its cache", "webkit")
USUAL = ENGINES if WHOLE else ENGINES[:2]
in_every_engine = pytest.mark.parametrize("window", ENGINES, indirect=True)
NAMES = ["张桂芳", "王建国"]
_numbers = count(13900000000)


@pytest.fixture(scope="module")
def server(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with many seats."""
    folder = tmp_path_factory.mktemp("back")
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=100))
    house.close()
    given = {"EVENTREG_CLOCK": "2030-06-03T10:00:00+08:00", "EVENTREG_SECRET_KEY": SECRET}
    with running(folder, **given) as made:
        yield made


@pytest.fixture(scope="module")
def with_cache(chromium: Browser) -> Iterator[Browser]:
    """A Chromium with its back-forward cache, which Playwright turns off unless told not to, and
    which the headless shell does not have."""
    kept = ["--disable-back-forward-cache"]
    started = launched(chromium.browser_type, program=BROWSER, ignore_default_args=kept)
    yield started
    started.close()


@pytest.fixture(params=USUAL)
def window(request: pytest.FixtureRequest) -> Iterator[Window]:
    """A fresh window of each kind."""
    if request.param == "webkit":
        with webkit() as found:
            yield found
        return
    cached = request.param == "with its cache"
    engine: Browser = request.getfixturevalue("with_cache" if cached else "chromium")
    scripts = request.param != "without scripts"
    context = engine.new_context(**windows.PHONE, java_script_enabled=scripts)
    yield InChromium(context.new_page())
    context.close()


def fill(window: Window, server: Server, number: str) -> None:
    """Fill in the form for a couple and send it."""
    window.open(f"{server.address}/zh/events/small")
    window.press("a.button")
    shows(window, "register")
    window.type("#name", NAMES[0])
    window.type("#phone", number)
    window.press("summary")
    window.type("#companion-1", NAMES[1])
    send(window)


def shown(number: str) -> str:
    """A number as the check page shows it."""
    return f"{number[:3]} {number[3:7]} {number[7:]}"


@in_every_engine
def test_a_couple_stays_a_couple_after_back_from_the_check_page(
    window: Window, server: Server
) -> None:
    number = str(next(_numbers))
    fill(window, server, number)
    shows(window, "check")
    window.back()
    shows(window, "register", [NAMES[0], number, NAMES[1]])
    send(window)
    assert shows(window, "check")["typed"] == [*NAMES, shown(number)]


@pytest.mark.parametrize("window", sorted({*USUAL} - {"without scripts"}), indirect=True)
def test_reloading_a_form_keeps_what_is_typed_and_not_sent_yet(
    window: Window, server: Server
) -> None:
    """The only part that needs the script."""
    window.open(f"{server.address}/zh/events/small/register")
    window.type("#name", NAMES[0])
    window.press("summary")
    window.type("#companion-1", NAMES[1])
    until = time.monotonic() + 10
    while NAMES[1] not in (window.run("return history.state") or []):
        assert time.monotonic() < until
        time.sleep(0.1)
    window.reload()
    shows(window, "register", NAMES)
    window.open(f"{server.address}/zh/events/small")
    window.press("a.button")
    assert shows(window, "register")["typed"] == [], "a new visit begins anew"


def test_reloading_the_check_page_shows_it_again_and_sends_nothing(
    window: Window, server: Server
) -> None:
    number = str(next(_numbers))
    fill(window, server, number)
    before, address = shows(window, "check"), window.url
    assert "?form=" in address
    window.reload()
    after = shows(window, "check")
    assert (after["typed"], window.url) == (before["typed"], address)


def test_back_after_a_corrected_mistake_shows_the_form_with_what_was_typed(
    window: Window, server: Server
) -> None:
    number = str(next(_numbers))
    fill(window, server, number[:-1])
    assert shows(window, "register")["typed"] == [NAMES[0], number[:-1], NAMES[1]]
    window.reload()
    assert shows(window, "register")["typed"] == [NAMES[0], number[:-1], NAMES[1]]
    window.type("#phone", number)
    send(window)
    shows(window, "check")
    window.back()
    found = shows(window, "register")["typed"]
    assert (found[0], found[2]) == (NAMES[0], NAMES[1])
    assert found[1] in {number, number[:-1]}
    window.type("#phone", number)
    send(window)
    assert shows(window, "check")["typed"] == [*NAMES, shown(number)]


@in_every_engine
def test_back_from_the_ticket_shows_a_page_and_registers_nobody_twice(
    window: Window, server: Server
) -> None:
    """It is the ticket again, or the check page if the browser kept it; that leads there, too."""
    number = str(next(_numbers))
    fill(window, server, number)
    shows(window, "check")
    send(window)
    shows(window, "ticket")
    ticket = window.url.split("#")[0]
    if leave(window, window.back)["page"] == "check":
        assert shows(window, "check")["typed"] == [*NAMES, shown(number)]
        send(window)
    shows(window, "ticket")
    assert window.url.split("#")[0] == ticket


def test_restored_pages_show_what_was_typed(window: Window, server: Server) -> None:
    """A telephone restores a page by its address, with an empty cache and without cookies."""
    number = str(next(_numbers))
    fill(window, server, number)
    shows(window, "check")
    address = window.url
    window.open(f"{server.address}/zh/privacy")
    shows(window, "privacy")
    window.open(address)
    assert shows(window, "check")["typed"] == [*NAMES, shown(number)]


def test_back_after_a_mistake_in_the_finder_shows_what_was_typed(
    window: Window, server: Server
) -> None:
    number = str(next(_numbers))
    fill(window, server, number)
    shows(window, "check")
    window.open(f"{server.address}/zh/find")
    shows(window, "find")
    for field, text in (("#name", NAMES[0]), ("#phone", number), ("#code", "12")):
        window.type(field, text)
    send(window)
    assert shows(window, "find")["typed"] == [NAMES[0], number, "12"]
    window.press("footer a")
    shows(window, "privacy")
    window.back()
    shows(window, "find", [NAMES[0], number, "12"])
    window.reload()
    assert shows(window, "find")["typed"] == [NAMES[0], number, "12"]


@pytest.mark.skipif(not WHOLE, reason="a control that waits for a page that does not come")
def test_without_an_address_of_its_own_back_meets_a_question(
    browser: Browser, server: Server
) -> None:
    """The control: a form too long to be kept is answered by the page itself. With scripts,
    Chromium would not ask: the script writes what is typed into this step of the history."""
    page = InChromium(windows.window(browser, windows.PHONE, scripts=False))
    fill(page, server, "1390000000")
    shows(page, "register")
    page.type("#companion-1", "W" * sent_forms.LONGEST)
    send(page)
    page.type("#companion-1", NAMES[1])
    assert "?form=" not in page.url
    page.type("#phone", "13900000000")
    send(page)
    shows(page, "check")
    page.back()
    with pytest.raises(AssertionError, match="no page register"):
        shows(page, "register")
