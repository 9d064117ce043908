"""Events of years near the ends of the calendar: refused in event files, and harmless if an older
version stored one."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from eventreg.core.event import event_file, events
from eventreg.core.event.event_file import DefinitionInvalid
from eventreg.core.organising import applying
from eventreg.storage.session import db, reading
from tests.support.factories import House, local, toml
from tests.support.pages import get

NAME = "慕容翠花"
EXPECTED = "must be in a year from 2000 to 2100"
MOMENTS = (
    "starts_at",
    "ends_at",
    "check_in_opens_at",
    "check_in_closes_at",
    "registration_closes_at",
)
DATES = {
    "starts_at": toml().replace("2030-06-10T", "9999-12-31T"),
    "ends_at": toml().replace("ends_at = 11:00:00", "ends_at = 9999-12-31T23:00:00"),
    "registration.opens_at": toml(more="[registration]\nopens_at = 0001-01-01T00:00:00"),
    "registration.closes_at": toml(more="[registration]\ncloses_at = 9999-12-31T00:00:00"),
    "check_in.release_at": toml().replace(
        "[check_in]", "[check_in]\nrelease_at = 2101-01-01T00:00:00"
    ),
    "phone_line.held_until": toml(more="held_until = 1999-12-31T00:00:00"),
    "phone_line.closed_on.0": toml(more="closed_on = [9999-12-31]"),
    "agenda.0.at": toml(
        more='[[agenda]]\nat = 9999-12-31T00:00:00\ntext = { zh = "讲课", en = "Lecture" }'
    ),
}


@pytest.mark.parametrize("path", DATES)
def test_a_date_in_a_far_year_is_a_mistake_in_the_file(path: str) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        event_file.parse(DATES[path], "file")
    assert f"file: {path}: {EXPECTED}" in refused.value.mistakes


def test_the_commands_report_the_mistake_and_change_nothing(house: House, tmp_path: Path) -> None:
    file = tmp_path / "never.toml"
    file.write_text(DATES["starts_at"], encoding="utf-8")
    for command in ("check", "apply"):
        said = house.run("event", command, str(file))
        assert (said.exit_code, said.output) == (1, f"{file}: starts_at: {EXPECTED}\n")
    assert not events.all_events(reading())


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Shanghai"])
@pytest.mark.parametrize("year", ["2000-01-01", "2100-12-31"])
def test_adding_days_to_the_first_and_last_year_works_in_every_zone(zone: str, year: str) -> None:
    written = (
        toml(more="[privacy]\nkeep_days = 365")
        .replace("2030-06-10", year)
        .replace("Asia/Shanghai", zone)
    )
    event = applying.draft(event_file.parse(written))
    assert events.kept_until(event) == event.ends_at + timedelta(days=365)
    assert (event.starts_at - timedelta(days=365)).astimezone(events.zone(event)).year >= 1999


@pytest.mark.parametrize(
    "day", ["9999-12-31", "2101-01-01", "1999-12-31", "0001-01-01", "2000-01-01"]
)
def test_an_event_is_not_copied_to_a_day_of_a_far_year(house: House, day: str) -> None:
    house.apply(toml(more="[registration]\nopens_at = 2030-06-01T09:00:00"))
    house.hire()
    page = get(house.signed_in("olga"), f"/staff/events/new?from=small&date={day}")
    assert (page.status, "请填日期" in page.text) == (422, True)


@pytest.fixture
def two(house: House) -> House:
    """Two events with one guest each: one is over, the other is on the last day of the calendar, as
    an older version may have stored it."""
    house.apply(toml())
    house.apply(toml("never", more="[privacy]\nkeep_days = 365"))
    house.hire()
    house.register(NAME)
    house.register("闻人三", slug="never")
    zone = "" if db.engine.dialect.name == "sqlite" else "+00"
    moments = ", ".join(f"{column} = '9999-12-31 15:00:00.000000{zone}'" for column in MOMENTS)
    definition = "replace(definition, '2030-06-10', '9999-12-31')"
    with db.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE events SET {moments}, definition = {definition} WHERE slug = 'never'")
        )
    house.now = local("2030-07-10 11:00")
    return house


def names() -> set[str]:
    """The names of the attendees in the database."""
    reading().rollback()
    return set(reading().execute(text("SELECT name FROM attendees")).scalars())


@pytest.mark.both_databases
def test_an_event_at_the_end_of_the_calendar_does_not_disturb_the_others(two: House) -> None:
    olga = two.signed_in("olga")
    for path in (
        "/zh/",
        "/zh/events/small",
        "/zh/events/never",
        "/zh/privacy",
        "/staff/",
        "/staff/events/small",
        "/staff/events/never",
        "/staff/events/never/forget",
        "/staff/events/never/calls?anyway=yes",
        "/staff/events/never/report",
        "/staff/events/new",
        "/staff/events/never/edit",
        "/door/never/",
        "/zh/events/never/event.ics",
        "/staff/events/never/check-in-list",
    ):
        assert olga.get(path).status_code < 500, path
    for command in (
        ("event", "list"),
        ("event", "show", "never"),
        ("purge", "--dry-run"),
        ("doctor",),
    ):
        assert two.run(*command).exit_code == 0, command
    assert two.run("purge").exit_code == 0
    assert names() == {"—", "闻人三"}
    assert two.run("doctor").exit_code == 0, two.run("doctor").output


@pytest.mark.both_databases
def test_an_event_that_cannot_be_read_does_not_disturb_the_others(
    two: House, caplog: pytest.LogCaptureFixture
) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE events SET definition = '{}' WHERE slug = 'never'"))
        connection.execute(
            text("UPDATE events SET ends_at = (SELECT ends_at FROM events WHERE slug = 'small')")
        )
    said = two.run("purge")
    assert said.exit_code == 1
    assert "small: everybody: 1 registrations" in said.output
    assert "event never: could not be purged" in said.output
    assert "event never: cannot be purged" in caplog.text
    assert NAME not in names()
    found = two.run("doctor")
    assert found.exit_code == 1
    assert "never (cannot be read)" in found.output
    assert "ok small: nobody waits who could sit" in found.output, "the others are still looked at"
