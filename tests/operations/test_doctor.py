"""Doctor, backups, upgrades: on both databases, past and through the commands."""

import hashlib
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text
from sqlalchemy.event import listen, remove

from eventreg.core import invariants
from eventreg.storage import backups, checks
from eventreg.storage.backups import BackupRefused
from eventreg.storage.session import db, reading
from tests.support.factories import ROOT, House, toml
from tests.support.pages import get

pytestmark = pytest.mark.both_databases
FIRST = "2026_11_22_first"
WHOLE = {
    found
    for path in (ROOT / "migrations" / "versions").glob("*.py")
    for found in re.findall(r'^revision = "(.*)"', path.read_text(), re.M)
}
"""Every state between two upgrades."""


@pytest.fixture
def small(house: House) -> House:
    """Two seats taken, one person waiting, one cancelled."""
    house.apply(toml(capacity=2))
    house.register("王一", "王二")
    gone = house.register("李一", waitlist=True)
    house.register("李二", waitlist=True)
    house.cancel(gone)
    return house


def run(house: House, *words: str) -> Any:
    """Run a command as the operator does."""
    reading().rollback()
    return house.app.test_cli_runner().invoke(args=list(words))


def damage(statement: str) -> None:
    """Change a row without the program."""
    with db.engine.begin() as connection:
        connection.execute(text(statement))


def test_doctor_reports_that_all_holds(small: House) -> None:
    said = run(small, "doctor")
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
    said = run(small, "doctor")
    assert said.exit_code == 1
    assert any(line.startswith("NO") and broken in line for line in said.output.splitlines()), (
        said.output
    )


def test_doctor_finds_files_that_others_may_read(small: House, engine: str) -> None:
    if engine == "sqlite":
        (small.settings.instance / "eventreg.sqlite3").chmod(0o644)
        assert "eventreg.sqlite3" in run(small, "doctor").output
    else:
        small.settings.instance.chmod(0o755)
        assert run(small, "doctor").exit_code == 1


def test_a_restore_gives_the_state_of_the_backup(small: House, tmp_path: Path) -> None:
    file = tmp_path / "before.zip"
    made = run(small, "backup", "create", str(file))
    assert made.exit_code == 0, made.output
    assert "3 registrations" in made.output
    assert "secret key" in made.output
    assert run(small, "backup", "verify", str(file)).exit_code == 0
    small.cancel(1)
    small.register("赵一", waitlist=True)
    restored = run(small, "backup", "restore", str(file))
    assert restored.exit_code == 0, restored.output
    found = invariants.of_event(reading(), small.event(), now=small.now)
    assert (found.confirmed, found.waiting, found.holds) == (2, 1, True)
    kept = list((small.settings.instance / "backups").glob("before-restore-*.zip"))
    assert len(kept) == 1
    assert backups.verify(kept[0]).rows["registrations"] == 4
    small.cancel(1)  # the restored event can be used
    assert invariants.of_event(reading(), small.event(), now=small.now).holds


def test_after_a_restore_the_pages_show_the_restored_event(small: House, tmp_path: Path) -> None:
    file = tmp_path / "before.zip"
    backups.create(file)
    guest, address = small.client(), "/en/events/small"
    small.apply(toml(capacity=9))
    assert "Seats are available" in get(guest, address).text
    reading().rollback()
    backups.restore(file)
    assert "All seats are taken" in get(guest, address).text
    assert "2 seats" in get(guest, address).text, "with the text of that time"


def test_a_backup_is_never_written_over_another(small: House, tmp_path: Path) -> None:
    file = tmp_path / "kept.zip"
    file.write_text("mine")
    refused = run(small, "backup", "create", str(file))
    assert (refused.exit_code, file.read_text()) == (1, "mine")
    assert "exists already" in refused.output
    assert run(small, "backup", "create", str(tmp_path / "nowhere" / "x.zip")).exit_code == 1
    assert not list(tmp_path.glob(".backup-*"))


def spoil(file: Path, change: dict[str, Any] | None = None, body: bytes | None = None) -> None:
    """Make a backup wrong."""
    with zipfile.ZipFile(file) as packed:
        inside = {name: packed.read(name) for name in packed.namelist()}
    manifest = {**json.loads(inside["manifest.json"]), **(change or {})}
    name = next(name for name in inside if name != "manifest.json")
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("manifest.json", json.dumps(manifest))
        packed.writestr(name, inside[name] if body is None else body)


