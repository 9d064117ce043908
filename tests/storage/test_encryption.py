"""Encrypted backups open with their key alone, and hold what the plain ones hold."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyrage import x25519

from eventreg.core.backups.faults import BackupRefused
from eventreg.storage import backups, encryption
from tests.proofs.conftest import WHOLE
from tests.support.factories import House, toml

NAME = "慕容翠花"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, Path]:
    """A public key, and the file of the private one, as age-keygen writes it."""
    key = x25519.Identity.generate()
    file = tmp_path / "key.txt"
    file.write_text(f"# created: 2030-06-03\n# public key: {key.to_public()}\n{key}\n")
    return str(key.to_public()), file


@pytest.fixture
def small(folder: Path, environment: dict[str, str], keys: tuple[str, Path]) -> Iterator[House]:
    """A house whose backups are encrypted. One guest has registered."""
    house = House(folder, **environment, EVENTREG_BACKUP_RECIPIENT=keys[0])
    with house.app.app_context():
        house.apply(toml())
        house.register(NAME)
        yield house
    house.close()


@pytest.mark.both_databases
def test_an_encrypted_backup_is_restored_with_its_key_alone(
    small: House, keys: tuple[str, Path], tmp_path: Path
) -> None:
    file, key = tmp_path / "before.zip.age", str(keys[1])
    assert small.run("backup", "create", str(file)).exit_code == 0
    assert encryption.is_encrypted(file)
    small.register("王五")
    for command in ("verify", "restore"):
        refused = small.run("backup", command, str(file))
        assert refused.exit_code == 1
        assert "give the file of the age key with --identity" in refused.output
    assert small.run("backup", "verify", str(file), "--identity", key).exit_code == 0
    restored = small.run("backup", "restore", str(file), "--identity", key)
    assert restored.exit_code == 0, restored.output
    assert small.seats().taken == 1
    (kept,) = (small.settings.instance / "backups").glob("before-restore-*.zip")
    assert backups.verify(kept).rows["registrations"] == 2, "what stays beside the database is not"


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
def test_the_schedule_encrypts_and_its_drill_needs_no_key(
    small: House, keys: tuple[str, Path], tmp_path: Path
) -> None:
    ran = small.run("backup", "run")
    assert ran.exit_code == 0, ran.output
    assert "made anew without encryption, and restored" in ran.output
    (made,) = (small.settings.instance / "backups").iterdir()
    assert made.name.endswith(".zip.age")
    assert b"database.sqlite3" not in made.read_bytes()
    with_key = small.run("backup", "drill", "--identity", str(keys[1]))
    assert f"{made}: restored" in with_key.output, with_key.output


def test_a_wrong_key_and_a_damaged_file_are_refused_in_one_line(
    keys: tuple[str, Path], tmp_path: Path
) -> None:
    plain, sealed, back = (tmp_path / name for name in ("plain", "sealed", "back"))
    plain.write_bytes(NAME.encode() * 30_000)
    encryption.encrypt(plain, sealed, keys[0])
    assert not list(tmp_path.glob("read-back"))
    other = tmp_path / "other.txt"
    for content, why in (
        (f"{x25519.Identity.generate()}\n", "is not for this key"),
        ("ssh-ed25519 AAAA\n", "holds no line that begins with AGE-SECRET-KEY-1"),
        ("AGE-SECRET-KEY-1QQ\n", "the key is damaged"),
    ):
        other.write_text(content)
        with pytest.raises(BackupRefused, match=why):
            encryption.decrypt(sealed, back, other)
    os.truncate(sealed, sealed.stat().st_size - 1)
    with pytest.raises(BackupRefused, match="is damaged"):
        encryption.decrypt(sealed, back, keys[1])


def test_a_name_that_ends_in_age_without_a_public_key_is_refused(
    house: House, tmp_path: Path
) -> None:
    refused = house.run("backup", "create", str(tmp_path / "x.zip.age"))
    assert "set EVENTREG_BACKUP_RECIPIENT" in refused.output
    assert not (tmp_path / "x.zip.age").exists()


def test_a_disk_that_is_full_while_it_encrypts_is_said_so(
    keys: tuple[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "plain").write_bytes(b"x")
    (tmp_path / "sealed").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as full:
        encryption.encrypt(tmp_path / "plain", tmp_path / "sealed", keys[0])
    assert full.value.errno == errno.ENOSPC
