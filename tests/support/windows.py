"""Windows of a real browser: their sizes, ways through the pages, and checks of each page that is
shown."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from tests.support import cast
from tests.support.factories import PASSWORD
from tests.support.servers import Server

PHONE: Any = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}
SMALLEST: Any = {"viewport": {"width": 320, "height": 568}}
TABLET: Any = {"viewport": {"width": 768, "height": 1024}}
LAPTOP: Any = {"viewport": {"width": 1280, "height": 800}}
SIZES = ("standard", "large", "largest")
_AXE = {
    "runOnly": {
        "type": "tag",
        "values": [
            "wcag2a",
            "wcag2aa",
            "wcag21a",
            "wcag21aa",
            "wcag22aa",
            "wcag2aaa",
            "best-practice",
        ],
    },
    "rules": {"color-contrast-enhanced": {"enabled": True}, "target-size": {"enabled": True}},
    "resultTypes": ["violations"],  # of passed rules, the name is enough
}
_SEEN = "e => e.checkVisibility() && !e.closest('.trap, .skip, [hidden]')"
_LOW = f"""() => {{ const seen = {_SEEN};
  const low = (of, least) => [...document.querySelectorAll(of)].filter(seen)
    .map(e => [e, e.getBoundingClientRect()])
    .filter(([e, r]) => Math.round(r.height) < least || Math.round(r.width) < 48)
    .map(([e, r]) => `${{e.outerHTML.slice(0, 90)}} ${{r.width}}x${{r.height}}`);
  return [...low('.button, button.main', 64), ...low('input:not([type=hidden]), summary', 60),
    ...low('header a, header button, .tools > *, .way, .back, .mend, .tel, footer a', 48)]; }}"""
"""Finds targets that are too small for a finger. Links inside a sentence are exempt, as in WCAG
2.5.8."""
_SMALL = """() => { const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const small = [];
  while (walk.nextNode()) { const p = walk.currentNode.parentElement;
    if (walk.currentNode.textContent.trim() && p.checkVisibility() &&
        !p.closest('.trap, script, style') &&
        parseFloat(getComputedStyle(p).fontSize) < 17.99)
      small.push(walk.currentNode.textContent.trim()); } return small; }"""
_CLOSE = f"""() => {{ const seen = {_SEEN};
  const all = [...document.querySelectorAll(
    '.button, button.main, input:not([type=hidden]), .tools > *')]
    .filter(seen)
    .map(e => [e.outerHTML.slice(0, 60), e.getBoundingClientRect()]); const close = [];
  for (const [a, r] of all) for (const [b, s] of all) if (a !== b && r.top <= s.top) {{
    const down = s.top - r.bottom, beside = Math.max(s.left - r.right, r.left - s.right);
    if (down < 7.5 && beside < 7.5) close.push(`${{a}} | ${{b}}`); }}
  return close; }}"""
_SIDEWAYS = """() => { const wide = [...document.body.querySelectorAll('*')]
    .filter(e => e.checkVisibility() && !e.closest('.trap, .skip, .hidden, svg'))
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5 ||
      e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
    .map(e => e.outerHTML.slice(0, 100));
  const root = document.documentElement;
  return root.scrollWidth > root.clientWidth ? ['the page', ...wide] : wide; }"""
_SPACED = """() => { const sheet = new CSSStyleSheet();
  sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; ' +
    'word-spacing: .16em !important } ' +
    'p { margin-bottom: 2em !important }'); document.adoptedStyleSheets = [sheet]; }"""
"""Sets the text spacing of WCAG 1.4.12."""


def window(browser: Browser, shape: Any, *, scripts: bool = True, scheme: str = "light") -> Page:
    """A fresh browser window."""
    given = {"color_scheme": scheme, **shape}
    page = browser.new_context(**given, java_script_enabled=scripts, locale="zh-CN").new_page()
    page.set_default_timeout(30_000)
    return page


def kind(page: Page, name: str) -> None:
    """Wait until the page with that data-page is shown."""
    expect(page.locator("main")).to_have_attribute("data-page", name)


def follow(pressed: Locator) -> None:
    """Press what leads to another page, and wait for that page. A click alone may return while the
    old page is still shown: what a test then reads or types belongs to that page, and the next
    ``goto`` cuts off what was sent."""
    with pressed.page.expect_navigation():
        pressed.click()


def sign_in(page: Page, server: Server, name: str) -> None:
    """Sign a staff member in."""
    page.goto(f"{server.address}/staff/sign-in")
    page.locator("#username").fill(name)
    page.locator("#password").fill(PASSWORD)
    page.locator("button.main").click()
    kind(page, "staff-home")


def settle(page: Page) -> None:
    """Wait until the page is drawn. Until then Chromium drops keys: of 150 Enters pressed right
    after loading, up to 27 were lost."""
    page.screenshot(clip={"x": 0, "y": 0, "width": 1, "height": 1})


def slowed(page: Page) -> CDPSession:
    """Slow the window down: 400 kbit/s, 2 s latency, a processor six times slower."""
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    slow = {
        "offline": False,
        "latency": 2000,
        "downloadThroughput": 50_000,
        "uploadThroughput": 50_000,
    }
    wire.send("Network.emulateNetworkConditions", slow)
    return wire


def painted(page: Page) -> float:
    """Milliseconds until the largest contentful paint."""
    moment: float = page.evaluate(
        "() => new Promise(done => new PerformanceObserver(list => "
        "done(list.getEntries().pop().startTime))"
        ".observe({type: 'largest-contentful-paint', buffered: true}))"
    )
    return moment


@dataclass(frozen=True)
class Visitor:
    """A guest with a window and a language, on a server that has all events of ``cast``."""

    page: Page
    address: str
    language: str
    paths: dict[str, str]

    def choose(self, size: str) -> None:
        """Choose a text size. A cookie keeps it."""
        self.page.goto(f"{self.address}/{self.language}/privacy?size={size}")

    def go(self, path: str) -> Page:
        """Open an address in the guest's language."""
        speaks = f"?lang={self.language}" if path.startswith("/T/") else ""
        self.page.goto(f"{self.address}{path}{speaks}")
        return self.page

    def event(self, slug: str, rest: str = "") -> Page:
        """Open an event, or a page below it."""
        return self.go(f"/{self.language}/events/{slug}{rest}")

    def fill(self, slug: str, name: str, phone: str, companion: str = "") -> Page:
        """Fill in the registration form and send it."""
        page = self.event(slug, "/register")
        page.locator("#name").fill(name)
        page.locator("#phone").fill(phone)
        if companion:
            page.locator("summary").click()
            page.locator("#companion-1").fill(companion)
        return self.press_the_button()

    def press_the_button(self) -> Page:
        """Press the main button and wait for the next page."""
        follow(self.page.locator("button.main").first)
        return self.page

    def main_states(self) -> Iterator[tuple[str, Page]]:
        """The three pages that every guest sees."""
        yield "event", self.event("open")
        yield "form", self.event("open", "/register")
        yield "ticket", self.go(self.paths["couple"])

    def on_the_way_to_a_ticket(self) -> Iterator[tuple[str, Page]]:
        """The same three, and the check page."""
        yield from self.main_states()
        yield "check", self.fill("open", "王小明", "13800138066")

    def states(self, *names: str) -> Iterator[tuple[str, Page]]:
        """Every state of the public pages, or those of these names."""
        for name, show in self.shows().items():
            if name in names or not names:
                yield name, show()

    def shows(self) -> dict[str, Callable[[], Page]]:
        """For the name of each state, a function that shows it. None of them books a seat, so that
        every visitor sees the same."""
        couple, waitlisted = self.paths["couple"], self.paths["waitlisted"]
        closed = ("full-waiting", "full", "closed", "not-yet-open", "over", "cancelled")
        return {
            **{f"event-{slug}": partial(self.event, slug) for slug in cast.FILES},
            **{f"ticket-{name}": partial(self.go, path) for name, path in self.paths.items()},
            **{
                f"{act}-couple": partial(self.go, f"{couple}/{act}") for act in ("change", "cancel")
            },
            "cancel-waiting": partial(self.go, f"{waitlisted}/cancel"),
            **{
                rest or "start": partial(self.go, f"/{self.language}/{rest}")
                for rest in ("", "find", "privacy", "accessibility", "nothing")
            },
            "poster": partial(self.event, "open", "/poster"),
            **{
                f"form-{slug}": partial(self.event, slug, "/register") for slug in ("open", *closed)
            },
            "problems": partial(self.fill, "open", "", "1380013800"),
            "check": partial(
                self.fill,
                "open",
                "Margaret Elizabeth Chen",
                "+44 20 7946 0018",
                "阿卜杜热依木·买买提",
            ),
            "full-couple": partial(self.fill, "one", "张桂芳", "13800138077", "王建国"),
            "already-registered": self._already_registered,
            "find-problems": self._find_problems,
        }

    def _already_registered(self) -> Page:
        page = self.fill("open", "张桂芳", "138 0013 8000")
        self.press_the_button()
        kind(page, "already-registered")
        return page

    def _find_problems(self) -> Page:
        self.go(f"/{self.language}/find")
        return self.press_the_button()


