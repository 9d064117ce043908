"""No byte of an erased person is left in any file, also if an erasure is cut short."""

import logging
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from eventreg.core.registration import lookup
from eventreg.operations import erasure_log, forgetting
from eventreg.storage.session import reading
from tests.operations.traces import (
    DESK,
    PEOPLE,
    SOUGHT,
    bytes_of,
    churn,
    four_people,
    left_of,
    names_left,
    press_erase,
    purge,
    register_couple,
)
from tests.support.factories import PASSWORD, House, local, toml
from tests.support.pages import get
from tests.support.servers import running

small = four_people


def test_after_a_purge_no_byte_of_any_guest_is_left(
    small: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    olga = small.signed_in("olga")
    get(olga, f"{DESK}/registrations/1")
    for address in (
        "attendees.csv",
        "attendees.xlsx",
        "check-in-list",
        "registrations/1/data.json",
    ):
        olga.get(f"{DESK}/{address}").close()
    for number in range(40):  # pages of the database file are written, freed and written again
        small.cancel(small.register(f"临时{number}", waitlist=True))
    sought = [*PEOPLE.values(), "murong", "11112222", "13711113333", "13711114444", "临时7"]
    folder = small.settings.instance
    before = bytes_of(folder)
    assert all(one.encode() in before for one in sought[:4]), "before, the search finds them"
    small.now = local("2030-07-10 11:00")
    purge(small)
    after = bytes_of(folder) + caplog.text.encode()
    assert [one for one in sought if one.encode() in after] == []


def test_without_scrubbing_the_names_would_stay_in_the_log(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the test above."""
    monkeypatch.setattr("eventreg.storage.checks.scrub", lambda: True)
    small.now = local("2030-07-10 11:00")
    purge(small)
    assert PEOPLE["name"].encode() in bytes_of(small.settings.instance)


def test_after_an_erasure_on_the_page_no_byte_of_those_people_is_left(
    small: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    olga = small.signed_in("olga")
    for address in (
        "registrations/1",
        "attendees.xlsx",
        "check-in-list",
        "attendees?q=慕容",
        "registrations/1/data.json",
    ):
        olga.get(f"{DESK}/{address}").close()
    churn(small)
    folder = small.settings.instance
    assert left_of(SOUGHT, bytes_of(folder)) == SOUGHT, "before, the search finds them"
    page = press_erase(olga, 1)
    assert left_of(SOUGHT, bytes_of(folder) + caplog.text.encode() + page.html.encode()) == []
    assert PEOPLE["waiting"].encode() in bytes_of(folder), "the others are still there"
    assert not list(folder.glob("scrub-owed.*"))


def test_after_an_erasure_on_a_running_server_no_byte_is_left(folder: Path) -> None:
    """Its other threads have connections of their own, and it writes a log."""
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=2))
        house.hire()
        register_couple(house)
        churn(house)
        assert left_of(SOUGHT, bytes_of(folder)) == SOUGHT
    house.close()
    with running(folder, EVENTREG_CLOCK="2030-06-03T10:30:00+08:00") as server:
        olga = build_opener(HTTPCookieProcessor())

        def ask(path: str, **typed: str) -> str:
            """Open a page, or fill in its form and send it."""
            with olga.open(server.address + path) as answer:
                text: str = answer.read().decode()
            fields = (
                dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text))
                | typed
            )
            if not typed:
                return text
            with olga.open(server.address + path, urlencode(fields).encode()) as answer:
                return str(answer.read().decode())

        ask("/staff/sign-in", username="olga", password=PASSWORD)
        for path in ("registrations/1", "attendees?q=murong", "attendees.csv", "check-in-list"):
            assert ask(f"{DESK}/{path}")
        assert PEOPLE["name"] not in ask(f"{DESK}/registrations/1/erase", sent="yes")
        (log,) = folder.parent.glob(f"{folder.name}-*.log")
        assert left_of(SOUGHT, bytes_of(folder) + log.read_bytes()) == []


def test_during_a_long_read_the_scrubbing_is_owed_and_done_later(
    small: House,
) -> None:
    olga, folder = small.signed_in("olga"), small.settings.instance
    with closing(sqlite3.connect(folder / "eventreg.sqlite3", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM attendees").fetchone()
        began = time.monotonic()
        assert PEOPLE["name"] not in press_erase(olga, 1).html
        assert time.monotonic() - began < 4, "the page does not wait for the reader"
        assert left_of(SOUGHT, bytes_of(folder)), "the reader's state is still in the log"
        said = small.app.test_cli_runner().invoke(args=["doctor"])
        assert said.exit_code == 1
        assert "NO forgetting: nothing is left to scrub (owed)" in said.output
        assert not forgetting.finish_scrubbing()
        reader.execute("ROLLBACK")
    reading().rollback()
    assert forgetting.finish_scrubbing()
    assert left_of(SOUGHT, bytes_of(folder)) == []
    assert not forgetting.is_scrubbing_owed()


class PowerCut(BaseException):
    """The program ends at once."""


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "part", ["eventreg.operations.erasure_log.remember", "eventreg.storage.checks.scrub"]
)
def test_an_erasure_that_is_cut_short_is_completed_later(
    small: House, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise PowerCut

    mark = lookup.get(reading(), 1).ticket_digest
    with monkeypatch.context() as cutting, pytest.raises(PowerCut):
        cutting.setattr(part, cut)
        forgetting.erase("small", 1, "", by=small.olga, now=small.now)
    assert forgetting.is_scrubbing_owed()
    assert forgetting.finish_scrubbing(), "as the background job does within a minute"
    forgetting.catch_up(now=small.now)
    assert PEOPLE["name"] not in names_left(small)
    assert mark in erasure_log.erased_digests()
    if small.settings.database_url.startswith("sqlite"):
        assert left_of(SOUGHT, bytes_of(small.settings.instance)) == []
