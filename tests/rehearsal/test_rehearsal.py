"""A rehearsal has made-up people and a clock of its own, and touches nothing real."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from flask_migrate import upgrade
from playwright.sync_api import Browser, expect
from sqlalchemy.orm import Session

from eventreg import rehearse
from eventreg.core import invariants
from eventreg.core.desk import attendee_list
from eventreg.rehearsal import filling
from eventreg.storage.session import reading, write
from tests.support.factories import ROOT, SECRET, SHIPPED, House, bare_environment, local, toml
from tests.support.servers import free_port
from tests.support.windows import PHONE, window

_PASSWORD = re.compile(r"with the password (\S+)")


@pytest.fixture
def rehearsed(house: House) -> House:
    """An event of fifty seats with the made-up people."""
    house.apply(toml("june", capacity=50))
    event = house.event("june")
    write(lambda session: filling.fill(session, event, secret_key=SECRET))
    return house


def _names(house: House) -> dict[str, str]:
    reading().rollback()
    rows = attendee_list.listed(reading(), house.event("june"), attendee_list.Selection())
    return {row.name: row.state for row in rows}


def test_the_made_up_people_fill_the_event_and_some_wait_and_some_cancelled(
    rehearsed: House,
) -> None:
    found = _names(rehearsed)
    assert {"欧阳淑芬", "诸葛明", "单福根", "仇阿毛", "解永康", "查秀珍"} <= found.keys()
    assert rehearsed.seats("june").waiting >= 4
    assert "cancelled" in found.values()
    checked = invariants.of_event(reading(), rehearsed.event("june"), now=rehearsed.now)
    assert checked.holds, [one for one in checked.findings if not one.holds]


def test_a_reset_brings_back_the_beginning_and_keeps_the_staff(rehearsed: House) -> None:
    before = _names(rehearsed)
    write(lambda session: filling.add_staff(session, "four-words-and-more", now=rehearsed.now))
    rehearsed.register("来晚了", slug="june", source="phone", waitlist=True)
    assert _names(rehearsed) != before

    def again(session: Session) -> None:
        event = rehearsed.event("june")
        filling.empty(session, event, now=rehearsed.now)
        filling.fill(session, event, secret_key=SECRET)
        filling.add_staff(session, "another-password-now", now=rehearsed.now)

    write(again)
    assert _names(rehearsed) == before
    checked = invariants.of_event(reading(), rehearsed.event("june"), now=rehearsed.now)
    assert checked.holds, [one for one in checked.findings if not one.holds]


def test_a_small_event_gets_only_the_people_that_it_has_room_for(house: House) -> None:
    house.apply(toml("june", capacity=3, more="[waitlist]\nsize = 1\n"))
    write(lambda session: filling.fill(session, house.event("june"), secret_key=SECRET))
    counted = house.seats("june")
    assert (counted.taken, counted.waiting <= 1) == (3, True)


def test_every_page_says_that_it_is_a_rehearsal() -> None:
    frames = [path for path in (ROOT / "templates").rglob("*.html") if "<body" in path.read_text()]
    assert len(frames) >= 6
    for path in frames:
        body = path.read_text().partition("<body")[2]
        assert body.partition("\n")[2].startswith('{% include "rehearsal.html" %}'), path


@contextmanager
def _rehearsing(folder: Path) -> Iterator[tuple[int, int, str]]:
    """A rehearsal on a terminal: the terminal, the port, and what was printed until it answered."""
    port, (ours, theirs) = free_port(), pty.openpty()
    environment = bare_environment() | {"EVENTREG_INSTANCE": str(folder), "PORT": str(port)}
    program = subprocess.Popen(
        [sys.executable, "-m", "eventreg.rehearse"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        cwd=ROOT,
    )
    try:
        yield ours, port, _printed_until(ours, "eventreg is ready")
    finally:
        program.terminate()
        with suppress(subprocess.TimeoutExpired):
            program.wait(20)
        program.kill()
        os.close(ours)
        os.close(theirs)


def _printed_until(terminal: int, words: str) -> str:
    printed, ends = "", time.monotonic() + 60
    while words not in printed:
        assert time.monotonic() < ends, printed
        if select.select([terminal], [], [], 1)[0]:
            printed += os.read(terminal, 4096).decode(errors="replace")
    return printed


@pytest.mark.browser
def test_a_volunteer_rehearses_and_begins_again_with_one_key(
    browser: Browser, tmp_path: Path
) -> None:
    real = tmp_path / "instance"
    house = House(real)
    with house.app.app_context():
        upgrade()
        house.apply(SHIPPED.read_text(encoding="utf-8"))
        house.register("真人真名", slug="june-10-self-care")
    house.close()
    untouched = {path: path.read_bytes() for path in real.rglob("*") if path.is_file()}
    with _rehearsing(real) as (terminal, port, printed):
        password = _PASSWORD.search(printed)
        assert password, printed
        address = f"http://127.0.0.1:{port}"
        page = window(browser, PHONE)
        page.goto(f"{address}/staff/sign-in")
        expect(page.locator(".rehearsal")).to_be_visible()
        page.locator("#username").fill("door")
        page.locator("#password").fill(password[1])
        page.locator("button.main").click()
        expect(page.locator("main[data-page=staff-home]")).to_be_visible()
        assert {cookie["name"] for cookie in page.context.cookies()} >= {"rehearsal-s"}
        page.goto(f"{address}/door/june-10-self-care/")
        expect(page.locator(".rehearsal")).to_be_visible()
        expect(page.locator("main")).to_have_attribute("data-arrived", "0")
        assert "真人真名" not in page.content(), "only made-up people"
        os.write(terminal, b"r")
        _printed_until(terminal, "eventreg is ready")
        page.goto(f"{address}/door/june-10-self-care/")
        expect(page.locator("main")).to_have_attribute("data-arrived", "0")
    kept = {path: path.read_bytes() for path in real.rglob("*") if path in untouched}
    assert kept == untouched, "nothing of it touches real data"


def test_the_clock_begins_five_minutes_before_check_in(tmp_path: Path) -> None:
    environment = {"EVENTREG_INSTANCE": str(tmp_path), "EVENTREG_SMTP_URL": "smtp://real.example"}
    definition = rehearse.event_to_rehearse(environment)
    own = rehearse.own_environment(environment, definition)
    assert own["EVENTREG_CLOCK"] == local("2030-06-10 08:40").isoformat()
    assert own["EVENTREG_INSTANCE"] == str(tmp_path / "rehearsal")
    assert "EVENTREG_SMTP_URL" not in own, "no mail to anybody real"
    with pytest.raises(LookupError):
        rehearse.event_to_rehearse(environment | {"EVENT": "unknown"})
