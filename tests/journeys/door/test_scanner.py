"""The camera of the door's page reads tickets, whatever the browser says that it can read; and if
there is no camera, the page says why.

The page is a small one of the test, with the scripts and the policy of the door's page.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from eventreg.i18n import sentence
from tests.proofs.conftest import WHOLE, rounds
from tests.support.door import lens
from tests.support.door.small_page import answering, as_it_is
from tests.support.windows import PHONE

pytestmark = pytest.mark.browser
START = """import { openScanView } from "./scan_view.js";
const view = document.getElementById("view");
const began = performance.now();
window.opened = openScanView(view, (text) => {
  const line = document.createElement("li");
  line.textContent = text;
  line.dataset.after = Math.round(performance.now() - began);
  document.getElementById("hits").append(line);
});"""
LISTS_IT = "static getSupportedFormats() { return Promise.resolve(['qr_code', 'ean_13']) }"
READERS = {
    "that reads nothing": f"""window.BarcodeDetector = class {{ {LISTS_IT}
        async detect() {{ return [] }} }}""",
    "that throws": f"""window.BarcodeDetector = class {{ {LISTS_IT}
        async detect() {{ throw new DOMException('', 'NotSupportedError') }} }}""",
    "that throws later": f"""window.BarcodeDetector = class {{ {LISTS_IT} async detect(picture) {{
        if (picture.videoWidth) throw new Error('lost');
        return [{{ rawValue: 'EVENTREG' }}] }} }}""",
    "that never answers": f"""window.BarcodeDetector = class {{ {LISTS_IT}
        detect() {{ return new Promise(() => {{}}) }} }}""",
    "absent": "delete window.BarcodeDetector",
}
READS = f"""window.BarcodeDetector = class {{ {LISTS_IT} async detect(picture) {{
    return [{{ rawValue: picture.videoWidth ? 'NATIVE' : 'EVENTREG' }}] }} }}"""
PROOF = "(await read(testPicture())) === TEST_TEXT ? read : null"
BLANK = """navigator.mediaDevices.getUserMedia = async () => {
    const canvas = document.createElement('canvas');
    canvas.getContext('2d').fillRect(0, 0, 1, 1);
    return canvas.captureStream(10) }"""
IN_USE = """navigator.mediaDevices.getUserMedia = () =>
    Promise.reject(new DOMException('', 'NotReadableError'))"""
LAMP = """window.asked = [];
    MediaStreamTrack.prototype.getCapabilities = () => ({ torch: true });
    MediaStreamTrack.prototype.applyConstraints = async (wanted) => {
      window.asked.push(wanted.advanced[0].torch) };
    navigator.wakeLock.request = async (what) => {
      window.asked.push(what);
      return { release: async () => window.asked.push('let go') } };"""


FAULTY = START.replace("append(line);", "append(line);\n  throw new Error('a fault of the page');")


def door(
    browser: Browser,
    init: str = "",
    *,
    change: Callable[[str, str], str | None] = as_it_is,
    allowed: bool = True,
    address: str = "https://door.test/",
) -> Page:
    """A telephone with the scanner open."""
    context: BrowserContext = browser.new_context(
        **PHONE, permissions=["camera"] if allowed else []
    )
    context.route("**/*", answering(START, change))
    page = context.new_page()
    page.clock.install()
    if init:
        page.add_init_script(init)
    page.goto(address)
    return page


def hits(page: Page) -> list[Any]:
    """What was read, and after how many milliseconds."""
    found: list[Any] = page.evaluate(
        "() => [...document.querySelectorAll('#hits li')]"
        ".map(li => [li.textContent, Number(li.dataset.after)])"
    )
    return found


def says(page: Page, key: str) -> None:
    """The scanner says that sentence."""
    expect(page.get_by_text(sentence("zh", key), exact=True)).to_be_visible()


@pytest.fixture(scope="module")
def six_tickets() -> list[str]:
    """Six tickets, one for each condition."""
    return [lens.address(seed) for seed in range(len(lens.CONDITIONS))]


@pytest.fixture(scope="module")
def camera(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory, six_tickets: list[str]
) -> Iterator[Browser]:
    """A browser whose camera sees six tickets one after the other, and that has a native reader
    which lists no format, as telephones without Google's services."""
    scenes = [
        lens.scene(text, condition, seed)
        for seed, (text, condition) in enumerate(zip(six_tickets, lens.CONDITIONS, strict=True))
    ]
    seen = lens.film(tmp_path_factory.mktemp("film") / "six.mjpeg", scenes)
    started = lens.camera(chromium.browser_type, seen, "--enable-blink-features=BarcodeDetector")
    yield started
    started.close()


