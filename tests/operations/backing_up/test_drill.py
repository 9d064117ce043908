"""The drill restores a backup into a place of its own, and leaves nothing behind."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from eventreg.core import audit, operation_runs
from eventreg.core.operation_runs import Operation
from eventreg.operations import forgetting
from eventreg.operations.backing_up import drill_database, running
from eventreg.storage import old_backups
from eventreg.storage.session import db, reading, transaction
from tests.operations.backing_up.conftest import both_in_proofs, last
from tests.proofs.conftest import WHOLE
from tests.support.factories import House
from tests.support.postgresql import Cluster

Opening = Callable[..., House]
in_proofs = pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
"""A drill takes one or two seconds of the processor."""


def left_over(house: House) -> list[str]:
    """What a drill has left: its folder and its databases."""
    found = [path.name for path in house.settings.instance.glob("backup-drill*")]
    if db.engine.dialect.name == "postgresql":
        asked = text("SELECT datname FROM pg_database WHERE datname LIKE '%drill'")
        found += reading().execute(asked).scalars().all()
        reading().rollback()
    return found


@both_in_proofs
def test_the_newest_backup_is_restored_and_who_was_erased_stays_so(
    open_house: Opening,
) -> None:
    house = open_house()
    guest = house.register("王五")
    assert house.run("backup", "run").exit_code == 0
    forgetting.erase("small", guest.id, "", by=audit.SYSTEM, now=house.now)
    house.now += timedelta(minutes=5)
    drilled = house.run("backup", "drill")
    assert drilled.exit_code == 0, drilled.output
    assert "restored in" in drilled.output
    assert "2 registrations, 3 attendees; 1 in the list of the erased" in drilled.output
    assert last(Operation.DRILL).succeeded_at == house.now
    assert left_over(house) == []
    assert house.seats().taken == 2, "the real database was not touched"


@in_proofs
def test_the_drill_is_made_by_itself_once_a_month(open_house: Opening) -> None:
    house = open_house()
    house.now += timedelta(days=29)
    ran = house.run("backup", "run")
    assert ran.exit_code == 0, ran.output
    assert "restored in" in ran.output
    house.now += timedelta(hours=1)
    assert "restored in" not in house.run("backup", "run").output


@in_proofs
@pytest.mark.both_databases
def test_a_backup_that_cannot_be_restored_turns_it_red(open_house: Opening) -> None:
    house = open_house()
    house.run("backup", "run")
    (newest,) = old_backups.scheduled()
    whole = newest.path.read_bytes()
    newest.path.write_bytes(whole[: len(whole) // 2])
    refused = house.run("backup", "drill")
    assert refused.exit_code == 1
    assert "no whole backup" in refused.output
    assert [one.name for one in running.failing()] == ["backup-drill"]
    assert left_over(house) == []


@in_proofs
def test_a_backup_in_which_a_seat_is_counted_wrongly_turns_it_red(open_house: Opening) -> None:
    house = open_house()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE event_seats SET taken = taken + 1"))
    house.run("backup", "run")
    assert house.run("backup", "drill").exit_code == 1
    assert last(Operation.DRILL).reason == "doctor"


def test_without_a_backup_there_is_nothing_to_drill(open_house: Opening) -> None:
    assert "no backup by schedule yet" in open_house().run("backup", "drill").output
    assert last(Operation.DRILL).reason == "no-backup"


@pytest.fixture
def modest(open_house: Opening, cluster: Cluster, database: str) -> House:
    """A house on PostgreSQL, whose role may not make databases."""
    open_house(EVENTREG_DATABASE_URL=database)
    name = str(db.engine.url.database)
    cluster.sql("DROP ROLE IF EXISTS modest")
    cluster.sql("CREATE ROLE modest LOGIN")
    for what in ("TABLES", "SEQUENCES"):
        cluster.sql(f"GRANT ALL ON ALL {what} IN SCHEMA public TO modest", name)
    return open_house(EVENTREG_DATABASE_URL=database.replace("eventreg@", "modest@"))


def test_a_role_that_may_not_make_a_database_reads_the_dump_to_its_end(modest: House) -> None:
    assert modest.run("backup", "run").exit_code == 0
    drilled = modest.run("backup", "drill")
    assert "only read to its end" in drilled.output, drilled.output


def test_what_a_killed_drill_has_left_is_removed_by_the_next_run(
    open_house: Opening, cluster: Cluster, database: str
) -> None:
    house = open_house(EVENTREG_DATABASE_URL=database)
    house.run("backup", "run")
    with drill_database.made():
        (house.settings.instance / "backup-drill").mkdir()
        house.now += timedelta(minutes=1)
        begin_and_die(house)
        assert len(left_over(house)) == 2
        assert house.run("backup", "run").exit_code == 0
        assert left_over(house) == []


def test_a_database_of_that_name_which_is_not_ours_is_never_dropped(
    open_house: Opening, cluster: Cluster, database: str
) -> None:
    house = open_house(EVENTREG_DATABASE_URL=database)
    house.run("backup", "run")
    name = f"{db.engine.url.database}_backup_drill"
    cluster.create(name)
    assert "that is not ours" in house.run("backup", "drill").output
    assert last(Operation.DRILL).reason == "drill-database"
    assert left_over(house) == [name]
    cluster.drop(name)


def begin_and_die(house: House) -> None:
    """A drill has begun, and its end was never noted."""
    with transaction() as session:
        operation_runs.started(session, Operation.DRILL, now=house.now)
