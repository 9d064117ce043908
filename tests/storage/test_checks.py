"""The checks of the database at a start, the queue of writers, and repeated tries."""

import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from eventreg.core.errors import Busy, SeatsRaced
from eventreg.storage import checks
from eventreg.storage import session as database_of_ours
from eventreg.storage.session import db, reading, write
from eventreg.storage.write_queue import Gate
from tests.support.factories import House, toml
from tests.support.pages import Page, get

MOUNTS = """
22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
30 22 0:5 / /srv rw - nfs4 server:/export rw
31 30 0:6 / /srv/local\\040disk rw - ext4 /dev/vdb rw
32 22 0:7 / /mnt/share rw - cifs //server/share rw
"""


@pytest.mark.parametrize(
    ("version", "fixed"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 54, 1), True),
    ],
)
def test_the_sqlite_versions_with_the_repaired_log_are_known(
    version: tuple[int, ...], fixed: bool
) -> None:
    assert checks.has_log_repair(version) is fixed


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/a/x", "nfs4"),
        ("/srv/local disk/x", "ext4"),
        ("/mnt/share/a", "cifs"),
        ("/mnt/shared/a", "ext4"),
        ("/", "ext4"),
    ],
)
def test_the_file_system_under_a_path_is_found(path: str, kind: str) -> None:
    assert checks.file_system(Path(path), MOUNTS) == kind


def test_a_file_on_a_network_disk_is_refused_in_one_line() -> None:
    with pytest.raises(checks.Unsafe, match="network file system") as refused:
        checks.check_file(Path("/srv/instance/eventreg.sqlite3"), MOUNTS)
    assert "\n" not in str(refused.value)
    checks.check_file(Path("/home/instance/eventreg.sqlite3"), MOUNTS)


