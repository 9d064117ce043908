"""Erasing one person on request, and everyone at the end of the retention period.

Not a byte of them is left in any file.
"""

import json
import logging
import re
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from eventreg import background
from eventreg.core import audit, erasure, invariants
from eventreg.core.desk import reports
from eventreg.core.registration import lookup, tickets
from eventreg.operations import erasure_log, forgetting
from eventreg.storage.session import reading, transaction
from tests.support.factories import PASSWORD, ROOT, SECRET, House, local, toml
from tests.support.pages import Page, get
from tests.support.servers import answers, running

DESK = "/staff/events/small"
PEOPLE = {
    "name": "慕容翠花",
    "companion": "端木阿根",
    "phone": "13711112222",
    "email": "cuihua@example.org",
    "contact": "澹台小妹",
    "waiting": "闻人三",
    "cancelled": "公孙四",
}


@pytest.fixture
def small(house: House) -> House:
    """Two confirmed, one waiting and one cancelled person, and staff."""
    house.apply(toml(capacity=2))
    house.hire()
    house.register(
        PEOPLE["name"],
        PEOPLE["companion"],
        phone=PEOPLE["phone"],
        email=PEOPLE["email"],
        contact=PEOPLE["contact"],
        wishes="wheelchair",
    )
    house.register(PEOPLE["waiting"], phone="13711113333", waitlist=True)
    gone = house.register(PEOPLE["cancelled"], phone="13711114444", waitlist=True)
    house.cancel(gone)
    return house


def purge(house: House) -> list[tuple[str, int]]:
    """Run the background job. Returns what it has erased."""
    reading().rollback()
    return [(one.stage.value, one.registrations) for one in background.purge().found]


def names_left(house: House) -> set[str]:
    """The names in the database."""
    reading().rollback()
    return set(reading().execute(text("SELECT name FROM attendees")).scalars())


@pytest.mark.both_databases
def test_each_kind_of_data_is_erased_when_its_retention_period_ends(small: House) -> None:
    assert purge(small) == []
    small.now = local("2030-06-10 11:00")
    assert purge(small) == [("wishes", 1)], "wishes at the end of the event"
    small.now += timedelta(days=7)
    assert purge(small) == [("unseated", 2)], "a week later the people without a seat"
    assert names_left(small) == {PEOPLE["name"], PEOPLE["companion"], erasure.NOBODY}
    small.now = local("2030-07-10 10:59")
    assert purge(small) == []
    small.now = local("2030-07-10 11:00")
    assert purge(small) == [("everybody", 1)], "after keep_days everyone"
    assert names_left(small) == {erasure.NOBODY}
    assert reading().execute(text("SELECT count(*) FROM form_keys")).scalar_one() == 0, (
        "they are digests of names and numbers"
    )
    assert purge(small) == [], "a second purge changes nothing"
    figures = reports.figures(reading(), small.event())
    assert (figures.registered, figures.no_show) == (2, 2), "counts remain"
    assert (figures.waiting, figures.cancelled) == (1, 1)
    assert invariants.of_event(reading(), small.event(), now=small.now).holds


@pytest.mark.both_databases
def test_a_dry_run_says_what_would_be_erased_and_changes_nothing(small: House) -> None:
    small.now = local("2030-07-10 11:00")
    runner = small.app.test_cli_runner()
    said = runner.invoke(args=["purge", "--dry-run"]).output
    assert said.splitlines() == [
        "small: wishes: 1 registrations",
        "small: unseated: 2 registrations",
        "small: everybody: 3 registrations",
        "would be forgotten",
    ]
    assert PEOPLE["name"] in names_left(small)
    assert "forgotten" in runner.invoke(args=["purge"]).output
    assert runner.invoke(args=["purge"]).output == "nothing is due\n"
    assert PEOPLE["name"] not in names_left(small)


