"""What keeps a server from being ready, and what a monitor is told of it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text

from eventreg.core import operation_runs
from eventreg.core.operation_runs import Operation
from eventreg.operations import readiness
from eventreg.operations.readiness import DISK_NEEDED, Fault, faults
from eventreg.storage.session import db, write
from tests.operations.monitors import BALANCER, ask, figures, said, with_monitor
from tests.support.factories import House
from tests.support.postgresql import Cluster

watched = with_monitor()


def test_a_live_server_needs_no_database(watched: House) -> None:
    (watched.settings.instance / "eventreg.sqlite3").unlink()
    assert said(watched, "/livez") == (200, "alive\n")
    assert said(watched) == (503, "database: nothing could be written to the database\n")
    assert watched.client().get("/zh/", headers={"Host": "127.0.0.1"}).status_code == 503
    found = figures(watched)
    assert found['eventreg_fault{code="database"}'] == 1
    assert found['eventreg_requests_total{route="public.start",status="503"}'] == 1
    assert "eventreg_disk_free_bytes{}" in found, "what needs no database is told all the same"
    assert "eventreg_clock_offset_seconds{}" not in found


@pytest.mark.both_databases
def test_readiness_tries_to_write_and_keeps_nothing(watched: House) -> None:
    before = rows(watched)
    assert said(watched) == (200, "ready\n")
    assert rows(watched) == before


LAST_CHANGE = {
    "sqlite": "PRAGMA user_version",
    "postgresql": "SELECT CAST(xmin AS text) FROM alembic_version",
}


def rows(house: House) -> dict[str, Any]:
    """How many rows each table has, the schema, and the number of the last change."""
    with db.engine.connect() as connection:
        return {
            **{
                table.name: connection.execute(text(f"SELECT count(*) FROM {table.name}")).scalar()
                for table in db.metadata.sorted_tables
            },
            "schema": connection.execute(text("SELECT version_num FROM alembic_version")).scalar(),
            "last change": connection.execute(text(LAST_CHANGE[db.engine.dialect.name])).scalar(),
        }


def test_a_database_that_only_reads_is_not_ready(
    tmp_path: Path, cluster: Cluster, database: str
) -> None:
    name = make_url(database).database
    cluster.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    house = House(tmp_path, EVENTREG_DATABASE_URL=database)
    assert said(house)[1].startswith("database: ")
    house.close()


@pytest.mark.both_databases
def test_tables_of_a_newer_program_are_not_ready(watched: House) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '2031_01_01_future'"))
    assert said(watched) == (200, "ready\n"), "the newer program has only added something"
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM fitting_programs"))
    assert said(watched) == (503, "schema: the tables are not those of this program\n")
    assert said(watched, "/livez")[0] == 200
    assert figures(watched)['eventreg_fault{code="schema"}'] == 1


@pytest.mark.both_databases
def test_a_mail_that_no_sender_has_tried_for_half_an_hour_is_a_fault(watched: House) -> None:
    watched.register("张桂芳", email="gui@example.org")
    watched.now += timedelta(minutes=30)
    assert said(watched) == (200, "ready\n")
    watched.now += timedelta(minutes=1)
    assert said(watched) == (503, "outbox: the oldest mail has been waiting for 31 minutes\n")
    assert said(watched, "/readyz?only=guests")[0] == 200, "guests can go on registering"
    from_elsewhere = ask(watched, "/readyz", BALANCER)
    assert (from_elsewhere.status_code, from_elsewhere.text) == (503, "outbox\n")
    assert figures(watched)["eventreg_outbox_oldest_seconds{}"] == 31 * 60
    with watched.writing() as session:
        session.execute(text("UPDATE outbox_messages SET attempts = 1"))
    assert said(watched)[0] == 200, "one address that refuses its mail does not stop the server"


def test_without_a_mail_server_no_mail_is_late(small: House) -> None:
    small.register("张桂芳", email="gui@example.org")
    small.now += timedelta(days=1)
    assert said(small)[0] == 200


@pytest.mark.both_databases
def test_an_old_backup_is_a_fault_and_none_at_all_is_not(watched: House) -> None:
    assert said(watched)[0] == 200, "nobody has made one yet"
    write(lambda one: operation_runs.succeeded(one, Operation.BACKUP, now=watched.now))
    watched.now += timedelta(hours=26)
    assert said(watched)[0] == 200
    watched.now += timedelta(hours=1)
    assert said(watched) == (503, "backup: the last backup is 27 hours old\n")
    assert said(watched, "/readyz?only=guests")[0] == 200
    assert figures(watched)["eventreg_backup_age_seconds{}"] == 27 * 3600


def test_without_backups_by_schedule_none_is_late(folder: Path) -> None:
    house = House(folder, EVENTREG_BACKUPS="off")
    with house.app.app_context():
        write(lambda one: operation_runs.succeeded(one, Operation.BACKUP, now=house.now))
        house.now += timedelta(days=9)
        assert said(house)[0] == 200
    house.close()


def test_a_first_backup_that_failed_is_a_fault(watched: House) -> None:
    write(lambda one: operation_runs.failed(one, Operation.BACKUP, "full", now=watched.now))
    assert said(watched) == (503, "backup: no backup has succeeded yet\n")


def test_too_little_free_space_is_a_fault(watched: House) -> None:
    assert [*readiness.of_disk(DISK_NEEDED)] == []
    assert [*readiness.of_disk(DISK_NEEDED - 1)] == [Fault("disk", DISK_NEEDED - 1)]
    assert Fault("disk", 120).detail == "120 MB are free, at least 200 MB are needed"
    assert faults(watched.app, watched.now) == []
