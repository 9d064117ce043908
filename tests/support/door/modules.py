"""The door's JavaScript modules alone in a browser, without a server."""

from typing import Any

from playwright.sync_api import Browser, Page, Route

from tests.support.factories import ROOT

_DOOR = ROOT / "static" / "door"
_ADDRESS = "http://door.test/"


def page_with(browser: Browser, module: str, **window: Any) -> Page:
    """A page in which ``window.module`` is that module of static/door."""
    page = browser.new_context(**window).new_page()

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(_ADDRESS)
        file = next(_DOOR.rglob(name), _DOOR / name)
        if not name:
            route.fulfill(body="<!doctype html><title>modules</title>", content_type="text/html")
        elif file.is_file():
            route.fulfill(body=file.read_bytes(), content_type="text/javascript; charset=utf-8")
        else:
            route.fulfill(status=404)

    page.route("**/*", answer)
    page.goto(_ADDRESS)
    page.evaluate("async name => { window.module = await import(name) }", f"{_ADDRESS}{module}")
    return page


def asked(page: Page, function: str, *given: Any) -> Any:
    """What the function of the module answers."""
    return page.evaluate("([name, given]) => module[name](...given)", [function, list(given)])