def bytes_of(folder: Path) -> bytes:
    """The content of all files in the instance folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


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


SOUGHT = [
    PEOPLE["name"],
    PEOPLE["companion"],
    PEOPLE["phone"],
    PEOPLE["email"],
    PEOPLE["contact"],
    "murong",
    "11112222",
]
"""Everything that identifies the people of the first registration."""


def churn(house: House) -> None:
    """Write, free and write again some pages of the database file."""
    for number in range(40):
        house.cancel(house.register(f"临时{number}", waitlist=True))


def left_of(sought: list[str], searched: bytes) -> list[str]:
    """Those texts that are still in these bytes."""
    return [one for one in sought if one.encode() in searched]


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
        house.register(
            PEOPLE["name"],
            PEOPLE["companion"],
            phone=PEOPLE["phone"],
            email=PEOPLE["email"],
            contact=PEOPLE["contact"],
        )
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


def test_only_the_module_forgetting_erases() -> None:
    """Each of these calls is one part of an erasure. Alone it would leave out the others."""
    parts = re.compile(r"\berasure\.(erase|purge|erase_again)\b|erasure_log\.remember\b|\bscrub\(")
    files = (ROOT / "eventreg").rglob("*.py")
    program = [path for path in files if path.name != "forgetting.py"]
    wrong = [
        (path.name, line.strip())
        for path in program
        for line in path.read_text().splitlines()
        if parts.search(line) and not line.lstrip().startswith("def ")
    ]
    assert wrong == []
    assert parts.search((ROOT / "eventreg" / "operations" / "forgetting.py").read_text())


def press_erase(client: FlaskClient, registration_id: int) -> Page:
    """Erase the people of one registration. Returns the page that follows."""
    page = get(client, f"{DESK}/registrations/{registration_id}/erase")
    answer = client.post(f"{DESK}/registrations/{registration_id}/erase", data=page.form().fields)
    return get(client, answer.headers["Location"])


@pytest.mark.both_databases
def test_one_party_is_erased_on_request_and_the_seats_are_given_on(small: House) -> None:
    olga = small.signed_in("olga")
    asked = get(olga, f"{DESK}/registrations/1/erase")
    assert "座位让给候补的人" in asked.text
    form = asked.form()
    page = press_erase(olga, 1)
    assert PEOPLE["name"] not in page.html
    assert PEOPLE["phone"] not in page.html
    assert lookup.get(reading(), 2).state == "confirmed", "the waiting person has a seat"
    left = (
        reading()
        .execute(text("SELECT count(*) FROM form_keys WHERE registration_id = 1"))
        .scalar_one()
    )
    assert left == 0, "the digests of name and number are gone too"
    again = olga.post(f"{DESK}/registrations/1/erase", data=form.fields)
    assert again.status_code == 303, "a second time changes nothing"
    assert olga.get(f"{DESK}/registrations/1/erase").status_code == 303, "and nothing is asked"
    assert "删除个人信息" in get(olga, f"{DESK}/audit").text
    assert small.signed_in("desmond").get(f"{DESK}/registrations/2/erase").status_code == 403
    assert invariants.of_event(reading(), small.event(), now=small.now).holds


def test_the_ticket_of_an_erased_person_shows_only_that_it_is_closed(small: House) -> None:
    made = lookup.get(reading(), 1)
    address = f"/T/{tickets.token(SECRET, made.ticket_seed)}"
    assert PEOPLE["name"] in get(small.client(), address).text
    small.now = local("2030-06-11 09:00")
    press_erase(small.signed_in("olga"), 1)
    for page in (get(small.client(), address), get(small.client(), f"{address}?lang=en")):
        assert page.kind == "closed"
        assert PEOPLE["name"] not in page.html
        assert erasure.NOBODY not in page.text
    assert reports.figures(reading(), small.event()).registered == 2, "still counted"
    for path in ("change", "cancel"):
        assert PEOPLE["name"] not in get(small.client(), f"{address}/{path}").html


def test_a_person_gets_a_copy_of_all_their_data(small: House) -> None:
    olga = small.signed_in("olga")
    answer = olga.get(f"{DESK}/registrations/1/data.json")
    found = json.loads(answer.get_data())
    assert found["registration"]["phone"] == "+8613711112222"
    assert found["registration"]["contact"] == PEOPLE["contact"]
    assert [one["name"] for one in found["people"]] == [PEOPLE["name"], PEOPLE["companion"]]
    assert PEOPLE["waiting"] not in answer.get_data(as_text=True)
    assert "导出个人信息" in get(olga, f"{DESK}/audit").text
    assert small.signed_in("desmond").get(f"{DESK}/registrations/1/data.json").status_code == 403


@pytest.mark.both_databases
def test_a_restore_brings_no_erased_person_back(small: House, tmp_path: Path) -> None:
    file = str(tmp_path / "before.zip")
    runner = small.app.test_cli_runner()
    reading().rollback()
    assert runner.invoke(args=["backup", "create", file]).exit_code == 0
    press_erase(small.signed_in("olga"), 1)
    reading().rollback()
    assert runner.invoke(args=["backup", "restore", file]).exit_code == 0
    assert PEOPLE["name"] not in names_left(small)
    assert PEOPLE["waiting"] in names_left(small)


def test_the_page_shows_what_is_due_and_erases_it(small: House) -> None:
    small.now = local("2030-06-20 09:00")
    olga = small.signed_in("olga")
    page = get(olga, f"{DESK}/forget")
    assert "姓名和电话最多留到 07-10 11:00" in page.text
    assert "取消的和没排上的：2 个报名" in page.text
    olga.post(f"{DESK}/forget", data=page.form().fields)
    assert "现在没有要删的。" in get(olga, f"{DESK}/forget").text
    assert PEOPLE["waiting"] not in names_left(small)


def test_the_pages_of_an_erased_registration_still_open(small: House) -> None:
    olga = small.signed_in("olga")
    press_erase(olga, 1)
    for path in (
        "registrations/1",
        "attendees",
        "attendees?state=cancelled",
        "calls?anyway=yes",
        "report",
        "duplicates",
        "paper",
    ):
        assert get(olga, f"{DESK}/{path}").status == 200
    with transaction() as session:
        event = small.event()
        assert erasure.extract(
            session, event, lookup.get(session, 1), by=audit.SYSTEM, now=small.now
        )


def test_a_running_server_erases_by_itself(folder: Path) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=2))
        house.register(PEOPLE["name"])
    house.close()
    with running(folder, EVENTREG_CLOCK="2030-07-10T11:00:00+08:00") as server:
        again = House(folder)
        with again.app.app_context():
            for _ in range(1_000):  # each look is a request, so this is seconds
                if not answers(server.address) or PEOPLE["name"] not in names_left(again):
                    break
            left = names_left(again)
        again.close()
    assert left == {erasure.NOBODY}
