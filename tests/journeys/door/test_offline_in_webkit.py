"""Pairing and the offline core of the door in WebKitGTK, the nearest thing here to an iPhone."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from eventreg.core.audit import Actor
from eventreg.core.event import events
from eventreg.core.models.staff import StaffMember
from eventreg.core.staff import pairing
from eventreg.storage.session import transaction
from tests.journeys.engines import InWebKit, shows, webkit
from tests.proofs.conftest import WHOLE
from tests.support.door.hall import Hall, hall
from tests.support.door.volunteer import arrivals, keys, told_by
from tests.support.factories import PASSWORD

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not WHOLE, reason="in `make proofs`"),
]
_ASKED = """window.asked = null; const script = document.querySelector('script[type=module]');
  (script ? import(script.src) : Promise.reject('no script')).then(async (app) => {
    await app.ready; window.asked = { said: await (async () => { %s })() };
  }).catch((fault) => { window.asked = { fault: String(fault) }; })"""


def run(window: Any, script: str, patience: float = 20) -> Any:
    """Run a script with ``app``, the module of the page, and wait for what it returns."""
    window.run(_ASKED % script)
    until = time.monotonic() + patience
    while time.monotonic() < until:
        asked = window.run("return window.asked")
        if asked:
            assert "fault" not in asked, asked["fault"]
            return asked.get("said")
        time.sleep(0.05)
    raise AssertionError(script)


def wait(window: Any, condition: str) -> None:
    """Wait until this holds in the page."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with suppress(AssertionError, RuntimeError):  # between two pages
            if run(window, f"return Boolean({condition})", 3):
                return
        time.sleep(0.1)
    raise AssertionError(f"{condition}: {window.url} {window.run('return window.asked')}")


def test_an_iphone_checks_people_in_without_a_network_and_loses_nobody(
    migrated: Path, tmp_path: Path
) -> None:
    with hall(migrated, tmp_path / "hall", 12) as at, webkit() as window:
        assert isinstance(window, InWebKit)
        window.open(f"{at.network.address}/staff/sign-in?next=/door/small/")
        window.type("#username", "dora")
        window.type("#password", PASSWORD)
        window.run("document.querySelector('#password').form.submit()")
        wait(window, "app.door.state().people.size === 12 && navigator.serviceWorker.controller")
        at.network.be("gone")
        script = """let green = 0;
          for (const one of [...app.door.state().people.keys()].slice(%s))
            green += (await app.actions.checkIn(one)).told.kind === 'checked-in' ? 1 : 0;
          return green;"""
        assert run(window, script % "0, 6") == 6
        window.reload()
        wait(window, "app.door.state().arrived === 6")
        assert run(window, script % "6") == 6
        at.network.be("works")
        wait(window, "app.door.status().unsent === 0")
        assert set(arrivals(at.folder).values()) == {1}
        assert len(arrivals(at.folder)) == len(keys(at.folder)) == 12


def code(at: Hall) -> str:
    """The address behind a new code on the desk's screen."""

    def offer() -> str:
        with transaction() as session:
            event = events.get(session, "small")
            by = session.scalars(select(StaffMember.id).where(StaffMember.username == "desmond"))
            return pairing.offer(session, event, by=Actor("staff", by.one()), now=event.starts_at)

    return f"{at.network.address}/staff/pair/{told_by(at.folder, offer)}"


_TESTED = """return Object.fromEntries([...document.querySelectorAll('#tests li:not([hidden])')]
  .map(one => [one.dataset.test, one.querySelector('[data-found]:not([hidden])').dataset.found]))"""


def test_an_iphone_is_paired_after_its_browser_was_tested_and_works_without_a_network(
    migrated: Path, tmp_path: Path
) -> None:
    with hall(migrated, tmp_path / "hall", 6) as at, webkit() as window:
        assert isinstance(window, InWebKit)
        window.open(code(at))
        shows(window, "staff-pair")
        until = time.monotonic() + 20
        while window.run("return document.querySelector('#offline').hidden"):
            assert time.monotonic() < until, window.run(_TESTED)
            time.sleep(0.1)
        found = window.run(_TESTED)
        assert found.pop("kept") in {"ok", "refused", "missing"}
        assert found == {"secure": "ok", "worker": "ok", "storage": "ok"}
        window.press("#offline")
        wait(window, "app.door.state().people.size === 6 && navigator.serviceWorker.controller")
        assert run(window, "return app.door.facts().device_name") == "1 号台"
        at.network.be("gone")
        window.reload()
        wait(window, "app.door.state().people.size === 6")
        come = (
            "return (await app.actions.checkIn([...app.door.state().people.keys()][0])).told.kind"
        )
        assert run(window, come) == "checked-in"
        at.network.be("works")
        wait(window, "app.door.status().unsent === 0")
        assert len(arrivals(at.folder)) == 1