@pytest.mark.parametrize("wrong", ["no zip", "cut", "checksum", "other engine", "missing"])
def test_a_damaged_backup_is_refused_and_nothing_is_restored(
    small: House, tmp_path: Path, wrong: str
) -> None:
    file = tmp_path / "before.zip"
    backups.create(file)
    match wrong:
        case "no zip":
            file.write_bytes(b"x")
        case "cut":
            os.truncate(file, file.stat().st_size // 2)
        case "checksum":
            spoil(file, body=b"something else")
        case "other engine":
            spoil(file, {"engine": "oracle"})
        case "missing":
            file.unlink()
    assert run(small, "backup", "verify", str(file)).exit_code == 1
    refused = run(small, "backup", "restore", str(file))
    assert refused.exit_code == 1
    assert len(refused.output.strip().splitlines()) == 1
    assert small.seats().taken == 2


def test_a_backup_of_the_other_database_is_refused(
    small: House, tmp_path: Path, engine: str
) -> None:
    file = tmp_path / "before.zip"
    backups.create(file)
    other = "postgresql" if engine == "sqlite" else "sqlite"
    with pytest.raises(BackupRefused):
        spoil(file, {"engine": other})
        backups.restore(file)


def test_a_damaged_sqlite_copy_is_refused(small: House, tmp_path: Path, engine: str) -> None:
    if engine != "sqlite":
        return
    file = tmp_path / "before.zip"
    backups.create(file)
    with zipfile.ZipFile(file) as packed:
        body = bytearray(packed.read("database.sqlite3"))
    body[100:900] = b"\xff" * 800
    spoil(file, {"sha256": hashlib.sha256(body).hexdigest()}, bytes(body))
    with pytest.raises(BackupRefused, match=r"damaged|other rows"):
        backups.verify(file)


def test_an_upgrade_keeps_all_rows_and_makes_a_backup_first(small: House) -> None:
    downgrade(revision=FIRST)
    db.session.remove()
    checks.make_tables()
    assert checks.schema()[0] == checks.schema()[1]
    assert (small.seats().taken, small.seats().waiting) == (2, 1)
    ids = reading().execute(text("SELECT public_id FROM attendees")).scalars().all()
    assert len(ids) == len(set(ids)) == 4
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids), (
        "each has a random id in the present form"
    )
    (kept,) = (small.settings.instance / "backups").glob(f"before-upgrade-{FIRST}-*.zip")
    assert backups.verify(kept).schema == FIRST


class Cut(Exception):
    """The program ends at once."""


def upgrade_cut_after(statements: int) -> bool:
    """Upgrade, and stop after this many statements. Returns whether the upgrade was completed."""
    left = iter(range(statements))

    def cut(*_: object) -> None:
        if next(left, None) is None:
            raise Cut

    listen(db.engine, "before_cursor_execute", cut)
    try:
        upgrade()
    except Cut:
        return False
    finally:
        remove(db.engine, "before_cursor_execute", cut)
    return True


def test_an_upgrade_that_was_cut_short_is_completed_by_the_next(small: House) -> None:
    """Cut at each statement in turn. No migration is left half-done; the next upgrade succeeds."""
    downgrade(revision=FIRST)
    cuts = 0
    while not upgrade_cut_after(cuts):
        cuts += 1
        assert checks.schema()[0] in WHOLE, "each migration is done completely or not at all"
    assert cuts > 10
    assert checks.schema()[0] == checks.schema()[1]
    assert "outbox_messages" in inspect(db.engine).get_table_names()
    assert (small.seats().taken, small.seats().waiting) == (2, 1)


def test_the_tables_of_a_newer_program_are_refused(small: House) -> None:
    damage("UPDATE alembic_version SET version_num = '2031_01_01_future'")
    with pytest.raises(checks.Unsafe, match="newer eventreg"):
        checks.check()
    with pytest.raises(checks.Unsafe, match="newer eventreg"):
        checks.make_tables()
    assert run(small, "doctor").exit_code == 1


def test_the_version_before_can_write_into_the_tables_of_this_one(small: House) -> None:
    """It writes rows without the new columns."""
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE event_seats SET capacity = 3, taken = taken + 1"))
        connection.execute(
            text(
                "INSERT INTO registrations (event_id, ticket_seed, ticket_digest, state, source, "
                "locale, phone_number, phone_typed, phone_tail, version, created_at) "
                "SELECT event_id, 'x', 'x', state, source, "
                "locale, '+8613900000000', phone_typed, '0000', 1, created_at "
                "FROM registrations WHERE id = 1"
            )
        )
        for _ in range(2):
            connection.execute(
                text(
                    "INSERT INTO attendees (event_id, registration_id, place, name, name_folded, "
                    "sort_key, search_key, letter, phone_number, phone_tail, cancelled_at) "
                    "SELECT event_id, registration_id, place, name, name_folded, "
                    "sort_key, search_key, letter, phone_number, phone_tail, '2030-06-01 00:00:00' "
                    "FROM attendees WHERE id = 1"
                )
            )
        ids = connection.execute(text("SELECT public_id FROM attendees")).scalars().all()
        assert len(set(ids)) == 6
        assert all(re.fullmatch("[0-9a-f]{32}", str(one)) for one in ids), (
            "the database makes their ids"
        )
    assert small.seats().taken == 3
