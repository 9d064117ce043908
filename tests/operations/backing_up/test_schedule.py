"""The server makes backups by itself if nothing else is set, and wrong settings stop its start."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pyrage import x25519

from eventreg import rehearse
from eventreg.core.operation_runs import Operation
from eventreg.settings.reading import SettingsInvalid, read
from eventreg.storage import backups
from tests.operations.backing_up.conftest import backups_in, last, wait_for
from tests.support.factories import House
from tests.support.servers import running

MORNING = "2030-06-03T10:00:00+08:00"
KEY = x25519.Identity.generate()


def test_the_server_makes_a_backup_by_itself(
    open_house: Callable[..., House], folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    open_house()
    there = tmp_path_factory.mktemp("backups")
    with running(folder, EVENTREG_BACKUPS=str(there), EVENTREG_CLOCK=MORNING):
        wait_for(lambda: last(Operation.BACKUP).succeeded_at is not None)
    (made,) = backups_in(there)
    assert backups.verify(there / made).rows["attendees"] == 2


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("EVENTREG_BACKUP_COPY", "nas/backups", "must be a path that begins with /"),
        ("EVENTREG_BACKUP_COPY", "/backups", "must be another folder than EVENTREG_BACKUPS"),
        ("EVENTREG_BACKUP_RECIPIENT", "age1abc", "must be a public key that begins with age1"),
        ("EVENTREG_BACKUP_RECIPIENT", str(KEY), "must be a public key that begins with age1"),
    ],
    ids=["relative", "same", "no key", "private key"],
)
def test_a_wrong_setting_stops_the_start_in_one_line(name: str, value: str, why: str) -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        read({name: value, "EVENTREG_BACKUPS": "/backups"})
    (line,) = invalid.value.faults
    assert line.startswith(f"{name}: {why}")
    assert not re.search("AGE-SECRET-KEY-1[A-Z0-9]", line), "a private key goes into no log"


def test_the_folder_of_backups_begins_in_the_instance_folder(tmp_path: Path) -> None:
    given = {"EVENTREG_INSTANCE": str(tmp_path)}
    assert read(given).backups == tmp_path / "backups"
    assert read({**given, "EVENTREG_BACKUPS": "/srv/x"}).backups == Path("/srv/x")
    assert read({**given, "EVENTREG_BACKUPS": "off"}).backups is None


def test_a_rehearsal_reaches_no_real_backup(tmp_path: Path) -> None:
    real = {"EVENTREG_INSTANCE": str(tmp_path), "EVENTREG_BACKUP_COPY": "/mnt/nas"}
    definition = rehearse.event_to_rehearse(real)
    rehearsed = read(rehearse.own_environment(real, definition))
    assert (rehearsed.backups, rehearsed.backup_copy) == (None, None)
