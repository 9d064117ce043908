"""A clerk who works by keyboard alone. Keys and seconds of each task are counted."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page

from eventreg.core.values import names
from tests.support.factories import PASSWORD
from tests.support.servers import Server
from tests.support.windows import LAPTOP, settle, window


@dataclass
class Clerk:
    """A clerk at a laptop. Notes the keys and the seconds of each task."""

    page: Page
    address: str
    keys: int = 0
    tasks: dict[str, tuple[int, float]] = field(default_factory=dict)

    def press(self, *keys: str) -> None:
        """Press keys."""
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1

    def types(self, text: str) -> None:
        """Type a text. Chinese is counted as an input method needs it: its pinyin and one key."""
        if text.isascii():
            self.page.keyboard.type(text)
            self.keys += len(text)
        else:
            self.page.keyboard.insert_text(text)
            self.keys += len(names.reading_of(names.parse(text).sort_key).replace(" ", "")) + 1

    def on_to(self, *keys: str) -> None:
        """Press keys, the last of which leads to another page, and wait for that page."""
        self.press(*keys[:-1])
        with self.page.expect_navigation():
            self.press(keys[-1])
        settle(self.page)

    def goes(self, path: str) -> None:
        """Open an address of this server."""
        self.page.goto(self.address + path)
        settle(self.page)

    def reach(self, selector: str) -> None:
        """Press Tab until the focus is there."""
        for _ in range(200):
            if self.page.evaluate("s => document.activeElement.matches(s)", selector):
                return
            self.press("Tab")
        raise AssertionError(f"the Tab key does not reach {selector}")

    def presses(self, selector: str) -> None:
        """Go to a button or a link by keyboard and press Enter."""
        self.reach(selector)
        self.on_to("Enter")

    @property
    def kind(self) -> str:
        """The kind of the page."""
        return str(self.page.locator("main").get_attribute("data-page"))

    @property
    def text(self) -> str:
        """The text of the page."""
        return self.page.locator("main").inner_text()

    def data(self, name: str) -> Any:
        """A figure that the page carries for programs."""
        return self.page.locator("main").get_attribute(f"data-{name}")

    @contextmanager
    def task(self, name: str) -> Iterator[None]:
        """Note the keys and seconds of the task."""
        keys, begun = self.keys, time.perf_counter()
        yield
        self.tasks[name] = (self.keys - keys, time.perf_counter() - begun)


def at_the_desk(browser: Browser, server: Server, name: str = "desmond") -> Clerk:
    """Sign in without a mouse."""
    clerk = Clerk(window(browser, LAPTOP), server.address)
    clerk.goes("/staff/sign-in")
    clerk.reach("#username")
    clerk.types(name)
    clerk.press("Tab")
    clerk.page.keyboard.insert_text(PASSWORD)
    clerk.on_to("Enter")
    return clerk
