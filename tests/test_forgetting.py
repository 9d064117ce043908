"""Forgetting: one person on request, everybody when their time is over, and after it not a byte of them anywhere."""

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from eventreg.core import audit, erasure, invariants, registrations, reports, tickets
from eventreg.db import reading, transaction
from eventreg.housekeeping import purge_due
from tests.factories import SECRET, House, local, toml
from tests.pages import Page, get
from tests.servers import answers, running

DESK = "/staff/events/small"
PEOPLE = {
    "name": "慕容翠花", "companion": "端木阿根", "phone": "13711112222", "email": "cuihua@example.org",
    "contact": "澹台小妹", "waiting": "闻人三", "cancelled": "公孙四",
}  # fmt: skip


@pytest.fixture
def small(house: House) -> House:
    """Two people came, one waits, one cancelled; and everybody is hired."""
    house.apply(toml(capacity=2))
    house.hire()
    house.register(
        PEOPLE["name"], PEOPLE["companion"], phone=PEOPLE["phone"], email=PEOPLE["email"], contact=PEOPLE["contact"],
        wishes="wheelchair",
    )  # fmt: skip
    house.register(PEOPLE["waiting"], phone="13711113333", waitlist=True)
    gone = house.register(PEOPLE["cancelled"], phone="13711114444", waitlist=True)
    house.cancel(gone)
    return house


def purge(house: House) -> list[tuple[str, int]]:
    """What the housekeeper forgets now."""
    reading().rollback()
    return [(one.stage.value, one.registrations) for one in purge_due()]


def names_left(house: House) -> set[str]:
    """The names that still stand in the database."""
    reading().rollback()
    return set(reading().execute(text("SELECT name FROM attendees")).scalars())


@pytest.mark.both_databases
def test_each_thing_is_forgotten_when_its_time_is_over(small: House) -> None:
    assert purge(small) == []
    small.now = local("2030-06-10 11:00")
    assert purge(small) == [("wishes", 1)], "wishes right after the event"
    small.now += timedelta(days=7)
    assert purge(small) == [("unseated", 2)], "a week later who had no seat"
    assert names_left(small) == {PEOPLE["name"], PEOPLE["companion"], erasure.NOBODY}
    small.now = local("2030-07-10 10:59")
    assert purge(small) == []
    small.now = local("2030-07-10 11:00")
    assert purge(small) == [("everybody", 1)], "and after keep_days everybody"
    assert names_left(small) == {erasure.NOBODY}
    assert reading().execute(text("SELECT count(*) FROM form_keys")).scalar_one() == 0, "digests of names and numbers"
    assert purge(small) == [], "twice is once"
    figures = reports.figures(reading(), small.event())
    assert (figures.registered, figures.no_show, figures.waiting, figures.cancelled) == (2, 2, 1, 1), "counts remain"
    assert invariants.of_event(reading(), small.event(), now=small.now).holds


@pytest.mark.both_databases
def test_a_dry_run_says_what_it_would_do_and_does_nothing(small: House) -> None:
    small.now = local("2030-07-10 11:00")
    runner = small.app.test_cli_runner()
    said = runner.invoke(args=["purge", "--dry-run"]).output
    assert said.splitlines() == [
        "small: wishes: 1 registrations", "small: unseated: 2 registrations", "small: everybody: 3 registrations",
        "would be forgotten",
    ]  # fmt: skip
    assert PEOPLE["name"] in names_left(small)
    assert "forgotten" in runner.invoke(args=["purge"]).output
    assert runner.invoke(args=["purge"]).output == "nothing is due\n"
    assert PEOPLE["name"] not in names_left(small)


