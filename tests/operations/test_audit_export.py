"""After a breach, the operator and the organiser get what happened in a time span."""

import codecs
import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from eventreg.core import audit
from eventreg.core.audit import Action
from eventreg.storage.session import reading
from tests.support.factories import PASSWORD, House, local, toml
from tests.support.houses import with_seats
from tests.support.pages import fill, get

DESK = "/staff/events/small"
DAYS = "since=2030-06-04&until=2030-06-05"
small = with_seats(5, staff=True)


def rows_of(content: bytes) -> list[dict[str, str]]:
    """The lines of the CSV."""
    assert content.startswith(codecs.BOM_UTF8)
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def exported(client: FlaskClient, days: str = DAYS) -> list[dict[str, str]]:
    """The lines that the organiser downloads."""
    answer = client.get(f"{DESK}/audit.csv?{days}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return rows_of(answer.get_data())


def three_days_with_a_look(house: House) -> None:
    """Somebody registers on Monday, on Tuesday and on Wednesday; on Tuesday, Desmond exports."""
    for day, name in ((3, "张桂芳"), (4, "王建国"), (6, "李秀英")):
        house.now = local(f"2030-06-{day:02} 23:30")
        house.register(name, phone=f"1380013800{day}")
        if day == 4:
            desmond = house.signed_in("desmond")
            desmond.get(f"{DESK}/attendees.csv").close()


def test_the_organiser_gets_the_entries_of_those_days_by_the_clock_of_the_event(
    small: House,
) -> None:
    three_days_with_a_look(small)
    rows = exported(small.signed_in("olga"))
    assert [one["action"] for one in rows] == [
        Action.SEATS_TAKEN,
        Action.SIGNED_IN,
        Action.EXPORTED,
    ]
    look = rows[-1]
    assert look["time"] == "2030-06-04T15:30:00+00:00"
    assert (look["event"], look["actor"], look["username"]) == ("small", "staff", "desmond")
    assert look["account"] == str(small.desmond.staff_id)
    assert json.loads(look["details"])["people"] == 2


def test_the_file_names_no_guest(small: House) -> None:
    three_days_with_a_look(small)
    olga = small.signed_in("olga")
    text = olga.get(f"{DESK}/audit.csv?{DAYS}").text
    assert not [one for one in ("王建国", "13800138004", "8004") if one in text]


def test_the_export_itself_is_recorded_and_counted(small: House) -> None:
    three_days_with_a_look(small)
    olga = small.signed_in("olga")
    exported(olga)
    page = get(olga, f"{DESK}/audit")
    assert "导出操作记录" in page.text
    (last,) = [one for one in trail(small) if one.action == Action.TRAIL_EXPORTED]
    assert (last.who, last.details) == ("olga", {"rows": 3})


def trail(house: House) -> list[audit.Entry]:
    """The audit trail."""
    return list(audit.of_event(reading(), house.event().id, most=500))


@pytest.mark.parametrize(
    "days",
    [
        "",
        "since=2030-06-05&until=2030-06-04",
        "since=5&until=x",
        "since=2030-06-04&until=9999-12-31",
        "since=0001-01-01&until=2030-06-04",
        "since=2030-06-04",
        "since=2030-13-04&until=2030-06-05",
    ],
)
def test_days_that_are_none_are_asked_for_again(small: House, days: str) -> None:
    olga = small.signed_in("olga")
    answer = olga.get(f"{DESK}/audit.csv?{days}")
    assert answer.status_code == 422
    assert "日期不对" in answer.text and "<details open>" in answer.text
    assert not [one for one in trail(small) if one.action == Action.TRAIL_EXPORTED]


def test_only_an_organiser_who_gave_the_password_lately_gets_the_file(small: House) -> None:
    for name in ("desmond", "dora"):
        assert small.signed_in(name).get(f"{DESK}/audit.csv?{DAYS}").status_code == 403
    olga = small.signed_in("olga")
    small.now += timedelta(minutes=20)
    asked = olga.get(f"{DESK}/audit.csv?{DAYS}")
    assert (asked.status_code, "/staff/password?next=" in asked.headers["Location"]) == (303, True)
    done = fill(olga, asked.headers["Location"], password=PASSWORD)
    assert done.headers["Location"].endswith(f"{DESK}/audit.csv?{DAYS}")


def test_the_command_writes_all_events_and_accounts(small: House, tmp_path: Path) -> None:
    small.apply(toml("other"))
    three_days_with_a_look(small)
    small.register("赵六", slug="other")
    small.now += timedelta(minutes=1)
    file = tmp_path / "trail.csv"
    since = "2030-06-04T00:00+08:00"
    said = small.run("audit", "export", str(file), "--since", since)
    assert (said.exit_code, said.output) == (0, f"{file}: 5 entries\n"), said.output
    assert file.stat().st_mode & 0o077 == 0
    rows = rows_of(file.read_bytes())
    assert [one["event"] for one in rows] == ["small", "", "small", "small", "other"]
    assert small.run("audit", "export", str(file), "--since", since).exit_code == 1


def test_the_command_can_leave_out_other_events_and_later_days(
    small: House, tmp_path: Path
) -> None:
    three_days_with_a_look(small)
    file, since, until = tmp_path / "trail.csv", "2030-06-04T00:00+08:00", "2030-06-05T00:00Z"
    words = ("--since", since, "--until", until, "--event", "small")
    assert small.run("audit", "export", str(file), *words).output == f"{file}: 3 entries\n"
    assert small.run("audit", "export", str(file), "--since", "yesterday").exit_code == 2
    missing = small.run("audit", "export", str(file) + "2", "--since", since, "--event", "none")
    assert missing.exit_code == 1 and "no such event" in missing.stderr