def test_tickets_are_read_clear_small_turned_tilted_blurred_and_in_the_dark(
    camera: Browser, six_tickets: list[str]
) -> None:
    page = door(camera)
    for ticket, condition in zip(six_tickets, lens.CONDITIONS, strict=True):
        expect(page.locator("#hits li", has_text=ticket).first, condition).to_be_attached()
    texts = [text for text, _ in hits(page)]
    assert set(texts) == set(six_tickets)
    # A ticket that stays in view is told once.
    assert all(one != next_one for one, next_one in itertools.pairwise(texts))
    assert page.locator(".scan").get_attribute("data-decoder") == "library"
    page.context.close()


@pytest.mark.parametrize("reader", list(READERS)[: rounds(1, 9)])
def test_a_browser_reads_whatever_its_own_reader_is_like(camera: Browser, reader: str) -> None:
    page = door(camera, READERS[reader])
    expect(page.locator("#hits li").first).to_contain_text("HTTPS://DOOR.TEST/T/")
    assert page.locator(".scan").get_attribute("data-decoder") == "library"
    page.context.close()


def test_without_the_test_picture_a_lying_reader_reads_nobody(camera: Browser) -> None:
    """The negative control of the test above; with the picture, a reader that reads is used."""
    page = door(
        camera,
        READERS["that reads nothing"],
        change=lambda name, body: body.replace(PROOF, "read") if name == "detector.js" else body,
    )
    says(page, "scan_scanning")
    page.clock.fast_forward(6_000)
    says(page, "scan_hint")
    assert hits(page) == []
    page.context.close()
    page = door(camera, READS)
    expect(page.locator("#hits li").first).to_have_text("NATIVE")
    assert page.locator(".scan").get_attribute("data-decoder") == "native"
    page.context.close()


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
def test_each_state_of_the_camera_has_its_sentence(browser: Browser, camera: Browser) -> None:
    says(door(browser), "scan_no_camera")
    page = door(camera, allowed=False)
    says(page, "scan_refused")
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name=sentence("zh", "scan_again")).click()
    expect(page.locator("#hits li").first).to_be_attached()
    page.goto("http://door.test/")
    says(page, "scan_not_https")
    page.context.close()
    page = door(camera, IN_USE)
    says(page, "scan_in_use")
    page.context.close()


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
def test_without_the_library_the_page_says_so_until_it_has_come(camera: Browser) -> None:
    missing = {"qr.js"}
    page = door(camera, change=lambda name, body: None if name in missing else body)
    says(page, "scan_no_decoder")
    missing.clear()
    page.get_by_role("button", name=sentence("zh", "scan_again")).click()
    expect(page.locator("#hits li").first).to_be_attached()
    page.context.close()


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
def test_without_a_hit_it_gives_a_hint_then_rests_and_one_tap_goes_on(browser: Browser) -> None:
    page = door(browser, f"{BLANK};{LAMP}")
    says(page, "scan_scanning")
    page.clock.fast_forward(5_100)
    says(page, "scan_hint")
    page.get_by_role("button", name=sentence("zh", "scan_torch_on")).click()
    expect(page.get_by_role("button", name=sentence("zh", "scan_torch_off"))).to_be_visible()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.fast_forward(56_000)
    rests = page.get_by_role("button", name=sentence("zh", "scan_paused"))
    expect(rests).to_be_visible()
    assert page.evaluate("window.asked") == ["screen", True, "screen", "let go"]
    rests.click()
    says(page, "scan_scanning")
    page.keyboard.press("Escape")
    expect(page.locator("#view")).to_be_empty()
    assert page.evaluate("window.asked").count("let go") == 2


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
def test_records_of_another_telephone_are_no_ticket(camera: Browser) -> None:
    page = door(camera, READS.replace("NATIVE", "ERDOOR1.AB"))
    says(page, "scan_is_packet")
    assert hits(page) == []
    page.context.close()


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
def test_a_fault_of_the_page_stops_no_scanner(camera: Browser) -> None:
    page = door(camera, change=lambda name, body: FAULTY if name == "start.js" else body)
    expect(page.locator("#hits li").nth(1)).to_be_attached()
    page.context.close()


@pytest.mark.skipif(not WHOLE, reason="a film for each condition takes a minute")
@pytest.mark.parametrize("condition", lens.CONDITIONS)
def test_twelve_tickets_in_each_condition(
    chromium: Browser, tmp_path: Path, condition: str
) -> None:
    tickets = [lens.address(seed) for seed in range(rounds(2, 12))]
    scenes = [lens.scene(ticket, condition, seed) for seed, ticket in enumerate(tickets)]
    seen = lens.film(tmp_path / "film.mjpeg", scenes, frames=30)
    started = lens.camera(chromium.browser_type, seen)
    page = door(started)
    for ticket in tickets:
        expect(page.locator("#hits li", has_text=ticket).first).to_be_attached()
    # From pressing the button: the camera opens, the library loads, the first ticket is read.
    print(f"{condition}: the first hit after {hits(page)[0][1]} ms")  # noqa: T201
    started.close()