def bytes_of(folder: Path) -> bytes:
    """Everything in the instance folder, and what the tests printed there."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_after_a_purge_no_byte_of_anybody_is_left(small: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    olga = small.signed_in("olga")
    get(olga, f"{DESK}/registrations/1")
    for address in ("attendees.csv", "attendees.xlsx", "check-in-list", "registrations/1/data.json"):
        olga.get(f"{DESK}/{address}").close()
    for number in range(40):  # some pages of the file are written, freed and written again
        small.cancel(small.register(f"临时{number}", waitlist=True))
    sought = [*PEOPLE.values(), "murong", "11112222", "13711113333", "13711114444", "临时7"]
    folder = small.settings.instance
    before = bytes_of(folder)
    assert all(one.encode() in before for one in sought[:4]), "the search finds what is there"
    small.now = local("2030-07-10 11:00")
    purge(small)
    after = bytes_of(folder) + caplog.text.encode()
    assert [one for one in sought if one.encode() in after] == []


def test_without_scrubbing_the_log_of_the_database_would_still_tell(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    monkeypatch.setattr("eventreg.storage.scrub", lambda: None)
    small.now = local("2030-07-10 11:00")
    purge(small)
    assert PEOPLE["name"].encode() in bytes_of(small.settings.instance)


def press_erase(client: FlaskClient, registration_id: int) -> Page:
    """Erase one registration's people; the page that follows."""
    page = get(client, f"{DESK}/registrations/{registration_id}/erase")
    answer = client.post(f"{DESK}/registrations/{registration_id}/erase", data=page.form().fields)
    return get(client, answer.headers["Location"])


@pytest.mark.both_databases
def test_one_person_is_erased_on_request_and_the_seat_goes_on(small: House) -> None:
    olga = small.signed_in("olga")
    asked = get(olga, f"{DESK}/registrations/1/erase")
    assert "座位让给候补的人" in asked.text
    page = press_erase(olga, 1)
    assert PEOPLE["name"] not in page.html
    assert PEOPLE["phone"] not in page.html
    assert registrations.get(reading(), 2).state == "confirmed", "who waited has the seat"
    left = reading().execute(text("SELECT count(*) FROM form_keys WHERE registration_id = 1")).scalar_one()
    assert left == 0, "nor a digest of name and number"
    assert press_erase(olga, 1).status == 200, "twice is once"
    assert "删除个人信息" in get(olga, f"{DESK}/audit").text
    assert small.signed_in("desmond").get(f"{DESK}/registrations/2/erase").status_code == 403
    assert invariants.of_event(reading(), small.event(), now=small.now).holds


def test_the_ticket_of_somebody_erased_shows_nothing_but_that(small: House) -> None:
    made = registrations.get(reading(), 1)
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


def test_somebody_gets_all_that_is_kept_of_them(small: House) -> None:
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
def test_a_backup_does_not_bring_anybody_back(small: House, tmp_path: Path) -> None:
    file = str(tmp_path / "before.zip")
    runner = small.app.test_cli_runner()
    reading().rollback()
    assert runner.invoke(args=["backup", "create", file]).exit_code == 0
    press_erase(small.signed_in("olga"), 1)
    reading().rollback()
    assert runner.invoke(args=["backup", "restore", file]).exit_code == 0
    assert PEOPLE["name"] not in names_left(small)
    assert PEOPLE["waiting"] in names_left(small)


def test_the_page_says_what_is_due_and_forgets_it(small: House) -> None:
    small.now = local("2030-06-20 09:00")
    olga = small.signed_in("olga")
    page = get(olga, f"{DESK}/forget")
    assert "姓名和电话最多留到 07-10 11:00" in page.text
    assert "取消的和没排上的：2 个报名" in page.text
    olga.post(f"{DESK}/forget", data=page.form().fields)
    assert "现在没有要删的。" in get(olga, f"{DESK}/forget").text
    assert PEOPLE["waiting"] not in names_left(small)


def test_an_erased_registration_can_be_looked_at_and_no_more(small: House) -> None:
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
        assert erasure.extract(session, event, registrations.get(session, 1), by=audit.SYSTEM, now=small.now)


def test_the_keeper_of_the_house_does_it_by_itself(folder: Path) -> None:
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