@pytest.mark.both_databases
def test_a_weaker_setting_of_the_database_is_found(
    folder: Path, environment: dict[str, str], engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, name, worse = (
        (database_of_ours.PRAGMAS, "synchronous", "NORMAL")
        if engine == "sqlite"
        else (database_of_ours.SESSION, "synchronous_commit", "off")
    )
    for value, faults in ((table[name], 0), (worse, 1)):
        with monkeypatch.context() as weaker:
            weaker.setitem(table, name, value)
            house = House(folder, **environment)
            with house.app.app_context():
                db.engine.connect().close()
                weaker.undo()
                assert len(list(checks.wrong_settings())) == faults
            house.close()


@pytest.mark.both_databases
def test_a_secret_key_that_does_not_fit_the_tickets_is_noticed(
    house: House,
    folder: Path,
    environment: dict[str, str],
    engine: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    house.apply(toml())
    house.register("张桂芳")
    checks.check_key()
    other = House(folder, **environment, EVENTREG_SECRET_KEY="another key than before")
    with other.app.app_context(), caplog.at_level(logging.WARNING):
        if engine == "postgresql":
            with pytest.raises(checks.Unsafe, match="EVENTREG_SECRET_KEY"):
                checks.check_key()
        else:
            checks.check_key()
            assert "no longer open" in caplog.text
        assert other.app.test_cli_runner().invoke(args=["doctor"]).exit_code == 1
    other.close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """The lock file of a gate."""
    return tmp_path / "gate.lock"


def test_writers_pass_the_gate_in_the_order_of_their_arrival(lock: Path) -> None:
    gate, order, inside = Gate(lock), [], Event()
    gate.most_waiting, gate_entered = 20, Event()

    def hold() -> None:
        with gate():
            gate_entered.set()
            inside.wait(20)

    def enter(number: int) -> None:
        with gate():
            order.append(number)

    first = Thread(target=hold)
    first.start()
    gate_entered.wait(20)
    others = []
    for number in range(20):
        waiting_before = len(gate._waiting)
        others.append(Thread(target=enter, args=(number,)))
        others[-1].start()
        while len(gate._waiting) == waiting_before:
            pass
    inside.set()
    for thread in (first, *others):
        thread.join()
    assert order == list(range(20))


@pytest.fixture
def held(lock: Path) -> Iterator[int]:
    """Another program holds the file lock."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


def test_no_writer_waits_longer_than_its_patience_and_the_gate_works_afterwards(
    lock: Path, held: int
) -> None:
    gate = Gate(lock, patience=0.05)
    for _ in range(3):
        with pytest.raises(Busy), gate():
            pass
    fcntl.flock(held, fcntl.LOCK_UN)
    with Gate(lock, patience=20)():
        pass


def test_a_writer_behind_a_slow_one_gives_up_too(lock: Path) -> None:
    gate, entered, done = Gate(lock, patience=0.05), Event(), Event()

    def hold() -> None:
        with gate():
            entered.set()
            done.wait(20)

    slow = Thread(target=hold)
    slow.start()
    entered.wait(20)
    with pytest.raises(Busy), gate():
        pass
    done.set()
    slow.join()
    with gate(), gate():  # a thread that is inside may pass again
        pass


def test_a_guest_who_waits_too_long_keeps_what_was_typed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.apply(toml())
    guest, path = house.client(), "/zh/events/small/register"
    form = get(guest, path).form("/register").fields
    lock = house.settings.instance / "eventreg.sqlite3.lock"
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT)
    monkeypatch.setattr(house.app.extensions["gate"], "_patience", 0.05)
    typed = {**form, "name": "张桂芳", "phone": "13800138000", "confirmed": "yes"}
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    answer = guest.post(path, data=typed)
    page = Page(answer)
    assert (page.status, page.kind, answer.headers["Retry-After"]) == (503, "register", "5")
    assert page.form("/register").fields["name"] == "张桂芳"
    assert "不会重复报名" in page.text
    os.close(descriptor)
    assert guest.post(path, data=typed).status_code == 303


@pytest.mark.both_databases
def test_an_act_is_tried_again_if_another_writer_was_in_the_way(house: House) -> None:
    tries: list[int] = []

    def act(_: Any) -> str:
        tries.append(1)
        if len(tries) < 3:
            raise SeatsRaced
        return "done"

    assert write(act) == "done"
    with pytest.raises(Busy):
        write(lambda _: (_ for _ in ()).throw(SeatsRaced()))


@pytest.mark.both_databases
def test_a_row_that_cannot_be_written_is_not_tried_forever(house: House) -> None:
    event = house.apply(toml())
    with pytest.raises(IntegrityError):
        write(
            lambda session: session.execute(
                text(f"UPDATE event_seats SET taken = 99 WHERE event_id = {event.id}")
            )
        )
    assert house.seats().taken == 0


def test_on_postgresql_a_deadlock_is_tried_again(
    cluster: Any, database: str, tmp_path: Path
) -> None:
    """Two acts lock two rows in opposite order. The server ends one of them, and its second try
    succeeds."""
    house = House(tmp_path, EVENTREG_DATABASE_URL=database)
    with house.app.app_context():
        first, second = house.apply(toml("one")).id, house.apply(toml("two")).id
    together, tries = Barrier(2), []

    def act(one: int, other: int) -> None:
        def lock_both(session: Any) -> None:
            tries.append(1)
            for number, event_id in enumerate((one, other)):
                session.execute(
                    text(
                        f"UPDATE event_seats SET edition = edition + 1 WHERE event_id = {event_id}"
                    )
                )
                if not number and len(tries) <= 2:
                    together.wait(20)

        with house.app.app_context():
            write(lock_both)

    threads = [Thread(target=act, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tries) > 2, "one was tried again; on a busy machine, perhaps once more"
    with house.app.app_context():
        editions = reading().execute(text("SELECT edition FROM event_seats")).scalars().all()
        assert editions == [3, 3]
    house.close()


def test_on_postgresql_the_wait_for_a_locked_row_is_short(
    cluster: Any, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database_of_ours.SESSION, "lock_timeout", "100ms")
    house = House(tmp_path, EVENTREG_DATABASE_URL=database)
    with house.app.app_context():
        house.apply(toml(capacity=1))
        with db.engine.begin() as other:
            other.execute(text("SELECT * FROM event_seats FOR UPDATE"))
            with pytest.raises(Busy):
                house.register("张桂芳")
        assert house.register("张桂芳").state == "confirmed"
    house.close()
