"""A volunteer's telephone is paired with the door, in Chromium. Its browser is tested before the
one-time code is used, so every browser that fails the tests leaves the code good."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from eventreg.core.door import device_checks, devices
from eventreg.core.staff import pairing
from eventreg.storage.session import reading, transaction
from tests.proofs.conftest import WHOLE, rounds
from tests.support.factories import SECRET, House, toml
from tests.support.servers import Server, running
from tests.support.windows import PHONE, faults, kind

pytestmark = pytest.mark.browser
EVENING = "2030-06-09T20:00:00+08:00"
PHONE_BROWSER = "Mozilla/5.0 (Linux; Android 12) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36"
WECHAT = f"{PHONE_BROWSER} MicroMessenger/8.0.44"
NO_WORKER = "delete Navigator.prototype.serviceWorker"
NO_STORAGE = "Object.defineProperty(window, 'indexedDB', { value: undefined })"
FULL = "IDBFactory.prototype.open = () => { throw new DOMException('full', 'QuotaExceededError') }"
FOREIGN = "http://door.test"
"""An address without https, to which a browser gives neither worker nor camera."""


@pytest.fixture(scope="module")
def evening(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[House, Server]]:
    """The evening before the event: a server, and the house that makes the codes."""
    folder = tmp_path_factory.mktemp("evening")
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    house = House(folder)
    house.now = datetime.fromisoformat(EVENING)
    with house.app.app_context():
        house.apply(toml())
        house.hire()
        with running(folder, EVENTREG_CLOCK=EVENING, EVENTREG_SECRET_KEY=SECRET) as server:
            yield house, server
    house.close()


def offered(house: House) -> str:
    """The path of a new code."""
    with transaction() as session:
        token = pairing.offer(session, house.event(), by=house.desmond, now=house.now)
    return f"/staff/pair/{token}"


def phone(browser: Browser, script: str = "", agent: str = PHONE_BROWSER, **more: Any) -> Page:
    """A telephone whose browser lacks what ``script`` takes out."""
    context = browser.new_context(**PHONE, locale="zh-CN", user_agent=agent, **more)
    if script:
        context.add_init_script(script)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    here = wire.send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    allowed = {"permissions": ["durableStorage"], "browserContextId": here}
    wire.send("Browser.grantPermissions", allowed)
    return page


def after_tests(page: Page, address: str) -> dict[str, str]:
    """Open the page and wait for the tests. Returns the lines that are shown, by test."""
    page.goto(address)
    kind(page, "staff-pair")
    expect(page.locator("#offline, #again").locator("visible=true")).to_have_count(1)
    return lines(page)


def accessibility(page: Page) -> list[str]:
    """The faults of the page; buttons of staff pages are less high than those of guests."""
    return [fault for fault in faults("pairing", page) if "too small to press" not in fault]


def lines(page: Page) -> dict[str, str]:
    """The lines that are shown, by test."""
    shown = page.locator("#tests li:visible").all()
    return {str(one.get_attribute("data-test")): one.inner_text() for one in shown}


def checks(house: House) -> dict[str, str]:
    """What the server keeps of the tests of the newest door."""
    reading().rollback()
    return dict(device_checks.read(devices.of_event(reading(), house.event())[-1].checks))


def test_a_good_browser_passes_and_is_paired_and_paired_again_it_is_the_same_door(
    browser: Browser, evening: tuple[House, Server]
) -> None:
    house, server = evening
    page = phone(browser)
    page.context.route("**/main.js", lambda route: route.abort())  # what it keeps is put by hand
    found = after_tests(page, server.address + offered(house))
    assert list(found) == ["secure", "worker", "storage", "kept"]
    assert all(line.startswith("✓") for line in found.values()), found
    expect(page.locator("#advice")).to_be_hidden()
    expect(page.locator("#online")).to_be_hidden()
    assert accessibility(page) == []
    page.locator("#scan").check()
    expect(page.locator("[data-test=camera]")).to_contain_text("摄像头")
    expect(page.locator("#offline")).to_be_enabled()
    page.locator("#offline").dblclick()
    kind(page, "door")
    assert checks(house)["storage"] == "ok"
    assert checks(house)["camera"] in {"refused", "missing"}
    assert page.evaluate("indexedDB.databases().then(all => all.map(one => one.name))") == []
    known = [one.device for one in devices.of_event(reading(), house.event())]
    page.evaluate(HOLD, {"device": known[-1], "acts": [False, True, False]})
    leave(page, "还有 2 条签到没上传。", stay=True)
    kind(page, "door")
    assert leave(page, "还有 2 条签到没上传。", stay=False) == '"cache"'
    assert after_tests(page, server.address + offered(house))
    page.locator("#offline").click()
    kind(page, "door")
    reading().rollback()
    assert [one.device for one in devices.of_event(reading(), house.event())] == known
    page.evaluate("indexedDB.deleteDatabase('eventreg-door')")
    assert leave(page, "", stay=False) == '"cache", "storage"'


HOLD = """held => new Promise(done => {
  const opening = indexedDB.open("eventreg-door", 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("facts", { keyPath: "slug" });
    opening.result.createObjectStore("acts", { keyPath: "key" });
  };
  opening.onsuccess = () => {
    const writing = opening.result.transaction(["facts", "acts"], "readwrite");
    writing.objectStore("facts").put({ slug: "small", device: held.device });
    held.acts.forEach((sent, key) => writing.objectStore("acts").put({ key, slug: "small", sent }));
    writing.oncomplete = () => { opening.result.close(); done(); };
  };
})"""
"""Puts into the browser what the door's own script keeps there: its id, and acts."""