def faults(name: str, page: Page) -> list[str]:
    """The faults of the page that is shown: accessibility, sizes, distances."""
    result = Axe().run(page, options=_AXE).response
    found = [
        f"{name}: {fault['id']}: {fault['nodes'][0]['html'][:120]}"
        for fault in result["violations"]
    ]
    passed = {rule["id"] for rule in result["passes"]}
    found += [
        f"{name}: {rule} was not looked at"
        for rule in {"color-contrast-enhanced", "target-size"} - passed
    ]
    return found + measured(name, page)


def measured(name: str, page: Page) -> list[str]:
    """Faults in measures: too small to press or to read, too close, or too wide."""
    found = [f"too small to press: {target}" for target in page.evaluate(_LOW)]
    found += [f"too close: {pair}" for pair in page.evaluate(_CLOSE)]
    if name != "poster":
        found += [f"too small to read: {text}" for text in page.evaluate(_SMALL)]
    found += [f"sideways: {what}" for what in page.evaluate(_SIDEWAYS)]
    return [f"{name}: {fault}" for fault in found]


def sideways(name: str, page: Page) -> list[str]:
    """What is too wide in any text size, with normal and with larger text spacing."""
    found = []
    for size in SIZES:
        page.evaluate("size => { document.documentElement.className = size }", size)
        found += [f"{name}, {size}: {what}" for what in page.evaluate(_SIDEWAYS)]
    page.evaluate(_SPACED)
    for size in SIZES:
        page.evaluate("size => { document.documentElement.className = size }", size)
        found += [f"{name}, {size}, spaced: {what}" for what in page.evaluate(_SIDEWAYS)]
    return found
