"""Soak: writers and constant checkpoints at once on SQLite, all behind one lock.

Some versions of SQLite can damage the file if a checkpoint and a writer reset the log at the same
moment; the lock prevents that.
"""

import pytest

from eventreg.core import invariants
from eventreg.core.errors import Busy
from eventreg.storage import checks
from eventreg.storage.session import db, reading
from tests.proofs.conftest import WHOLE
from tests.proofs.crowd import Act, Crowd, Place, broken_promises
from tests.support.factories import House, toml


def test_writers_and_constant_checkpoints_leave_the_file_sound(house: House, place: Place) -> None:
    """Until 20,000 promises were made in the whole form, 300 in the short one."""
    house.apply(toml(capacity=100_000, more="[waitlist]\nsize = 100000"))
    crowd = Crowd(place, "soak", Act(1_000_000), 4)
    gate, checkpoints = house.app.extensions["gate"], 0
    reading().rollback()
    while len(crowd.promises()) < (20_000 if WHOLE else 300):
        crowd.wait_for(len(crowd.promises()) + (200 if WHOLE else 20))
        try:
            with gate(), db.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
                checkpoints += 1
        except Busy:
            pytest.fail("a checkpoint must get its turn")
    crowd.kill()
    assert checkpoints > 5
    assert broken_promises(house, crowd.promises()) == []
    assert checks.sqlite_damage() == ""
    assert invariants.of_event(reading(), house.event(), now=house.now).holds
