"""Erasing one person on request, and everyone at the end of the retention period."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from eventreg.core import audit, erasure, invariants
from eventreg.core.desk import reports
from eventreg.core.registration import lookup, tickets
from eventreg.storage import checks
from eventreg.storage.session import reading, transaction
from tests.operations.traces import DESK, PEOPLE, four_people, names_left, press_erase, purge
from tests.support.factories import ROOT, SECRET, House, local, toml
from tests.support.pages import Page, get
from tests.support.servers import answers, running

small = four_people


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


def test_the_page_says_what_could_not_be_erased_and_why(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.apply(toml("broken"))
    small.register("金一", slug="broken")
    small.now = local("2030-08-20 09:00")
    olga = small.signed_in("olga")
    page = get(olga, f"{DESK}/forget")
    with transaction() as session:
        session.execute(text("UPDATE events SET definition = '{}' WHERE slug = 'broken'"))
    monkeypatch.setattr(checks, "scrub", lambda: False)
    said = Page(olga.post(f"{DESK}/forget", data=page.form().fields))
    assert "还没有全部删完" in said.text
    assert "活动 broken 没有删成" in said.text
    assert "每分钟会自动再清一次" in said.text
    assert "现在没有要删的" not in said.text
