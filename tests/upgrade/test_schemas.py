"""Databases of every released schema, with people in them, are brought up to date without loss."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import MetaData, func, insert, select, text

from eventreg.operations.doctor import findings
from eventreg.storage import backups, checks
from eventreg.storage.session import db, reading
from tests.proofs.conftest import WHOLE
from tests.support.factories import ROOT, House
from tests.support.houses import two_seats_and_a_call

Rows = dict[str, list[dict[str, Any]]]


def chosen() -> list[tuple[str, str]]:
    """All schemas on both databases in `make proofs`; otherwise the oldest and the newest."""
    schemas = list(ScriptDirectory(str(ROOT / "migrations")).walk_revisions())[:0:-1]
    names = [script.revision for script in schemas]
    if WHOLE:
        return [(name, engine) for name in names for engine in ("sqlite", "postgresql")]
    return [(names[0], "postgresql"), (names[-1], "sqlite")]


@pytest.fixture
def fresh(tmp_path: Path, engine: str, request: pytest.FixtureRequest) -> Iterator[House]:
    """A house whose database is empty and has no tables."""
    folder = tmp_path / "fresh"
    folder.mkdir()
    if engine == "sqlite":
        made = House(folder)
        yield made
        made.close()
        return
    cluster, name = request.getfixturevalue("cluster"), f"fresh_{uuid4().hex}"
    made = House(folder, EVENTREG_DATABASE_URL=cluster.create(name))
    yield made
    made.close()
    cluster.drop(name)


def tables() -> MetaData:
    """The tables as they are in the database, which may be of an older version."""
    found = MetaData()
    found.reflect(db.engine)
    return found


def rows_at(revision: str) -> Rows:
    """Go back to that schema, and read all rows."""
    downgrade(revision=revision)
    with db.engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in tables().sorted_tables
        }


def make(revision: str, rows: Rows) -> None:
    """Make that schema by its migrations, and put the rows into it."""
    upgrade(revision=revision)
    with db.engine.connect().execution_options(write=True) as connection, connection.begin():
        found = tables()
        assert set(found.tables) == set(rows), "its migrations make the same tables"
        for table in found.sorted_tables:
            if table.name in ("alembic_version", "fitting_programs") or not rows[table.name]:
                continue
            connection.execute(insert(table), rows[table.name])
            if db.engine.dialect.name == "postgresql" and "id" in table.c:
                sequence = func.pg_get_serial_sequence(table.name, "id")
                highest = select(func.max(table.c.id)).scalar_subquery()
                connection.execute(select(func.setval(sequence, highest)))


@pytest.mark.parametrize(("revision", "engine"), chosen(), indirect=["engine"])
def test_a_database_of_an_older_version_is_brought_up_to_date_without_loss(
    house: House, fresh: House, revision: str
) -> None:
    two_seats_and_a_call(house)
    reading().rollback()
    rows = rows_at(revision)
    assert rows["registrations"]
    assert rows["audit_entries"]
    with fresh.app.app_context():
        make(revision, rows)
        checks.make_tables()
        reading().rollback()
        assert all(finding.holds for _, finding in findings())
        reading().rollback()
        for name, before in rows.items():
            if name not in ("alembic_version", "fitting_programs"):
                counted = text(f"SELECT count(*) FROM {name}")
                assert reading().execute(counted).scalar_one() == len(before), name
        reading().rollback()
        (kept,) = (fresh.settings.instance / "backups").glob("*.zip")
        assert backups.verify(kept).schema == revision
        fresh.register("赵一", waitlist=True)
