"""Power cuts: everything that was promised before the cut is there after it."""

import json
import random
from pathlib import Path

from eventreg.core import invariants
from eventreg.storage import checks
from eventreg.storage.session import db, reading
from tests.proofs.conftest import rounds
from tests.proofs.crowd import broken_promises
from tests.proofs.power_cuts.disk import Disk, trace
from tests.support.factories import House, toml


def prepared(folder: Path) -> dict[str, bytes]:
    """Make a database at rest. Returns its files."""
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=100_000))
    house.close()
    for leftover in folder.glob("*.sqlite3-*"):
        leftover.unlink()
    return {str(path): path.read_bytes() for path in folder.glob("*.sqlite3")}


def after_a_cut(disk: Disk, folder: Path) -> list[str]:
    """The promises made before the cut that are broken when the power is back."""
    disk.write_to(folder)
    house = House(folder)
    with house.app.app_context():
        broken = broken_promises(house, [json.loads(promise) for promise in disk.promises])
        assert checks.sqlite_damage() == ""
        assert invariants.of_event(reading(), house.event(), now=house.now).holds
        db.session.remove()
    house.close()
    return broken


def cuts(folder: Path, times: int, fault: str = "") -> tuple[int, list[str]]:
    """Cut the power at so many moments of one run. Returns the number of promises and the broken
    ones, over all cuts."""
    disk = Disk({path: bytearray(content) for path, content in prepared(folder).items()})
    calls = trace(folder, folder.parent / "promises", rounds(60, 400), fault)
    assert any(call.kind == "sync" for call in calls), (
        "the trace has no sync, so it did not see the database"
    )
    promised, broken = 0, list[str]()
    moments = set(random.Random("power").sample(range(len(calls)), times))
    for number, call in enumerate(calls):
        if number in moments:
            promised += len(disk.promises)
            broken += after_a_cut(disk, folder.parent / f"cut{number}")
        disk.see(call)
    return promised, broken


def test_every_promise_survives_a_power_cut(folder: Path, tmp_path: Path) -> None:
    promised, broken = cuts(_below(folder), rounds(12, 200))
    print(f"{promised} promises, {len(broken)} broken")  # noqa: T201
    assert promised > 100
    assert broken == []


def test_without_waiting_for_the_disk_a_power_cut_breaks_promises(folder: Path) -> None:
    """The negative control: with ``synchronous=NORMAL``, promises must be lost."""
    promised, broken = cuts(_below(folder), 5, "sync_normal")
    print(f"{promised} promises, {len(broken)} broken")  # noqa: T201
    assert broken


def test_every_promise_comes_after_a_sync(folder: Path) -> None:
    """Between two promises there is at least one sync of the log or of the file."""
    below = _below(folder)
    prepared(below)
    synced = False
    for call in trace(below, below.parent / "promises", 20):
        if call.kind == "promise":
            assert synced
            synced = False
        synced = synced or call.kind == "sync"


def _below(folder: Path) -> Path:
    """Move the instance one folder down, so that traces and rebuilt disks lie outside it."""
    below = folder / "instance"
    below.mkdir()
    (folder / "eventreg.sqlite3").rename(below / "eventreg.sqlite3")
    return below
