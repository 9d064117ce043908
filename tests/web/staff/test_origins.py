"""Only pages of this server may send forms: other origins and other servers on the same machine."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Window
from pytest import MonkeyPatch

from eventreg.web import guard
from tests.support.chromium import launched
from tests.support.factories import PASSWORD, House, toml
from tests.support.pages import get
from tests.support.servers import running
from tests.support.windows import LAPTOP, follow, kind, window
from tests.web.staff.test_kept_forms import end_sessions, registered

DESK = "/staff/events/small"
NEW = f"{DESK}/registrations/new"
TYPED = {"name": "张桂芳", "phone": "13800138000"}


OURS = "https://register.example.org"


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        (OURS, "register.example.org", 303),
        (f"{OURS}:443", "register.example.org", 303),
        (OURS, "register.example.org:8000", 303),
        ("http://register.example.org:8000", "register.example.org:8000", 303),
        ("null", "register.example.org", 303),
        (f"{OURS}:8443", "register.example.org", 403),
        ("http://register.example.org:8443", "register.example.org", 403),
        ("http://register.example.org:9000", "register.example.org:8000", 403),
        ("http://127.0.0.1:9000", "127.0.0.1:8000", 403),
        ("http://127.0.0.1", "127.0.0.1:8000", 403),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", 303),
        ("http://localhost:8000", "127.0.0.1:8000", 403),
        ("https://127.0.0.1:8000", "127.0.0.1:8000", 403),
        ("http://[::1]:8000", "[::1]:8000", 303),
        ("http://[::1]:8001", "[::1]:8000", 403),
        ("http://register.example.org.evil.example", "register.example.org", 403),
        ("http://eve@127.0.0.1:8000", "127.0.0.1:8000", 403),
        ("http://127.0.0.1:99999", "127.0.0.1:8000", 403),
        ("http://[", "127.0.0.1:8000", 403),
        ("", "127.0.0.1:8000", 403),
    ],
)
def test_only_pages_of_this_server_may_post(
    folder: Path, origin: str, host: str, status: int
) -> None:
    house = House(folder, EVENTREG_PUBLIC_URL="http://unused.example.org")
    object.__setattr__(house.app.extensions["settings"], "public_url", OURS)
    with house.app.app_context():
        house.hire()
        client = house.client()
        at = {"base_url": f"http://{host}"}
        form = get(client, "/staff/sign-in", **at).form().fields
        typed = {**form, "username": "olga", "password": PASSWORD}
        answer = client.post("/staff/sign-in", data=typed, headers={"Origin": origin}, **at)
    house.close()
    assert answer.status_code == status


def test_without_the_origin_check_another_server_could_post(
    house: House, monkeypatch: MonkeyPatch
) -> None:
    """The negative control."""
    house.hire()
    client = house.client()
    monkeypatch.setattr(guard, "_is_own", lambda _: True)
    form = get(client, "/staff/sign-in").form().fields
    typed = {**form, "username": "olga", "password": PASSWORD}
    answer = client.post("/staff/sign-in", data=typed, headers={"Origin": "http://localhost:9000"})
    assert answer.status_code == 303


NAME = "register.test"
"""For plain http by name, as in a local network: browsers then send no Sec-Fetch-Site."""


@contextmanager
def other_server(page: str) -> Iterator[int]:
    """Run another server on the same machine with this page; yields its port."""

    class Planting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Planting)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def trap(target: str, referrer: str) -> str:
    """A page with a form that is sent to us."""
    fields = "".join(f'<input name="{name}" value="{value}">' for name, value in TYPED.items())
    return (
        f'<!doctype html><meta charset="utf-8"><meta name="referrer" content="{referrer}">'
        f'<form method="post" action="{target}">{fields}<button id="go">x</button></form>'
    )


def enter(page: Window) -> None:
    """Type name and password on the sign-in page that is open."""
    page.locator("#username").fill("desmond")
    page.locator("#password").fill(PASSWORD)
    follow(page.locator("button.main"))


@pytest.mark.browser
def test_a_real_browser_does_not_save_a_form_planted_by_another_server(
    folder: Path, browser: Browser
) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(toml())
        house.hire()
        mapped = launched(browser.browser_type, f"--host-resolver-rules=MAP {NAME} 127.0.0.1")
        with running(folder, EVENTREG_PUBLIC_URL=f"http://{NAME}") as server:
            ours = server.address.replace("127.0.0.1", NAME)
            page = window(mapped, LAPTOP)
            page.goto(f"{ours}/staff/sign-in")
            enter(page)
            end_sessions("desmond")
            for referrer, answer in (("no-referrer", "staff-sign-in"), ("origin", "error")):
                with other_server(trap(f"{ours}{NEW}", referrer)) as port:
                    page.goto(f"http://{NAME}:{port}/")
                    with (
                        page.expect_request(re.compile(re.escape(NEW))) as sent,
                        page.expect_navigation(),
                    ):
                        page.locator("#go").click()
                    assert "sec-fetch-site" not in sent.value.all_headers(), (
                        "else this proves nothing"
                    )
                    kind(page, answer)
                if answer == "staff-sign-in":
                    assert page.locator('input[name="kept"]').count() == 0
                    enter(page)
                    kind(page, "staff-home")
                    end_sessions("desmond")
            assert registered(house) == 0
            page.goto(f"{ours}/staff/sign-in")
            enter(page)
            page.goto(f"{ours}{NEW}")
            page.locator("#phone").fill(TYPED["phone"])
            page.locator("#name").fill(TYPED["name"])
            end_sessions("desmond")
            follow(page.locator("button.main"))
            kind(page, "staff-sign-in")
            enter(page)
            kind(page, "staff-once-more")
            assert TYPED["phone"] in page.locator("main").inner_text()
            follow(page.locator("button.main"))
            kind(page, "staff-registration")
            assert registered(house) == 1
            page.context.close()
        mapped.close()
    house.close()
