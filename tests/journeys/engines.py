"""Real browsers that go back and reload: Chromium with and without its back-forward cache, with and
without scripts; and WebKitGTK, which is the nearest thing here to an iPhone."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Error, Page

from tests.support.servers import free_port

_STATE = """() => { const seen = document.querySelectorAll('#form input:not([type=hidden]), .big');
  const main = document.readyState === 'complete' && document.querySelector('main');
  return { page: main ? main.dataset.page : '',
    made: performance.timeOrigin,
    typed: Array.from(seen).filter(e => e.checkVisibility() && !e.closest('.trap'))
      .map(e => e.value === undefined ? e.textContent : e.value).filter(Boolean),
    button: (document.querySelector('button.main') || {}).textContent || '' }; }"""
_PATIENCE = 10


class Window(Protocol):
    """What a guest does in a window."""

    @property
    def url(self) -> str:
        """The address of the page."""

    def open(self, address: str) -> None:
        """Open an address."""

    def type(self, field: str, text: str) -> None:
        """Type into a field."""

    def press(self, what: str) -> None:
        """Press a button or a link."""

    def back(self) -> None:
        """Press Back."""

    def reload(self) -> None:
        """Reload the page."""

    def run(self, script: str) -> Any:
        """Run a script in the page, and give what it returns."""

    def state(self) -> dict[str, Any]:
        """The kind of the page ("" until all of it is there), what was typed as far as it is in
        sight, and the main button."""


def send(window: Window, button: str = "button.main") -> None:
    """Press the button of a form, and wait for the next page, also if it is of the same kind."""
    leave(window, lambda: window.press(button))


def leave(window: Window, by: Callable[[], None]) -> dict[str, Any]:
    """Do what leads to another page, and wait until all of that is there. Returns its state."""
    before = window.state()["made"]
    by()
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with suppress(Error, RuntimeError):  # between two pages
            seen = window.state()
            if seen["page"] and seen["made"] != before:
                return seen
        time.sleep(0.1)
    raise AssertionError("no other page")


def shows(window: Window, page: str, typed: list[str] | None = None) -> dict[str, Any]:
    """Wait until that page is shown, and what was typed if it is given: browsers put it back a
    moment after they show a page. Returns the state of the page."""
    seen: dict[str, Any] = {}
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with suppress(Error, RuntimeError):  # between two pages
            seen = window.state()
            if seen["page"] == page and (typed is None or seen["typed"] == typed):
                return seen
        time.sleep(0.1)
    raise AssertionError(f"no page {page} {typed or ''}, but {seen}")


class InChromium:
    """A window of Chromium."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @property
    def url(self) -> str:
        """The address of the page."""
        return self._page.url

    def open(self, address: str) -> None:
        """Open an address."""
        self._page.goto(address)

    def type(self, field: str, text: str) -> None:
        """Type into a field."""
        self._page.locator(field).fill(text)

    def press(self, what: str) -> None:
        """Press a button or a link."""
        self._page.locator(what).first.click()

    def back(self) -> None:
        """Press Back. A page that asks to send a form again is an error of Playwright's."""
        with suppress(Error):
            self._page.go_back(wait_until="commit")

    def reload(self) -> None:
        """Reload the page."""
        self._page.reload()

    def run(self, script: str) -> Any:
        """Run a script in the page, and give what it returns."""
        return self._page.evaluate(f"() => {{ {script} }}")

    def state(self) -> dict[str, Any]:
        """The kind of the page, and what was typed."""
        found: dict[str, Any] = self.run(f"return ({_STATE})()")
        return found


_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The name under which WebDriver gives an element."""


class InWebKit:
    """A window of WebKitGTK, driven by WebDriver."""

    def __init__(self, driver: str) -> None:
        self._driver = driver
        browser = str(next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser")))
        options = {"binary": browser, "args": ["--automation"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        self._session = self._ask("/session", wanted)["sessionId"]

    def _ask(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        data = None if method == "GET" else json.dumps(body or {}).encode()
        headers = {"Content-Type": "application/json"}
        asked = urllib.request.Request(  # noqa: S310 - a program on this machine
            self._driver + path, data, headers, method=method
        )
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from error

    def _do(self, path: str, **body: Any) -> Any:
        return self._ask(f"/session/{self._session}{path}", body)

    def _element(self, selector: str) -> str:
        found = self._do("/element", using="css selector", value=selector)
        return f"/element/{found[_ELEMENT]}"

    @property
    def url(self) -> str:
        """The address of the page."""
        return str(self._ask(f"/session/{self._session}/url", method="GET"))

    def open(self, address: str) -> None:
        """Open an address."""
        self._do("/url", url=address)

    def type(self, field: str, text: str) -> None:
        """Type into a field."""
        element = self._element(field)
        self._do(f"{element}/clear")
        self._do(f"{element}/value", text=text)

    def press(self, what: str) -> None:
        """Press a button or a link."""
        self._do(f"{self._element(what)}/click")

    def back(self) -> None:
        """Press Back."""
        self._do("/back")

    def reload(self) -> None:
        """Reload the page."""
        self._do("/refresh")

    def run(self, script: str) -> Any:
        """Run a script in the page, and give what it returns."""
        return self._do("/execute/sync", script=script, args=[])

    def state(self) -> dict[str, Any]:
        """The kind of the page, and what was typed."""
        found: dict[str, Any] = self.run(f"return ({_STATE})()")
        return found

    def close(self) -> None:
        """Close the window."""
        self._ask(f"/session/{self._session}", method="DELETE")


@contextmanager
def webkit() -> Iterator[Window]:
    """A window of WebKitGTK, on a screen of its own."""
    port = free_port()
    environment = {
        **os.environ,
        "DISPLAY": f":{port}",
        "GDK_BACKEND": "x11",
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
    }
    programs = [
        ["Xvfb", f":{port}", "-screen", "0", "800x1000x24", "-nolisten", "tcp"],
        ["WebKitWebDriver", f"--port={port}"],
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [subprocess.Popen(one, env=environment, **quiet) for one in programs]  # type: ignore[call-overload]
    try:
        window = _when_ready(lambda: InWebKit(f"http://127.0.0.1:{port}"))
        try:
            yield window
        finally:
            window.close()
    finally:
        for program in reversed(started):
            program.terminate()
            program.wait(10)


def _when_ready(begin: Callable[[], InWebKit]) -> InWebKit:
    """Begin as soon as the driver and its screen are ready."""
    until = time.monotonic() + 30
    while True:
        try:
            return begin()
        except (OSError, RuntimeError):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
