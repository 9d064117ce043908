"""The screen over a real server: the page boots, an act reaches the server, and the bytes count."""

import gzip
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.support.factories import ROOT, House, local, toml
from tests.support.servers import running
from tests.support.windows import sign_in

pytestmark = pytest.mark.browser
MORNING = "2030-06-10T08:50:00+08:00"


@pytest.fixture
def full(migrated: Path, tmp_path: Path) -> Path:
    """An event with fifty people: a couple, one who waits, one who cancelled."""
    folder = tmp_path / "instance"
    folder.mkdir()
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    house = House(folder)
    with house.app.app_context():
        gift = '[gift]\ntext = { zh = "礼品", en = "Gift" }\nstock = 60'
        house.apply(toml(capacity=50, more=f"[waitlist]\nsize = 3\n{gift}"))
        house.hire()
        house.register("张桂芳", "王建国", phone="13800138000")
        house.cancel(house.register("殷秀芬"))
        for place in range(48):
            house.register("陈王徐李周吴"[place % 6] + "秀凤美阿国月英桂"[place // 6] + "兰")
        house.register("候阿大", waitlist=True)
        house.now = local("2030-06-10 08:50")
    house.close()
    return folder


def ready(page: Page) -> None:
    """Wait until the script has taken the page over and knows the people."""
    expect(page.locator("#app")).to_be_visible()
    page.locator(".sheet-open button.main").click()
    expect(page.locator("main")).to_have_attribute("data-expected", "50")


def test_the_screen_over_a_real_server(browser: Browser, full: Path) -> None:
    with running(full, EVENTREG_CLOCK=MORNING) as server:
        page = browser.new_context(
            viewport={"width": 360, "height": 740}, locale="zh-CN"
        ).new_page()
        sign_in(page, server, "dora")
        weighed: dict[str, int] = {}

        def weigh(answer: Response) -> None:
            if not answer.from_service_worker:
                size = answer.request.sizes()["responseBodySize"]
                weighed[answer.url] = max(weighed.get(answer.url, 0), size)

        page.on("response", weigh)
        page.goto(f"{server.address}/door/small/")
        ready(page)
        box, panel = page.locator("#find"), page.locator(".panel")
        box.fill("zgf")
        box.press("Enter")
        expect(panel).to_have_attribute("data-kind", "checked-in")
        page.locator(".panel").get_by_role("button", name="一起签到").click()
        expect(panel).to_contain_text("王建国")
        expect(page.locator("main")).to_have_attribute("data-arrived", "2")
        expect(page.locator(".pill")).to_have_text("已同步")
        box.fill("候阿大")
        box.press("Enter")
        expect(panel).to_contain_text("候补第 1 位")
        box.fill("殷秀芬")
        box.press("Enter")
        expect(panel).to_have_attribute("data-kind", "cancelled")
        page.locator(".tools button").nth(1).click()
        page.locator("#walk-in-name").fill("新来的人")
        page.locator("#walk-in-name").press("Enter")
        expect(panel).to_have_attribute("data-kind", "walked-in-waiting")
        expect(page.locator(".pill")).to_have_text("已同步")
        page.reload()
        expect(page.locator("main")).to_have_attribute("data-arrived", "2")
        names = {url.rpartition("/")[2]: size for url, size in weighed.items()}
        first = sum(size for name, size in names.items() if name == "" or name.endswith(".js"))
        decoder = len(gzip.compress((ROOT / "static/door/vendor/qr.js").read_bytes()))
        # The figures are for people to read.
        print(f"list {names['roster.json']} B, first load {first} B, decoder {decoder} B")  # noqa: T201
        assert 0 < names["roster.json"] <= 5_000
        assert first <= 60_000, "what has to come before the first check-in"
        assert decoder <= 22_000
