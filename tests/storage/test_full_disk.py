"""The disk is full, a real small one: every act works or is refused, and nothing is half done."""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from eventreg import pdf
from eventreg.core import invariants
from eventreg.storage import checks
from eventreg.storage.session import db, reading
from tests.proofs.conftest import WHOLE
from tests.support.factories import House, toml
from tests.support.odd import Place
from tests.support.pages import Page, get
from tests.support.walk import Walk

REGISTER = "/zh/events/small/register"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MB."""
    point = tmp_path / "disk"
    point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(point)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root, and not in every container")
    yield point
    subprocess.run(["umount", "-l", str(point)], check=True)


@pytest.fixture
def crowded(disk: Path, migrated: Path) -> Iterator[House]:
    """A house whose instance folder is on that disk."""
    shutil.copy(migrated, disk / "eventreg.sqlite3")
    made = House(disk)
    with made.app.app_context():
        yield made
    made.close()


@contextmanager
def full(house: House, left: int = 0) -> Iterator[None]:
    """All but ``left`` bytes are taken by something else, and the log of the database is short."""
    reading().rollback()
    with house.app.extensions["gate"](), db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
    ballast = Path(house.settings.instance) / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            os.truncate(ballast, ballast.stat().st_size - left)
        try:
            yield
        finally:
            ballast.unlink()


def rows() -> dict[str, int]:
    """How many rows each table has."""
    reading().rollback()
    with db.engine.connect() as connection:
        return {
            table.name: connection.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one()
            for table in db.metadata.sorted_tables
        }


def test_a_guest_keeps_the_form_and_gets_the_seat_when_there_is_room_again(crowded: House) -> None:
    crowded.apply(toml())
    guest = crowded.client()
    form = get(guest, REGISTER).form("/register").fields
    typed = {**form, "name": "张桂芳", "phone": "13800138000", "confirmed": "yes"}
    with full(crowded):
        answer = guest.post(REGISTER, data=typed)
        page = Page(answer)
        assert (page.status, answer.headers["Retry-After"]) == (503, "5")
        assert page.form("/register").fields["name"] == "张桂芳"
        assert get(guest, "/zh/").status == 200, "reading goes on"
        assert crowded.seats().taken == 0
    assert guest.post(REGISTER, data=typed).status_code == 303
    assert checks.sqlite_damage() == ""


def sent(walk: Walk, place: Place) -> int:
    """Send what the place expects, signed in as the organiser. Returns the status."""
    return walk.olga.send(place).status_code


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
@pytest.mark.parametrize("left", [0, 16_384, 65_536, 262_144])
def test_every_act_on_a_full_disk_works_or_changes_nothing(
    crowded: House, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "_PROGRAM", ("-c", "import sys; sys.stdout.write('%PDF')"))
    walk, said = Walk(crowded), Counter[int]()
    for place in walk.places:
        walk.olga.ask("GET", b"/staff/")  # signs in again if the last act has ended the session
        with full(crowded, left):
            before = rows()
            status = sent(walk, place)
            said[status] += 1
            assert status < 500 or status == 503, f"{status} {place.method} {place.path()!r}"
            if status == 503:
                assert rows() == before, f"{place.method} {place.path()!r} is half done"
        found = invariants.of_event(reading(), crowded.event(), now=crowded.now)
        assert found.holds, f"{place.method} {place.path()!r}"
    assert checks.sqlite_damage() == ""
    assert left or said[503] >= 10, said
    print(said)  # noqa: T201
