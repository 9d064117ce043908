"""How public pages look and behave in a real browser: sizes, contrast, keyboard, bytes, paper."""

import math
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import esprima  # type: ignore[import-untyped]
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, Request, expect

from eventreg.web import assets
from tests.support import cast
from tests.support.factories import ROOT, SECRET
from tests.support.servers import Server, running
from tests.support.windows import (
    LAPTOP,
    PHONE,
    SIZES,
    SMALLEST,
    TABLET,
    Visitor,
    faults,
    kind,
    measured,
    painted,
    settle,
    sideways,
    slowed,
    window,
)

pytestmark = pytest.mark.browser
WHOLE = os.environ.get("EVENTREG_PROOFS") == "whole"
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
"""Together with ``TWO_WAYS``, every pair of language, scheme and size occurs."""
ARIA = ROOT / "tests" / "aria"


@pytest.fixture(scope="module")
def site(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server on the morning of June 10, events in every state, and the paths of the tickets."""
    folder = tmp_path_factory.mktemp("look")
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    paths = cast.prepare(folder)
    with running(folder, EVENTREG_CLOCK=cast.MORNING, EVENTREG_SECRET_KEY=SECRET) as server:
        yield server, paths


def visitor(
    browser: Browser, site: tuple[Server, dict[str, str]], shape: Any, way: tuple[str, str, str]
) -> Visitor:
    """A browser in that language, scheme and text size."""
    language, scheme, size = way
    made = Visitor(window(browser, shape, scheme=scheme), site[0].address, language, site[1])
    if size != "standard":
        made.choose(size)
    return made


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


@pytest.mark.parametrize("way", ALL_WAYS if WHOLE else [*TWO_WAYS, *MORE_WAYS], ids="-".join)
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
    found = [fault for name, page in guest.states() for fault in sideways(name, page)]
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


def test_without_scripts_staff_see_no_button_that_needs_one(browser: Browser, site: Any) -> None:
    page = window(browser, PHONE, scripts=False)
    page.goto(f"{site[0].address}/staff/sign-in")
    kind(page, "staff-sign-in")
    assert page.locator("[data-show]").count() == 1
    expect(page.locator("[data-show]")).to_be_hidden()


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


def noting(asked: list[str]) -> Callable[[Request], None]:
    """Note the address of each request."""
    return lambda request: asked.append(request.url)


def test_a_page_is_one_request_of_less_than_ten_kilobytes(browser: Browser, site: Any) -> None:
    server, paths = site
    for path in (
        "/zh/events/open",
        "/en/events/june-10-self-care",
        "/zh/events/open/register",
        paths["couple"],
        paths["waitlisted"],
    ):
        page = window(browser, PHONE)
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        came: list[float] = []
        asked: list[str] = []
        wire.on(
            "Network.loadingFinished",
            lambda event, came=came: came.append(event["encodedDataLength"]),
        )
        page.on("request", noting(asked))
        page.goto(server.address + path, wait_until="networkidle")
        assert [url for url in asked if not url.endswith("/favicon.ico")] == [server.address + path]
        assert 0 < sum(came) <= 10_000, path
        assert page.context.cookies() == []
        page.context.close()


def test_on_a_slow_network_and_an_old_phone_the_event_is_there_in_three_seconds(
    browser: Browser, site: Any
) -> None:
    soonest = math.inf
    for _ in range(3):  # a busy machine gets three tries
        page = window(browser, PHONE)
        slowed(page)
        page.goto(f"{site[0].address}/zh/events/open")
        soonest = min(soonest, painted(page))
        page.context.close()
        if soonest < 3000:
            break
    assert 2000 < soonest < 3000, "the latency alone is two seconds"


def test_the_script_is_small_and_runs_in_browsers_of_2017() -> None:
    script = assets.public_js()
    assert len(script.encode()) <= 2048
    esprima.parseScript(script)
    for newer in ("a?.b", "a ?? b", "try {} catch {}", "a ||= b"):
        with pytest.raises(esprima.Error):
            esprima.parseScript(newer)


VOICE = """(() => { const said = []; window.said = said;
  window.speechSynthesis.getVoices = () =>
    [{lang: 'zh-CN', name: 'a'}, {lang: 'en-GB', name: 'b'}].filter(v => HAS);
  window.SpeechSynthesisUtterance = function (text) { this.text = text; };
  window.speechSynthesis.speak = one => {
    said.push(one.text, one.lang, one.rate); window.last = one; };
  window.speechSynthesis.cancel = () => window.last.onend(); })()"""


@pytest.mark.parametrize(
    ("language", "label", "voice"), [("zh", "朗读", "zh-CN"), ("en", "Listen", "en-GB")]
)
def test_the_page_is_read_aloud_if_the_browser_has_a_voice(
    browser: Browser, site: Any, language: str, label: str, voice: str
) -> None:
    """The browser of the tests has no voice, so the test supplies voices. Button and text are the
    page's own."""
    page = window(browser, PHONE)
    page.context.add_init_script(VOICE.replace("HAS", "true"))
    page.goto(f"{site[0].address}{site[1]['couple']}?lang={language}")
    button = page.locator("#listen")
    expect(button).to_have_text(label)
    button.click()
    text, spoken, rate = page.evaluate("window.said")
    assert spoken == voice
    assert rate < 1, "slowly"
    assert re.search(r"张桂芳.*\d \d \d \d", text), "the code is said digit by digit"
    assert ("灵桥路 285 号" if language == "zh" else "285 Lingqiao Road") in text
    expect(button).to_have_text("停止朗读" if language == "zh" else "Stop reading")
    page.evaluate("window.last.onend()")
    expect(button).to_have_text(label)


def test_without_a_voice_the_page_offers_no_reading(browser: Browser, site: Any) -> None:
    page = window(browser, PHONE)
    page.context.add_init_script(VOICE.replace("HAS", "v.lang === 'fr'"))
    page.goto(f"{site[0].address}/zh/events/open")
    expect(page.locator("#listen")).to_be_hidden()


def test_a_ticket_can_be_shared_if_the_browser_can(browser: Browser, site: Any) -> None:
    page = window(browser, PHONE)
    page.context.add_init_script(
        "navigator.share = what => { window.shared = what; return Promise.resolve(); };"
        "window.print = () => { window.printed = 1; };"
    )
    page.goto(f"{site[0].address}{site[1]['ticket']}#x")
    page.locator("#share").click()
    assert page.evaluate("window.shared") == {
        "title": "报名成功",
        "url": f"{site[0].address}{site[1]['ticket']}",
    }
    page.locator("#print").click()
    assert page.evaluate("window.printed") == 1


def decoded(png: Path) -> str:
    """The text that a QR reader reads from a picture."""
    return str(zxingcpp.read_barcodes(Image.open(png))[0].text)


@pytest.mark.parametrize(
    ("scheme", "size"),
    list(product(("light", "dark"), SIZES))
    if WHOLE
    else [("light", "standard"), ("dark", "large"), ("dark", "largest")],
)
def test_the_qr_code_is_the_ticket_on_every_screen(
    browser: Browser, site: Any, scheme: str, size: str, tmp_path: Path
) -> None:
    guest = visitor(browser, site, {**PHONE, "device_scale_factor": 2}, ("zh", scheme, size))
    page = guest.go(site[1]["ticket"])
    page.screenshot(path=tmp_path / "ticket.png", full_page=True)
    assert decoded(tmp_path / "ticket.png") == f"{site[0].address}{site[1]['ticket']}".upper()
    box = page.locator("svg.qr").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (240, 240)


def printed(page: Page, folder: Path) -> tuple[int, Path]:
    """Print a page. Returns the number of sides and a picture of the first."""
    paper = folder / "paper.pdf"
    page.pdf(path=paper, prefer_css_page_size=True)
    info = subprocess.run(
        ["pdfinfo", str(paper)], capture_output=True, text=True, check=True
    ).stdout
    assert "A4" in info
    subprocess.run(["pdftoppm", "-r", "100", "-png", str(paper), str(folder / "side")], check=True)
    sides = re.search(r"^Pages: +(\d+)$", info, re.M)
    assert sides
    return int(sides[1]), sorted(folder.glob("side*.png"))[0]


@pytest.mark.parametrize(
    "way", [("zh", "dark", "largest"), ("en", "light", "standard")], ids="-".join
)
def test_the_ticket_prints_on_one_side_black_on_white(
    browser: Browser, site: Any, way: tuple[str, str, str], tmp_path: Path
) -> None:
    guest = visitor(browser, site, PHONE, way)
    page = guest.go(site[1]["couple"])
    page.emulate_media(media="print", color_scheme="dark")
    colours = page.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    expect(page.locator("nav.sizes")).to_be_hidden()
    sides, picture = printed(page, tmp_path)
    assert sides == 1
    assert decoded(picture) == f"{site[0].address}{site[1]['couple']}".upper(), (
        "the code can be read from paper"
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_poster_is_one_side_and_leads_to_the_event(
    browser: Browser, site: Any, language: str, tmp_path: Path
) -> None:
    page = visitor(browser, site, LAPTOP, (language, "dark", "largest")).event("open", "/poster")
    sides, picture = printed(page, tmp_path)
    assert sides == 1
    assert decoded(picture) == f"{site[0].address}/{language}/events/open"
