"""What the command `move` refuses, in one line and with both databases as they were."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from eventreg.storage.move import copying
from eventreg.storage.session import db, reading
from tests.commands.test_commands import run
from tests.operations.test_move import rows
from tests.support.factories import House, toml

SQL = Callable[[str], str]


@pytest.fixture
def there(cluster: Any) -> Iterator[tuple[str, SQL]]:
    """An empty PostgreSQL database: its address, and how to ask it."""
    yield cluster.create("to_move"), lambda statement: cluster.sql(statement, "to_move")
    cluster.drop("to_move")


@pytest.fixture
def people(house: House) -> House:
    """A file with two guests."""
    house.apply(toml())
    house.register("王小明")
    house.register("李建国")
    return house


def refused(house: House, url: str) -> str:
    """Try to move. Returns the one line; nothing has changed, and guests can register."""
    before = rows(house)
    said = run(house, "move", "--to", url)
    assert (said.exit_code, len(said.stderr.splitlines())) == (1, 1), said.output
    assert rows(house) == before
    assert not list(house.settings.instance.glob("moved-*"))
    return str(said.stderr)


TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("CREATE TABLE cats (name text)", "holds tables of another program"),
        (
            "UPDATE alembic_version SET version_num = '2026_11_22_first_tables'",
            "has tables of 2026",
        ),
        ("UPDATE alembic_version SET version_num = '2031_01_01_future'", "has tables of 2031"),
        ("DROP TABLE owed_gifts", "move to an empty database"),
        (
            "INSERT INTO staff_members (username, username_folded, role, created_at) "
            "VALUES ('x', 'x', 'desk', now())",
            "is not empty",
        ),
    ],
)
def test_a_postgresql_with_other_tables_or_rows_is_refused(
    people: House, cluster: Any, made: str, said: str
) -> None:
    with target(cluster, "template0" if "cats" in made else "migrated") as (url, ask):
        ask(made)
        before = ask(TABLES)
        assert said in refused(people, url)
        assert ask(TABLES) == before
        people.register("赵一")


@contextmanager
def target(cluster: Any, template: str) -> Iterator[tuple[str, SQL]]:
    """A PostgreSQL database made of a template, and how to ask it."""
    try:
        url = cluster.create("with_rows", template)
        yield url, lambda statement: cluster.sql(statement, "with_rows")
    finally:
        cluster.drop("with_rows")


def test_empty_tables_of_this_version_are_used(people: House, database: str) -> None:
    said = run(people, "move", "--to", database)
    assert said.exit_code == 0, said.output


def test_a_target_that_does_not_answer_is_refused(people: House, tmp_path: Path) -> None:
    said = refused(people, f"postgresql://eventreg:secret@/none?host={tmp_path}")
    assert "does not answer" in said
    assert "secret" not in said


def test_a_postgresql_that_can_lose_a_commit_is_refused(
    people: House, cluster: Any, there: tuple[str, SQL]
) -> None:
    cluster.sql("ALTER SYSTEM SET full_page_writes = off")
    cluster.sql("SELECT pg_reload_conf()")
    try:
        while cluster.sql("SHOW full_page_writes") != "off":
            pass
        assert refused(people, there[0]) == "PostgreSQL: full_page_writes is off, and must be on\n"
    finally:
        cluster.sql("ALTER SYSTEM RESET full_page_writes")
        cluster.sql("SELECT pg_reload_conf()")
    assert there[1](TABLES) == "0"


def test_the_same_database_under_another_name_is_refused(people: House, tmp_path: Path) -> None:
    link = tmp_path / "link.sqlite3"
    link.symlink_to(people.settings.instance / "eventreg.sqlite3")
    for name in (link, people.settings.instance / "." / "eventreg.sqlite3"):
        assert "is the database that the data is in" in refused(people, f"sqlite:///{name}")


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_the_same_postgresql_under_another_name_is_refused(people: House, engine: str) -> None:
    other = db.engine.url.update_query_dict({"application_name": "other"})
    said = refused(people, other.render_as_string(hide_password=False))
    assert "is the database that the data is in" in said


def test_with_another_secret_key_nothing_moves_to_postgresql(
    people: House, folder: Path, there: tuple[str, SQL]
) -> None:
    other = House(folder, EVENTREG_SECRET_KEY="another key of twenty letters")
    with other.app.app_context():
        assert "EVENTREG_SECRET_KEY" in refused(other, there[0])
    other.close()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("UPDATE registrations SET locale = 'english' WHERE id = 2", "value too long"),
        ("UPDATE attendees SET name = 'a' || char(0) || 'b' WHERE id = 2", "NUL"),
        ("UPDATE event_seats SET taken = 1", "does not hold"),
    ],
)
def test_if_postgresql_does_not_take_a_row_nothing_is_left_there(
    people: House, cluster: Any, spoil: str, said: str
) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(spoil))
    with target(cluster, "migrated") as (url, ask):
        assert said in refused(people, url)
        assert ask("SELECT count(*) FROM events") == "0"


def test_a_row_that_is_another_one_there_stops_the_move(
    people: House, there: tuple[str, SQL], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copying.copy

    def careless(source: Any, target: Any, tables: Any) -> None:
        copy(source, target, tables)
        target.execute(text("UPDATE attendees SET name = 'somebody' WHERE id = 2"))

    monkeypatch.setattr(copying, "copy", careless)
    assert "attendees: row 2 is another one there" in refused(people, there[0])
    assert there[1](TABLES) == "0"


@pytest.mark.parametrize(
    ("lies_there", "said"),
    [
        ("new.sqlite3", "is not empty"),
        ("new.sqlite3-wal", "left of another database"),
        ("in-use-new.sqlite3.txt", "was lost"),
    ],
)
def test_a_file_is_never_written_over_another(
    people: House, tmp_path: Path, lies_there: str, said: str
) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / lies_there).write_text("1 2 3 4 5 6 7 8")
    assert said in refused(people, f"sqlite:///{folder}/new.sqlite3")
    assert [path.name for path in folder.iterdir()] == [lies_there]
    assert "no such folder" in refused(people, f"sqlite:///{folder}/none/new.sqlite3")


def test_an_address_of_no_database_is_wrong_usage(people: House) -> None:
    for wrong in ("mysql://localhost/x", "nonsense", ""):
        assert run(people, "move", "--to", wrong).exit_code == 2


def test_a_file_with_an_older_schema_is_refused(people: House, there: tuple[str, SQL]) -> None:
    reading().rollback()
    with closing(sqlite3.connect(people.settings.instance / "eventreg.sqlite3")) as file:
        file.execute("UPDATE alembic_version SET version_num = '2026_12_04_put_first'")
        file.commit()
    assert "run db upgrade first" in refused(people, there[0])
