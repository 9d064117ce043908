"""Writers and checkpoints at once on an SQLite whose log may have the fault of PROMISES 3.7:
everything behind one lock."""

import pytest

from eventreg.core import invariants
from eventreg.core.errors import Busy
from eventreg.storage import checks
from eventreg.storage.session import db, reading
from tests.proofs.conftest import WHOLE
from tests.proofs.crowd import Act, Crowd, Place, kept
from tests.support.factories import House, toml


def test_writers_and_constant_checkpoints_leave_the_file_sound(house: House, place: Place) -> None:
    """In the whole form until 20,000 promises were made; in the short one, 300."""
    house.apply(toml(capacity=100_000, more="[waitlist]\nsize = 100000"))
    crowd, gate, checkpoints = (
        Crowd(place, "soak", Act(1_000_000), 4),
        house.app.extensions["gate"],
        0,
    )
    reading().rollback()
    while len(crowd.promises()) < (20_000 if WHOLE else 300):
        crowd.wait_for(len(crowd.promises()) + (20 if not WHOLE else 200))
        try:
            with gate(), db.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
                checkpoints += 1
        except Busy:
            pytest.fail("a checkpoint waits its turn, and gets it")
    crowd.kill()
    assert checkpoints > 5
    assert kept(house, crowd.promises()) == []
    assert checks.sqlite_damage() == ""
    assert invariants.of_event(reading(), house.event(), now=house.now).holds