def leave(page: Page, warned: str, *, stay: bool) -> str | None:
    """Press the button that signs out, and answer its question. Returns what the browser is told to
    clear."""
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss() if stay else dialog.accept()

    page.once("dialog", answer)
    button = page.locator("footer button.link")
    if stay:
        button.click()
        page.wait_for_function("() => true")
        assert asked[0].startswith(warned)
        return None
    with page.expect_response("**/staff/sign-out") as told:
        button.click()
    kind(page, "staff-sign-in")
    assert not warned or asked[0].startswith(warned)
    if not warned:
        page.remove_listener("dialog", answer)
        assert asked == []
    return told.value.all_headers().get("clear-site-data")


@pytest.mark.parametrize(
    ("script", "agent", "said", "advice"),
    [
        (NO_STORAGE, PHONE_BROWSER, ("storage", "✕ 这个浏览器存不了签到"), "#other-browser"),
        (NO_WORKER, WECHAT, ("worker", "✕ 断网时打不开签到页"), "#in-app"),
        (FULL, PHONE_BROWSER, ("storage", "✕ 手机存不下签到"), "#other-browser"),
    ][: rounds(2, 3)],
    ids=["no storage", "WeChat", "full"][: rounds(2, 3)],
)
def test_a_browser_that_cannot_work_offline_leaves_the_code_good(
    browser: Browser,
    evening: tuple[House, Server],
    script: str,
    agent: str,
    said: tuple[str, str],
    advice: str,
) -> None:
    house, server = evening
    address = server.address + offered(house)
    page = phone(browser, script, agent)
    found = after_tests(page, address)
    assert found[said[0]].startswith(said[1]), found
    expect(page.locator(advice)).to_be_visible()
    expect(page.locator("#in-app, #other-browser").locator("visible=true")).to_have_count(1)
    expect(page.locator("#offline")).to_be_hidden()
    assert accessibility(page) == []
    if agent == WECHAT:
        expect(page.locator("#in-app")).to_have_text("点右上角 …，选“在浏览器打开”。")
    real = phone(browser)
    after_tests(real, address)
    real.locator("#offline").click()
    kind(real, "door")


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
def test_a_camera_that_is_refused_is_said_and_leaves_the_code_good(
    browser: Browser, evening: tuple[House, Server]
) -> None:
    house, server = evening
    address = server.address + offered(house)
    refusing = "navigator.mediaDevices.getUserMedia = () => Promise.reject("
    page = phone(browser, f"{refusing}new DOMException('no', 'NotAllowedError'))")
    assert "camera" not in after_tests(page, address), "nobody asked for it"
    page.locator("#scan").check()
    expect(page.locator("[data-test=camera]")).to_contain_text("没有允许用摄像头")
    page.locator("#scan").uncheck()
    expect(page.locator("[data-test=camera]")).to_be_hidden()
    assert "✓" in after_tests(phone(browser), address)["storage"]


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
def test_without_https_only_online_use_and_paper_are_offered(
    browser: Browser, evening: tuple[House, Server]
) -> None:
    house, server = evening
    page, path = phone(browser), offered(house)

    def through(route: Route) -> None:
        there = route.request.url.replace(FOREIGN, server.address)
        route.fulfill(response=route.fetch(url=there, max_redirects=0))

    page.route(f"{FOREIGN}/**", through)
    found = after_tests(page, FOREIGN + path)
    assert found["secure"] == "✕ 这个网址不是 https，断网时不能签到。请先打印签到表。"
    expect(page.locator("#on-paper a")).to_be_visible()
    expect(page.locator("#in-app, #other-browser").locator("visible=true")).to_have_count(0)
    page.goto(server.address + path)
    expect(page.locator("#offline")).to_be_visible()


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
def test_without_script_or_by_choice_a_telephone_is_used_online_only(
    browser: Browser, evening: tuple[House, Server]
) -> None:
    house, server = evening
    plain = phone(browser, java_script_enabled=False)
    plain.goto(server.address + offered(house))
    expect(plain.locator("#pair button:visible")).to_have_text(["只在有网络时用"])
    plain.locator("#online").click()
    kind(plain, "door")
    page = phone(browser, NO_STORAGE)
    after_tests(page, server.address + offered(house))
    page.locator("#online").click()
    kind(page, "door")
    assert checks(house)["storage"] == "missing"
