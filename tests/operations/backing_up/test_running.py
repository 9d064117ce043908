"""Backups are made by schedule, and whatever happens to a disk, the last good one stays."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from eventreg.core.operation_runs import Operation
from eventreg.operations.backing_up import running
from eventreg.storage import backups
from tests.operations.backing_up.conftest import (
    backups_in,
    both_in_proofs,
    fill,
    last,
    no_drill_is_due,
)
from tests.support.factories import House, local, toml
from tests.support.forked.programs import FORKS

Opening = Callable[..., House]
# both databases with EVENTREG_PROOFS=whole, and SQLite without
MINUTES = timedelta(minutes=1)


def automatic(house: House) -> list[str]:
    """The names of the backups in the usual folder."""
    return backups_in(house.settings.instance / "backups")


@both_in_proofs
def test_a_timer_of_five_minutes_makes_a_backup_an_hour_and_one_each_time_on_the_day(
    open_house: Opening,
) -> None:
    house = open_house()
    for moment, made in (
        ("2030-06-09 20:00", 1),
        ("2030-06-09 20:05", 1),
        ("2030-06-09 21:00", 2),
        ("2030-06-10 08:00", 3),
        ("2030-06-10 08:05", 4),
        ("2030-06-10 08:10", 5),
        ("2030-06-10 11:05", 6),
        ("2030-06-10 11:10", 6),
    ):
        house.now = local(moment)
        ran = house.run("backup", "run")
        assert ran.exit_code == 0, ran.output
        assert len(automatic(house)) == made, moment
    newest = house.settings.instance / "backups" / automatic(house)[-1]
    assert newest.name == "scheduled-20300610T030500000000.zip"
    assert backups.verify(newest).rows["attendees"] == 2
    assert last(Operation.BACKUP).succeeded_at == local("2030-06-10 11:05")
    assert "no backup is due" in house.run("backup", "run").output


def test_a_cancelled_event_has_no_busy_day(open_house: Opening) -> None:
    house = open_house()
    told = 'text = { zh = "取消了。", en = "It is cancelled." }'
    house.apply(toml(more=f'[notice]\nkind = "cancelled"\n{told}'))
    for moment in ("2030-06-10 08:00", "2030-06-10 08:05"):
        house.now = local(moment)
        house.run("backup", "run")
    assert len(automatic(house)) == 1


def test_a_full_disk_turns_it_red_and_keeps_the_last_good_backup(
    open_house: Opening, disk: Path
) -> None:
    house = open_house(EVENTREG_BACKUPS=str(disk))
    assert house.run("backup", "run").exit_code == 0
    good = backups_in(disk)
    filler = fill(disk)
    house.now += 60 * MINUTES
    refused = house.run("backup", "run")
    assert refused.exit_code == 1
    assert refused.output.splitlines()[-1].startswith("backup: ")
    assert [last(Operation.BACKUP).reason, *map(str, running.failing())] == [
        "disk-full",
        str(last(Operation.BACKUP)),
    ]
    assert last(Operation.BACKUP).succeeded_at == house.now - 60 * MINUTES
    filler.unlink()
    assert backups_in(disk) == good, "nothing half-done is left"
    backups.verify(disk / good[0])
    house.now += 1 * MINUTES
    house.run("backup", "run")
    assert backups_in(disk) == good, "it is not tried each minute"
    house.now += 4 * MINUTES
    assert house.run("backup", "run").exit_code == 0
    assert len(backups_in(disk)) == 2
    assert running.failing() == []


def test_a_read_only_disk_turns_it_red_and_keeps_the_last_good_backup(
    open_house: Opening, disk: Path, remount: Callable[[str], None]
) -> None:
    house = open_house(EVENTREG_BACKUPS=str(disk))
    house.run("backup", "run")
    good = backups_in(disk)
    remount("ro")
    house.now += timedelta(days=40)
    no_drill_is_due(house)
    assert house.run("backup", "run").exit_code == 1
    assert last(Operation.BACKUP).reason == "read-only"
    assert backups_in(disk) == good
    remount("rw")
    house.now += 5 * MINUTES
    assert house.run("backup", "run").exit_code == 0
    assert len(backups_in(disk)) == 1, "the last good one of 40 days ago goes when there is another"


def test_a_folder_that_is_removed_under_us(open_house: Opening, place: Path) -> None:
    house = open_house(EVENTREG_BACKUPS=str(place))
    house.run("backup", "run")
    shutil.rmtree(place)
    house.now += 1 * MINUTES
    assert house.run("backup", "run").exit_code == 1, "no backup is there, so one is due"
    assert last(Operation.BACKUP).reason == "gone"
    assert not place.exists(), "it may be the place of a disk that is not mounted"
    place.mkdir()
    house.now += 5 * MINUTES
    assert house.run("backup", "run").exit_code == 0


def test_the_usual_folder_is_made_again_if_it_is_removed(open_house: Opening) -> None:
    house = open_house()
    house.run("backup", "run")
    shutil.rmtree(house.settings.instance / "backups")
    house.now += 1 * MINUTES
    assert house.run("backup", "run").exit_code == 0
    assert len(automatic(house)) == 1


def test_a_backup_leaves_room_for_the_database_on_its_disk(
    open_house: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = open_house()
    monkeypatch.setattr(running, "_LEAST_FREE", 1 << 60)
    assert house.run("backup", "run").exit_code == 1
    assert last(Operation.BACKUP).reason == "disk-full"


def test_old_backups_are_thinned_out_and_other_files_stay(open_house: Opening) -> None:
    house = open_house()
    folder = house.settings.instance / "backups"
    folder.mkdir()
    for day in range(36):
        for hour in (1, 3):
            made = house.now - timedelta(days=day, hours=hour)
            (folder / f"scheduled-{made:%Y%m%dT%H%M%S%f}.zip").write_text("x")
    own = [folder / "mine.zip", folder / "scheduled-20300101T000000000000.zip.bak"]
    for path in own:
        path.write_text("mine")
    house.run("backup", "run")
    assert all(path.exists() for path in own)
    assert len(list(folder.glob("scheduled-*.zip"))) == 1 + 4 + 33


def back_up(folder: str, environment: dict[str, str], number: int, together: Barrier) -> None:
    """Another process on the same database. All begin at once, and their clocks differ a little."""
    house = House(Path(folder), **environment)
    house.now += timedelta(seconds=number)
    with house.app.app_context():
        together.wait(60)
        assert not running.run(now=house.now).failed
    house.close()


@pytest.mark.both_databases
def test_many_processes_at_once_make_one_backup(
    open_house: Opening, folder: Path, environment: dict[str, str]
) -> None:
    house = open_house()
    together = FORKS.Barrier(4)
    processes = [
        FORKS.Process(target=back_up, args=(str(folder), environment, number, together))
        for number in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    assert len(automatic(house)) == 1


def test_nothing_is_made_if_it_is_off(open_house: Opening) -> None:
    house = open_house(EVENTREG_BACKUPS="off")
    assert "off" in house.run("backup", "run").output
    assert not (house.settings.instance / "backups").exists()


@both_in_proofs
def test_a_purge_leaves_no_scheduled_backup_with_names(open_house: Opening, place: Path) -> None:
    house = open_house(EVENTREG_BACKUP_COPY=str(place))
    house.now = local("2030-06-09 20:00")
    assert house.run("backup", "run").exit_code == 0
    house.now = local("2030-07-10 11:00")
    no_drill_is_due(house)
    assert house.run("purge").exit_code == 0
    assert [name.partition("-2")[0] for name in automatic(house)] == ["after-purge"]
    house.now += 1 * MINUTES
    assert house.run("backup", "run").exit_code == 0
    assert [name[:18] for name in backups_in(place) if name.endswith(".zip")] == [
        "scheduled-20300710"
    ], "in the second place they go as soon as there is a later one"
