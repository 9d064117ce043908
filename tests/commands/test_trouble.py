"""Trouble on the command line: whatever is wrong with the database, a command that cannot do its
work ends with exit code 1 and one line that says why."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest

from eventreg.core.errors import Busy
from eventreg.core.event import event_file
from eventreg.readers import event_reader
from eventreg.storage.session import PRAGMAS
from tests.commands.test_commands import run
from tests.support.factories import SHIPPED, House, toml
from tests.support.forked.programs import flask
from tests.support.servers import refused

SLUG = "small"
COMMANDS = {
    "event apply": (str(SHIPPED),),
    "event list": (),
    "event show": (SLUG,),
    "staff add": ("nadia", "--role", "desk"),
    "staff list": (),
    "staff disable": ("dora",),
    "staff link": ("dora",),
    "staff reset-factor": ("dora",),
    "audit export": ("FOLDER/trail.csv", "--since", "2030-06-01T00:00Z"),
    "check-in-list": (SLUG,),
    "purge": (),
    "outbox deliver": (),
    "outbox list": (),
    "doctor": (),
    "backup create": ("FOLDER/new.zip",),
    "move": ("--to", "sqlite:///FOLDER/new.sqlite3"),
    "backup run": (),
    "backup drill": (),
    "db upgrade": (),
    "db current": (),
}
"""Every command that asks the database, with arguments."""
READ_A_BACKUP = {"backup verify", "backup restore", "backup unchanged"}
NEED_NO_DATABASE = {"event check", "alarm test"}
WRITE = {"event apply", "staff add", "staff disable", "staff link", "purge", "audit export"}
"""The commands that write in each state; ``outbox deliver`` writes too, to choose a mail."""
MAILS = {"EVENTREG_SMTP_URL": "smtp://127.0.0.1:1"}


@pytest.fixture(autouse=True)
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Event files are read in this process: how long another one takes is not asked here."""
    monkeypatch.setattr(event_reader, "parse", event_file.parse)


def _leaves(group: click.Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _leaves(command, f"{before}{name} ")
        else:
            yield before + name


def test_the_list_here_has_every_command(house: House) -> None:
    ours = {name for name in _leaves(house.app.cli) if not name.startswith("db ")}
    listed = {name for name in COMMANDS if not name.startswith("db ")}
    assert ours == listed | READ_A_BACKUP | NEED_NO_DATABASE


def _refuses_in_one_line(house: House, name: str, folder: Path) -> str:
    """Run the command. Returns the reason, which must be one line with exit code 1."""
    words = [word.replace("FOLDER", str(folder)) for word in COMMANDS[name]]
    log = logging.getLogger(house.app.name)
    log.disabled = True  # what the log says is not the answer
    try:
        said = run(house, *name.split(), *words)
    finally:
        log.disabled = False
    assert isinstance(said.exception, SystemExit), (name, said.exception)
    assert (said.exit_code, len(said.stderr.splitlines())) == (1, 1), (name, said.stderr)
    return str(said.stderr)


def _is_missing(file: Path) -> None:
    for one in file.parent.glob("eventreg.sqlite3*"):
        one.unlink()


def _is_no_database(file: Path) -> None:
    _is_missing(file)
    file.write_bytes(b"no database " * 1000)


def _is_a_folder(file: Path) -> None:
    _is_missing(file)
    file.mkdir()


def _lacks_its_tables(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        for table in ("attendees", "staff_members", "outbox_messages", "events"):
            database.execute(f"ALTER TABLE {table} RENAME TO other_{table}")
        database.execute("CREATE TABLE events (id INTEGER)")
        database.commit()


@pytest.mark.parametrize(
    "trouble", [_is_missing, _is_no_database, _is_a_folder], ids=lambda one: one.__name__
)
def test_a_database_that_cannot_be_opened_is_one_line_and_exit_code_1(
    folder: Path, trouble: Callable[[Path], None]
) -> None:
    _used(folder)
    trouble(folder / "eventreg.sqlite3")
    house = House(folder, **MAILS)
    with house.app.app_context():
        for name in COMMANDS:
            assert "the database" in _refuses_in_one_line(house, name, folder), name
    house.close()


def test_a_database_with_other_tables_is_one_line_and_exit_code_1(folder: Path) -> None:
    _used(folder)
    _lacks_its_tables(folder / "eventreg.sqlite3")
    house = House(folder, **MAILS)
    with house.app.app_context():
        others = {"backup create", "backup drill", "db upgrade", "db current"}
        for name in COMMANDS.keys() - others:
            assert "no such" in _refuses_in_one_line(house, name, folder), name
    house.close()


@pytest.mark.parametrize("trouble", ["locked", "read-only"])
def test_a_database_that_cannot_be_written_is_one_line_and_exit_code_1(
    folder: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    _used(folder)
    if trouble == "read-only":
        monkeypatch.setitem(PRAGMAS, "query_only", "ON")
    else:
        monkeypatch.setitem(PRAGMAS, "busy_timeout", "20")
    house = House(folder, **MAILS)
    with (
        closing(sqlite3.connect(folder / "eventreg.sqlite3", isolation_level=None)) as other,
        house.app.app_context(),
    ):
        if trouble == "locked":
            other.execute("BEGIN IMMEDIATE")
        for name in WRITE:
            said = _refuses_in_one_line(house, name, folder)
            assert trouble.replace("-", "") in said, (name, said)
    house.close()


def test_a_long_queue_before_the_database_is_one_line_and_exit_code_1(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stays_closed(*_: object) -> None:
        raise Busy

    house.apply(toml())
    house.hire()
    monkeypatch.setitem(house.app.extensions, "gate", stays_closed)
    for name in WRITE:
        said = _refuses_in_one_line(house, name, folder)
        assert said == "another program keeps the database busy; try again\n", name


def test_postgresql_that_is_down_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    nowhere = f"postgresql+psycopg://eventreg@/none?host={tmp_path}"
    house = House(tmp_path, EVENTREG_DATABASE_URL=nowhere, **MAILS)
    with house.app.app_context():
        for name in COMMANDS:
            assert "the database cannot be asked" in _refuses_in_one_line(house, name, tmp_path)
    house.close()


@pytest.mark.both_databases
def test_commands_about_mails_and_erasing_may_run_before_the_first_start(
    tmp_path: Path, engine: str, cluster: Any
) -> None:
    empty = {} if engine == "sqlite" else {"EVENTREG_DATABASE_URL": cluster.create("untouched")}
    house = House(tmp_path, **MAILS, **empty)
    with house.app.app_context():
        assert run(house, "outbox", "list").output == "0 waiting\n"
        assert run(house, "outbox", "deliver").exit_code == 0
        assert run(house, "purge").output == "nothing is due\n"
    house.close()


def test_an_instance_folder_that_cannot_be_made_is_one_line_and_exit_code_1(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    for said in (
        flask(tmp_path / "file" / "instance", "event", "list"),
        refused(tmp_path / "file" / "instance"),
    ):
        assert said.returncode == 1, said.stderr
        assert said.stderr == f"{tmp_path / 'file' / 'instance'}: Not a directory\n"


def _used(folder: Path) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(toml())
        house.hire()
    house.close()
