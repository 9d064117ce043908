"""Take screenshots of all screens and papers, on a real server with made-up people.

All go to pictures/, which git ignores. Those in the README are also copied to docs/pictures/.
pictures/states/ has every state of the public pages, in both languages, light and dark.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from eventreg.storage import checks
from tests.support import cast
from tests.support.chromium import BROWSER, FLAGS
from tests.support.factories import LONG_PASSWORD, ROOT, SECRET, House
from tests.support.servers import started
from tests.support.windows import Visitor

EVENT = "june-10-self-care"
PEOPLE = (
    "张桂芳 王建国 曾秀英 单玉兰 仇国强 陈美康 李翠花 黄志明 吴桂珍 胡阿根 欧阳淑贤 周月仙 "
    "徐宝娣 朱根娣 邬阿毛 竺小妹 励定国 忻惠珍 俞阿兴 毛菊英 沈玉珍 林福根 何美凤 郑阿彩 "
    "谢国平 冯秀珍 董志强 史桂花 戴阿宝 翟明德 解春梅 查文斌 覃玉凤 朴顺姬 区少华 盖新民 "
    "缪秋月 任建平 乐国华 尹素芬 Margaret·Johnson 阿卜杜拉·买买提"
).split()
PHONES = {"width": 360, "height": 780}
LAPTOP = {"width": 1280, "height": 800}


class Album:
    """The folder of the pictures, and the browser that takes them."""

    def __init__(self, folder: Path, browser: Browser) -> None:
        self.folder = folder
        self.browser = browser
        self.address = ""
        folder.mkdir(parents=True, exist_ok=True)

    def page(self, size: dict[str, int], scheme: str = "light") -> Page:
        """A fresh browser window."""
        context = self.browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            device_scale_factor=1.5 if size is PHONES else 1,
            color_scheme=scheme,  # type: ignore[arg-type]
            locale="zh-CN",
        )
        return context.new_page()

    def take(self, page: Page, name: str, *, whole: bool = True) -> None:
        """Take one picture of the whole page, and one of what is seen without scrolling."""
        page.screenshot(path=self.folder / f"{name}.png", full_page=whole)
        if whole:
            page.screenshot(path=self.folder / f"{name}-top.png")


def guests(
    album: Album,
    size: dict[str, int],
    language: str,
    names: tuple[str, str],
    number: str,
    *,
    tag: str,
) -> None:
    """A guest registers, in one language."""
    page = album.page(size)
    page.goto(f"{album.address}/{language}/events/{EVENT}")
    album.take(page, f"event-{tag}")
    page.locator("a.button").click()
    album.take(page, f"form-{tag}")
    page.locator("button.main").click()
    album.take(page, f"problems-{tag}")
    page.locator("#name").fill(names[0])
    page.locator("#phone").fill(number)
    page.locator("summary").click()
    page.locator("#companion-1").fill(names[1])
    page.locator("button.main").click()
    album.take(page, f"check-{tag}")
    page.locator("button.main").first.click()
    album.take(page, f"ticket-{tag}")


def states(album: Album, paths: dict[str, str]) -> None:
    """All states of the public pages, in both languages, light and dark."""
    for language in ("zh", "en"):
        for scheme in ("light", "dark"):
            folder = album.folder / "states" / f"{language}-{scheme}"
            folder.mkdir(parents=True, exist_ok=True)
            guest = Visitor(album.page(PHONES, scheme), album.address, language, paths)
            for name, page in guest.states():
                page.screenshot(path=folder / f"{name}.png", full_page=True)


def papers(album: Album, paths: dict[str, str]) -> None:
    """The printed ticket and the poster."""
    page = album.page(LAPTOP)
    for name, path in {"poster": "/zh/events/open/poster", "ticket": paths["couple"]}.items():
        page.goto(album.address + path)
        page.pdf(path=album.folder / f"{name}.pdf", prefer_css_page_size=True)
        paper(album.folder, name)


def paper(folder: Path, name: str) -> None:
    """Replace a PDF by pictures of its pages."""
    pdf = folder / f"{name}.pdf"
    subprocess.run(["pdftoppm", "-r", "70", "-png", str(pdf), str(folder / name)], check=True)
    pdf.unlink()


def fill(album: Album, page: Page) -> None:
    """Register the other people at the desk."""
    for place, name in enumerate(PEOPLE[:38]):
        page.goto(f"{album.address}/staff/events/{EVENT}/registrations/new")
        page.locator("#phone").fill(f"1390574{1000 + place * 37}")
        page.locator("#name").fill(name)
        if place % 8 == 2:
            page.locator("#companion-1").fill(f"{name[0]}阿姨")
        page.keyboard.press("Enter")
        page.locator("main[data-page=staff-registration]").wait_for()


def staff(album: Album, link: str) -> None:
    """The first organiser signs in and works at the desk."""
    page = album.page(LAPTOP)
    page.goto(link)
    album.take(page, "welcome")
    page.locator("#username").fill("olga")
    page.locator("#password").fill(LONG_PASSWORD)
    page.locator("button.main").click()
    album.take(page, "home")
    page.goto(f"{album.address}/staff/events/{EVENT}")
    album.take(page, "dashboard-empty")
    fill(album, page)
    album.take(page, "read-back")
    page.goto(f"{album.address}/staff/events/{EVENT}")
    album.take(page, "dashboard")
    page.goto(f"{album.address}/staff/events/{EVENT}/registrations/new")
    album.take(page, "take-call")
    page.goto(f"{album.address}/staff/events/{EVENT}/attendees")
    album.take(page, "attendees")
    page.goto(f"{album.address}/staff/events/{EVENT}/check-in-list")
    album.take(page, "list-on-screen")
    page.pdf(path=album.folder / "list.pdf", prefer_css_page_size=True)


def signed_in(album: Album, size: dict[str, int]) -> Page:
    """A browser in which Olga is signed in."""
    page = album.page(size)
    page.goto(f"{album.address}/staff/sign-in")
    page.locator("#username").fill("olga")
    page.locator("#password").fill(LONG_PASSWORD)
    page.locator("button.main").click()
    page.wait_for_url("**/staff/")
    return page


def after(album: Album) -> None:
    """The pages of desk and organiser on the working day before the event."""
    page = signed_in(album, LAPTOP)
    desk = f"/staff/events/{EVENT}"
    pages = {
        "calls": f"{desk}/calls?anyway=yes",
        "paper": f"{desk}/paper",
        "edit": f"{desk}/edit",
        "accounts": "/staff/accounts",
        "import": f"{desk}/import",
        "audit": f"{desk}/audit",
        "numbers": f"{desk}/numbers",
        "telephones": f"{desk}/telephones",
        "duplicates": f"{desk}/duplicates",
        "me": "/staff/me",
    }
    for name, path in pages.items():
        page.goto(album.address + path)
        album.take(page, name)
    page.goto(f"{album.address}{desk}/check-in-list?signs=yes")
    page.pdf(path=album.folder / "signs.pdf", prefer_css_page_size=True)
    paper(album.folder, "signs")


def report(album: Album) -> None:
    """The report, on the screen and on paper."""
    page = signed_in(album, LAPTOP)
    page.goto(f"{album.address}/staff/events/{EVENT}/report")
    album.take(page, "report")
    page.pdf(path=album.folder / "report.pdf", format="A4")
    paper(album.folder, "report")


def arrivals(album: Album) -> None:
    """Check in eight people."""
    page = signed_in(album, PHONES)
    open_door(album, page)
    for _ in range(8):
        page.locator("#app li[data-attendee] .in button").first.click()
        expect(page.locator(".panel")).to_have_class(re.compile("ok"))
        page.wait_for_timeout(100)
    expect(page.locator(".pill.good")).to_be_visible()


def search(page: Page, query: str) -> None:
    """Search at the door."""
    page.locator("#find").fill(query)
    page.wait_for_timeout(300)


def open_door(album: Album, page: Page) -> None:
    """The door's page on a device that shows the whole list, and whose volunteer knows what to
    ask."""
    page.goto(f"{album.address}/door/{EVENT}/")
    for name, value in (("private", "no"), ("script-read", "yes")):
        page.evaluate(f"localStorage.setItem('eventreg-door-{name}', '{value}')")
    page.reload()
    expect(page.locator("#app li[data-attendee]").first).to_be_visible()


def door(album: Album) -> None:
    """A volunteer checks people in on the day."""
    page = signed_in(album, PHONES)
    open_door(album, page)
    album.take(page, "door", whole=False)
    search(page, "zgf")
    page.locator("#app li[data-attendee] .in button").first.click()
    expect(page.locator(".panel.ok")).to_be_visible()
    album.take(page, "door-checked-in", whole=False)
    search(page, "zgf")
    album.take(page, "door-search", whole=False)
    search(page, "ppp")
    album.take(page, "door-not-found", whole=False)


def main(folder: Path) -> None:
    """Take all pictures into a folder."""
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        album, instance = Album(folder, browser), Path(temporary, "instance")
        with started(instance, EVENTREG_CLOCK="2030-06-05T10:00:00+08:00") as server:
            album.address = server.address
            guests(album, PHONES, "zh", ("张桂芳", "王建国"), "138 0013 8000", tag="zh")
            guests(
                album, PHONES, "en", ("Margaret Chen", "Henry Chen"), "+44 20 7946 0018", tag="en"
            )
            guests(album, LAPTOP, "en", ("Anna Lin", "Otto Lin"), "139 0013 8001", tag="en-laptop")
            staff(album, server.link)
        with started(instance, EVENTREG_CLOCK="2030-06-07T10:00:00+08:00") as server:
            album.address = server.address
            after(album)
        with started(instance, EVENTREG_CLOCK="2030-06-10T08:46:00+08:00") as server:
            album.address = server.address
            door(album)
        for moment in ("08:51", "08:56", "09:04"):
            with started(instance, EVENTREG_CLOCK=f"2030-06-10T{moment}:00+08:00") as server:
                album.address = server.address
                arrivals(album)
        with started(instance, EVENTREG_CLOCK="2030-06-10T11:20:00+08:00") as server:
            album.address = server.address
            report(album)
        whole = Path(temporary, "cast")
        whole.mkdir()
        with House(whole).app.app_context():
            checks.make_tables()
        paths = cast.prepare(whole)
        with started(whole, EVENTREG_CLOCK=cast.MORNING, EVENTREG_SECRET_KEY=SECRET) as server:
            album.address = server.address
            states(album, paths)
            papers(album, paths)
        browser.close()
    paper(folder, "list")


def for_the_readme(folder: Path) -> None:
    """Copy the pictures of the README."""
    shown = ROOT / "docs" / "pictures"
    shown.mkdir(exist_ok=True)
    for name in re.findall(r"docs/pictures/([\w-]+\.png)", (ROOT / "README.md").read_text()):
        shutil.copy(folder / name, shown / name)


if __name__ == "__main__":
    main(ROOT / "pictures")
    for_the_readme(ROOT / "pictures")
