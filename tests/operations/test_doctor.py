"""The command doctor finds every broken invariant and every file that others may read."""

import pytest
from sqlalchemy import text

from eventreg.storage.session import db
from tests.support.factories import House, toml
from tests.support.houses import one_of_each

pytestmark = pytest.mark.both_databases
small = one_of_each


def damage(statement: str) -> None:
    """Change a row without the program."""
    with db.engine.begin() as connection:
        connection.execute(text(statement))


def test_doctor_reports_that_all_holds(small: House) -> None:
    said = small.run("doctor")
    assert said.exit_code == 0, said.output
    assert "all holds" in said.output
    assert "2 + 0 + 0 = 2" in said.output
    assert "mode" in said.output
    assert "NO" not in said.output


DAMAGE = [
    ("UPDATE event_seats SET taken = 1", "seats taken are the people confirmed"),
    ("UPDATE event_seats SET waiting = 0", "seats waited for are the people waiting"),
    ("UPDATE event_seats SET capacity = 3", "nobody waits who could sit"),
    (
        "UPDATE attendees SET phone_number = '+8613800000000'",
        "no number holds more people than allowed",
    ),
    ("UPDATE attendees SET code = NULL WHERE code IS NOT NULL", "who has a seat has a code"),
    (
        "UPDATE registrations SET state = 'waitlisted' WHERE state = 'confirmed'",
        "the audit trail gives the same",
    ),
    (
        "DELETE FROM audit_entries WHERE action = 'registration:seats:taken'",
        "the audit trail gives the same",
    ),
    (
        "UPDATE registrations SET promoted_at = created_at WHERE state = 'waitlisted'",
        "whoever was promoted is to be told",
    ),
]


@pytest.mark.parametrize(("statement", "broken"), DAMAGE, ids=[broken for _, broken in DAMAGE])
def test_doctor_finds_each_broken_invariant(small: House, statement: str, broken: str) -> None:
    if "phone_number" in statement:
        small.apply(toml(capacity=2, head="max_per_phone = 2"))
    damage(statement)
    said = small.run("doctor")
    assert said.exit_code == 1
    assert any(line.startswith("NO") and broken in line for line in said.output.splitlines()), (
        said.output
    )


def test_doctor_finds_files_that_others_may_read(small: House, engine: str) -> None:
    if engine == "sqlite":
        (small.settings.instance / "eventreg.sqlite3").chmod(0o644)
        assert "eventreg.sqlite3" in small.run("doctor").output
    else:
        small.settings.instance.chmod(0o755)
        assert small.run("doctor").exit_code == 1
