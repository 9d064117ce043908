"""Disasters: a full disk, a lock held for long, a database that is down, a clock that jumps.

What was promised stays true, what could not be done is refused, and afterwards registering goes on.
"""

import fcntl
import os
import random
import resource
import signal
import sqlite3
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from eventreg.core import invariants
from eventreg.core.errors import Busy, EventFull, WaitlistFull
from eventreg.storage import checks
from eventreg.storage.session import db, reading
from tests.proofs.conftest import WHOLE, rounds, seeds
from tests.proofs.crowd import Act, Crowd, Place, broken_promises, write_down
from tests.server.test_server import ask, hidden
from tests.support.factories import A_WEEK_BEFORE, SECRET, House, toml
from tests.support.forked.programs import FORKS
from tests.support.postgresql import Cluster
from tests.support.servers import running

REGISTER = "/zh/events/small/register"


def until_the_disk_is_full(place: Place, log_path: str, bytes_left: int) -> None:
    """Register and log each promise until no file can grow; end after three refusals."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(log, b"")
    house, refused = place.house(), 0
    with house.app.app_context():
        house.seats()
        size = sum(file.stat().st_size for file in Path(place.folder).glob("*.sqlite3*"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + bytes_left, resource.RLIM_INFINITY))
        while refused < 3:
            try:
                made = house.register("王小明")
                write_down(log, id=made.id, seed=made.ticket_seed)
            except Busy:
                refused += 1
    os._exit(7)  # without any cleaning up, which might want to write


@pytest.mark.parametrize("seed", seeds(1, 5))
def test_on_a_full_disk_nothing_promised_is_lost_and_the_rest_is_refused(
    house: House, place: Place, seed: str
) -> None:
    house.apply(toml(capacity=100_000))
    crowd = Crowd(place, seed, Act(0), 0)
    bytes_left = 300_000 + 40_000 * int(seed.removeprefix("seed"))
    process = FORKS.Process(target=until_the_disk_is_full, args=(place, str(crowd.log), bytes_left))
    process.start()
    process.join(120)
    assert process.exitcode == 7, "it was refused three times, and nothing else was raised"
    promises = crowd.promises()
    assert len(promises) > 5
    reading().rollback()
    assert broken_promises(house, promises) == []
    assert checks.sqlite_damage() == ""
    house.register("李建国")  # there is room again
    assert invariants.of_event(reading(), house.event(), now=house.now).holds


@pytest.mark.parametrize("seed", seeds(1, 5))
def test_while_another_process_holds_the_lock_registrations_are_refused_as_busy(
    house: House, monkeypatch: pytest.MonkeyPatch, seed: str
) -> None:
    """Held for 30 s in the whole form; in the short form, a registration waits 0.2 s at most."""
    house.apply(toml(capacity=10))
    held_for = 30 if WHOLE else 1
    if not WHOLE:
        monkeypatch.setattr(house.app.extensions["gate"], "_patience", 0.2)
    descriptor = os.open(house.settings.instance / "eventreg.sqlite3.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    waited, stop = 0, Event()
    while waited < held_for:
        with pytest.raises(Busy):
            house.register("王小明")
        waited += 5 if WHOLE else 1
        stop.wait(0)
    assert house.seats().taken == 0
    os.close(descriptor)
    assert house.register("王小明").state == "confirmed"


@pytest.mark.parametrize("seed", seeds(1, 5))
def test_while_another_program_holds_a_transaction_registrations_are_refused_as_busy(
    house: House, folder: Path, seed: str
) -> None:
    """Someone typed BEGIN IMMEDIATE at a prompt and left. SQLite itself waits five seconds, in the
    short form 0.2."""
    if not WHOLE:
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 200")
    house.apply(toml(capacity=10))
    other = sqlite3.connect(folder / "eventreg.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy):
        house.register("王小明")
    other.execute("ROLLBACK")
    other.close()
    assert house.register("王小明").state == "confirmed"


@pytest.mark.parametrize("seed", seeds(1, 5))
def test_while_the_database_is_down_guests_keep_their_form_and_can_send_it_afterwards(
    fragile: Cluster, tmp_path: Path, seed: str
) -> None:
    settings = {"EVENTREG_DATABASE_URL": fragile.create("away"), "EVENTREG_SECRET_KEY": SECRET}
    house = House(tmp_path / "preparing", **settings)
    with house.app.app_context():
        checks.make_tables()
        house.apply(toml(capacity=10))
    house.close()
    with running(tmp_path / "instance", **settings) as server:
        form = {
            **hidden(ask(server, "GET", REGISTER)[2]),
            "name": "王小明",
            "phone": "13800138000",
            "confirmed": "yes",
        }
        fragile.crash()
        outage, seen = (60 if WHOLE else 3), set[int]()
        for _ in range(outage):
            status, _, text = ask(server, "POST", REGISTER, form)
            seen.add(status)
            assert "不会重复报名" in text
            Event().wait(1)
        assert seen == {503}
        fragile.start()
        assert ask(server, "POST", REGISTER, form)[0] == 303
        assert ask(server, "POST", REGISTER, form)[0] == 303
    house = House(tmp_path / "after", **settings)
    with house.app.app_context():
        assert house.seats().taken == 1
    house.close()


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", seeds(1, 5))
def test_a_clock_that_jumps_by_a_day_does_not_change_the_order_of_the_waiting_list(
    house: House, seed: str
) -> None:
    chance = random.Random(seed)
    house.apply(toml(capacity=3, more="[waitlist]\nsize = 100"))
    seated: list[int] = []
    waiting: list[int] = []
    for number in range(rounds(40, 200)):
        house.now = A_WEEK_BEFORE + timedelta(days=chance.choice([-1, 0, 1]), seconds=number)
        try:
            made = house.register(f"王{number}号", waitlist=True)
        except (EventFull, WaitlistFull):
            continue
        (seated if made.state == "confirmed" else waiting).append(made.id)
        if waiting and chance.randrange(3) == 0:
            house.cancel(seated.pop(chance.randrange(len(seated))))
            seated.append(waiting.pop(0))  # the first by the order of joining, not by the clock
        found = invariants.of_event(reading(), house.event(), now=house.now)
        assert found.holds
    rows = (
        reading()
        .connection()
        .exec_driver_sql("SELECT id FROM registrations WHERE state = 'confirmed'")
        .scalars()
    )
    assert sorted(rows) == sorted(seated)
