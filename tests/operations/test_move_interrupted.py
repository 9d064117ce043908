"""A move that is killed at any step can be run again, and never do two databases take seats."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from eventreg.core.errors import Busy
from eventreg.operations import moving
from eventreg.storage.move import copying, source
from eventreg.storage.move import target as targets
from eventreg.storage.session import reading
from tests.commands.test_commands import run
from tests.operations.test_move import rows
from tests.proofs.conftest import WHOLE
from tests.proofs.crowd import Place
from tests.support.factories import House, toml
from tests.support.forked.programs import FORKS

STEPS = {
    "before the copy": (copying, "copy", False),
    "after the copy": (copying, "compare", True),
    "before the mark": (source, "mark", False),
    "after the mark": (source, "mark", True),
    "before the file has its name": (targets, "_sync", False),
    "before the end": (targets, "_forget_former", False),
}
"""Where the process dies: before or after this function."""


def move_and_die(place: Place, url: str, step: str) -> None:
    """Move, and kill this process at the step."""
    module, name, afterwards = STEPS[step]
    does: Callable[..., Any] = getattr(module, name)

    def deadly(*given: Any) -> Any:
        if afterwards:
            does(*given)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, name, deadly)
    house = place.house()
    with house.app.app_context():
        moving.move(make_url(url), now=house.now)


def interrupted(place: Place, url: str, step: str) -> None:
    """Run the move in a process of its own, which dies at the step."""
    process = FORKS.Process(target=move_and_die, args=(place, url, step))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def takes_seats(house: House) -> bool:
    """Whether a guest gets a seat here."""
    reading().rollback()
    with suppress(Busy, OperationalError):
        house.register("王小明")
        return True
    return False


@pytest.fixture
def place(folder: Path, to: str, database: str) -> Place:
    """A database with two guests: a file if the move goes to PostgreSQL, and the other way."""
    own = {} if to == "postgresql" else {"EVENTREG_DATABASE_URL": database}
    house = Place(str(folder), own).house()
    with house.app.app_context():
        house.apply(toml(capacity=50))
        house.register("张桂芳", "李建国")
    house.close()
    return Place(str(folder), own)


@pytest.fixture
def url(to: str, database: str, tmp_path: Path) -> str:
    """The address of the target."""
    return database if to == "postgresql" else f"sqlite:///{tmp_path}/new.sqlite3"


def inside(place: Place, act: Callable[[House], Any]) -> Any:
    """What a program that is started anew does there."""
    house = place.house()
    with house.app.app_context():
        done = act(house)
    house.close()
    return done


CASES = [
    ("postgresql", "after the mark", True),
    ("file", "before the file has its name", True),
    *(("postgresql", step, False) for step in ("before the copy", "after the copy")),
    ("postgresql", "before the mark", False),
    ("file", "after the copy", False),
    ("file", "after the mark", False),  # its transaction did not end
    ("file", "before the end", True),
][: 8 if WHOLE else 2]
"""Where to, the step, and whether the source is closed after the kill."""


@pytest.mark.parametrize(("to", "step", "is_closed"), CASES)
def test_a_move_that_was_killed_is_finished_by_running_it_again(
    place: Place, url: str, step: str, is_closed: bool
) -> None:
    interrupted(place, url, step)
    assert inside(place, takes_seats) is not is_closed
    said = inside(place, lambda house: run(house, "move", "--to", url))
    assert (said.exit_code, said.stderr) == (0, ""), said.output
    assert not inside(place, takes_seats), "the old database is closed"
    there = Place(place.folder, {"EVENTREG_DATABASE_URL": url})
    people = inside(there, lambda house: len(rows(house)["attendees"]))
    assert people == 2 + (not is_closed)
    assert inside(there, takes_seats)
    assert inside(there, lambda house: run(house, "doctor").output.endswith("all holds\n"))
    said = inside(place, lambda house: run(house, "move", "--to", url))
    assert not list(Path(url.removeprefix("sqlite:///")).parent.glob(".moving-*"))
    assert said.stderr == "the target is not empty; move to an empty database\n"
