"""Backups are copied to a second place. Whatever happens there, those on the machine stay good."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from eventreg.core.backups.faults import BackupRefused
from eventreg.core.operation_runs import Operation
from eventreg.operations.backing_up import running, second_place
from eventreg.operations.backing_up.copier import Order
from eventreg.storage import backups, old_backups
from tests.operations.backing_up.conftest import backups_in, both_in_proofs, fill, last, wait_for
from tests.support.factories import ROOT, House

Opening = Callable[..., House]
# both databases with EVENTREG_PROOFS=whole, and SQLite without
HOUR = timedelta(hours=1)
FIVE = timedelta(minutes=5)


def here(house: House) -> list[str]:
    """The names of the backups on the machine."""
    return [one.path.name for one in old_backups.scheduled()]


def failed_copy(house: House) -> str:
    """An hour later: the backup is made, and its copy is not. Returns the reason."""
    before = len(here(house))
    house.now += HOUR
    ran = house.run("backup", "run")
    assert ran.exit_code == 1
    assert "made and checked" in ran.output
    assert "backup-copy: " in ran.output
    assert len(here(house)) == before + 1
    assert not last(Operation.BACKUP).is_failing
    assert [one.name for one in running.failing()] == ["backup-copy"]
    backups.verify(old_backups.scheduled()[-1].path)
    return str(last(Operation.COPY).reason)


@both_in_proofs
def test_each_backup_is_copied_whole(open_house: Opening, place: Path) -> None:
    house = open_house(EVENTREG_BACKUP_COPY=str(place))
    for _ in range(2):
        assert house.run("backup", "run").exit_code == 0
        house.now += HOUR
    assert backups_in(place) == here(house)
    for one in old_backups.scheduled():
        assert (place / one.path.name).read_bytes() == one.path.read_bytes()
        assert (place / one.path.name).stat().st_mode & 0o777 == 0o600


def test_who_was_erased_is_known_in_the_second_place_too(open_house: Opening, place: Path) -> None:
    house = open_house(EVENTREG_BACKUP_COPY=str(place))
    (house.settings.instance / "forgotten.txt").write_text("f" * 64)
    for line in ("f" * 64, "e" * 64):
        (house.settings.instance / "forgotten.txt").write_text(line)
        house.run("backup", "run")
        assert (place / "forgotten.txt").read_text() == line
        house.now += HOUR


def test_a_second_place_that_is_full(open_house: Opening, disk: Path) -> None:
    house = open_house(EVENTREG_BACKUP_COPY=str(disk))
    assert house.run("backup", "run").exit_code == 0
    good = backups_in(disk)
    filler = fill(disk)
    assert failed_copy(house) == "disk-full"
    filler.unlink()
    assert backups_in(disk) == good, "no part of a copy is left"
    house.now += FIVE
    assert house.run("backup", "run").exit_code == 0, "it is tried again without a new backup"
    assert backups_in(disk) == here(house)


def test_a_second_place_that_is_read_only(
    open_house: Opening, disk: Path, remount: Callable[[str], None]
) -> None:
    house = open_house(EVENTREG_BACKUP_COPY=str(disk))
    house.run("backup", "run")
    remount("ro")
    assert failed_copy(house) == "read-only"


def test_a_second_place_that_is_gone_for_hours_gets_everything_later(
    open_house: Opening, place: Path
) -> None:
    house = open_house(EVENTREG_BACKUP_COPY=str(place))
    house.run("backup", "run")
    away = place.rename(place.with_name("away"))
    assert failed_copy(house) == "gone"
    assert failed_copy(house) == "gone"
    assert not place.exists()
    away.rename(place)
    house.now += FIVE
    assert "2 copied" in house.run("backup", "run").output
    assert backups_in(place) == here(house)


def test_the_empty_folder_of_a_disk_that_is_not_mounted_is_no_second_place(
    open_house: Opening, place: Path
) -> None:
    house = open_house(EVENTREG_BACKUP_COPY=str(place))
    house.run("backup", "run")
    shutil.rmtree(place)
    place.mkdir()
    assert failed_copy(house) == "gone"
    assert list(place.iterdir()) == []
    accepted = house.run("backup", "run", "--new-place")
    assert accepted.exit_code == 0, accepted.output
    assert backups_in(place) == here(house), "a new disk gets them all"


def test_a_second_place_that_hangs(open_house: Opening, place: Path) -> None:
    house = open_house(EVENTREG_BACKUP_COPY=str(place))
    house.run("backup", "run")
    (place / "eventreg-backups.txt").unlink()
    os.mkfifo(place / "eventreg-backups.txt")  # who opens it waits for ever
    with pytest.raises(BackupRefused, match="does not answer") as hanging:
        second_place.copy(place, now=house.now, patience=0.5)
    assert hanging.value.code == "hangs"


def test_while_a_copy_hangs_no_other_begins(open_house: Opening, place: Path) -> None:
    house = open_house(EVENTREG_BACKUP_COPY=str(place))
    with (house.settings.instance / "copying.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert failed_copy(house) == "hangs"


def test_a_copy_that_is_killed_in_the_middle_leaves_no_backup(
    open_house: Opening, place: Path
) -> None:
    house = open_house(EVENTREG_BACKUP_COPY=str(place))
    folder = house.settings.instance / "backups"
    folder.mkdir()
    endless = folder / "scheduled-20300603T020000000000.zip"
    os.mkfifo(endless)
    order = Order(
        files=[str(endless)],
        beside=[],
        place=str(place),
        note=str(house.settings.instance / "copy-place.txt"),
        lock=str(house.settings.instance / "copying.lock"),
        now=house.now.isoformat(),
        purged_at=None,
        is_new_place=False,
    )
    copier = subprocess.Popen(
        [sys.executable, "-m", "eventreg.operations.backing_up.copier"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
    )
    assert copier.stdin
    copier.stdin.write(json.dumps(asdict(order)).encode())
    copier.stdin.close()
    with endless.open("wb", buffering=0) as source:
        source.write(b"half of a backup" * 100)
        wait_for(lambda: any(place.glob(".partial-*")))
        copier.kill()
        copier.wait()
    assert backups_in(place) == [".partial-scheduled-20300603T020000000000.zip"]
    endless.unlink()
    assert house.run("backup", "run").exit_code == 0
    assert backups_in(place) == here(house)


def test_the_second_place_is_thinned_out_too(open_house: Opening, place: Path) -> None:
    house = open_house(EVENTREG_BACKUP_COPY=str(place))
    for days, hours in ((1, 0), (3, 1), (3, 2), (36, 0)):
        made = house.now - timedelta(days=days, hours=hours)
        (place / f"scheduled-{made:%Y%m%dT%H%M%S%f}.zip").write_text("x")
    (place / "mine.zip").write_text("mine")
    house.run("backup", "run")
    assert backups_in(place) == [
        "mine.zip",
        "scheduled-20300531T010000000000.zip",
        "scheduled-20300602T020000000000.zip",
        "scheduled-20300603T020000000000.zip",
    ]
