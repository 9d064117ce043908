"""Backups taken during a storm: each one, restored elsewhere, holds every earlier promise."""

from pathlib import Path

import pytest

from eventreg.core import invariants
from eventreg.storage import backups
from eventreg.storage.session import db, reading
from tests.proofs.conftest import WHOLE, rounds
from tests.proofs.crowd import Act, Crowd, Place, broken_promises
from tests.support.factories import House, toml
from tests.support.postgresql import Cluster

pytestmark = pytest.mark.both_databases


def restored(backup: Path, folder: Path, environment: dict[str, str]) -> House:
    """A second house, with the backup restored into it."""
    folder.mkdir()
    house = House(folder, **environment)
    with house.app.app_context():
        backups.restore(backup)
    return house


def test_a_backup_taken_in_a_storm_holds_every_earlier_promise(
    house: House, place: Place, engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    house.apply(toml(capacity=200, more="[waitlist]\nsize = 200"))
    crowd = Crowd(place, "backups", Act(100_000), 4)
    for number in range(rounds(2, 50)):
        crowd.wait_for(len(crowd.promises()) + (300 if WHOLE else 100))
        before = [promise for promise in crowd.promises() if "id" in promise]
        file = tmp_path / f"backup{number}.zip"
        reading().rollback()
        backups.create(file)
        environment = {}
        if engine == "postgresql":
            cluster: Cluster = request.getfixturevalue("cluster")
            cluster.drop("restored")
            environment["EVENTREG_DATABASE_URL"] = cluster.create("restored")
        copy = restored(file, tmp_path / f"restored{number}", environment)
        with copy.app.app_context():
            assert broken_promises(copy, before) == []
            found = invariants.of_event(reading(), copy.event(), now=copy.now)
            assert found.holds, [finding for finding in found.findings if not finding.holds]
            assert found.confirmed + found.waiting > 0
        copy.close()
    crowd.kill()


def test_a_plain_copy_of_the_file_is_no_backup(
    house: House, place: Place, engine: str, tmp_path: Path
) -> None:
    """The negative control: a plain copy of the file misses what is still in its log."""
    if engine != "sqlite":
        return
    house.apply(toml(capacity=200, more="[waitlist]\nsize = 200"))
    reading().rollback()
    with db.engine.connect() as reader:  # keeps the log from being written back
        reader.exec_driver_sql("SELECT count(*) FROM registrations").all()
        crowd = Crowd(place, "copy", Act(10_000), 2)
        crowd.wait_for(50)
        promised = [promise for promise in crowd.promises() if "id" in promise]
        folder = tmp_path / "copied"
        folder.mkdir()
        (folder / "eventreg.sqlite3").write_bytes((tmp_path / "eventreg.sqlite3").read_bytes())
        crowd.kill()
    copy = House(folder)
    with copy.app.app_context():
        assert broken_promises(copy, promised) != []
    copy.close()
