"""Only the owner may read what the program writes, under the usual umask of a machine."""

import os
import stat
from pathlib import Path

import pytest

from eventreg.storage import modes
from tests.support.factories import SECRET, SHIPPED, House
from tests.support.forked.programs import flask
from tests.support.servers import running


def modes_of(folder: Path) -> dict[str, int]:
    """Everything in a folder, with its mode."""
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode)
        for path in folder.rglob("*")
    }


def test_no_file_that_a_command_writes_is_open_to_others(tmp_path: Path) -> None:
    place, outside = tmp_path / "instance", tmp_path / "outside"
    outside.mkdir()
    old = outside / "old.csv"
    old.write_text("of last year")
    old.chmod(0o644)
    for words in (
        ("event", "apply", str(SHIPPED)),
        ("check-in-list", "june-10-self-care", "--format", "csv", "--output", str(old)),
        ("backup", "create", str(outside / "backup.zip")),
        ("backup", "restore", str(outside / "backup.zip")),
    ):
        said = flask(place, *words)
        assert said.returncode == 0, said.stderr
    written = modes_of(tmp_path)
    assert {
        "instance/backups",
        "instance/eventreg.sqlite3",
        "instance/secret-key",
        "instance/trouble-zh.html",
    } <= set(written)
    assert {"outside/old.csv", "outside/backup.zip"} <= set(written)
    assert any(name.startswith("instance/backups/before-restore") for name in written)
    assert [name for name, mode in written.items() if mode & 0o077 and name != "outside"] == []
    _check_that_doctor_names_what_is_open(place)


def _check_that_doctor_names_what_is_open(place: Path) -> None:
    backup = next((place / "backups").glob("before-restore*"))
    (place / "secret-key").chmod(0o644)
    (place / "backups").chmod(0o755)
    backup.chmod(0o640)
    doctor = flask(place, "doctor")
    assert doctor.returncode == 1
    line = next(line for line in doctor.stdout.splitlines() if "only the owner" in line)
    assert line.startswith("NO ")
    for name in ("instance/secret-key", "instance/backups,", f"instance/backups/{backup.name}"):
        assert name in line
    assert "eventreg.sqlite3" not in line
    with running(place):
        assert [name for name, mode in modes_of(place).items() if mode & 0o077] == [], (
            "a start closes them"
        )


def test_writing_to_a_pipe_does_not_change_its_mode(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o644)
    pipe.chmod(0o644)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    modes.write(pipe, b"list")
    assert os.read(reader, 10) == b"list"
    os.close(reader)
    assert stat.S_IMODE(pipe.stat().st_mode) == 0o644


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    """Its target is not our file."""
    other = tmp_path / "other.txt"
    other.touch(0o644)
    other.chmod(0o644)
    house = House(tmp_path / "instance", EVENTREG_SECRET_KEY=SECRET)
    (house.settings.instance / "link").symlink_to(other)
    modes.close(house.settings)
    assert stat.S_IMODE(other.stat().st_mode) == 0o644
    assert other not in modes.open_to_others(house.settings)
    house.close()


@pytest.mark.parametrize("kept_in", ["elsewhere", "elsewhere/deep"])
def test_a_database_outside_the_instance_folder_is_closed_too(tmp_path: Path, kept_in: str) -> None:
    folder = tmp_path / kept_in
    folder.mkdir(parents=True)
    house = House(
        tmp_path / "instance", EVENTREG_DATABASE_URL=f"sqlite:///{folder / 'people.sqlite3'}"
    )
    assert stat.S_IMODE((folder / "people.sqlite3").stat().st_mode) == 0o600, (
        "made closed, whatever the umask"
    )
    (folder / "people.sqlite3").chmod(0o644)
    assert modes.open_to_others(house.settings) == [folder / "people.sqlite3"]
    modes.close(house.settings)
    assert modes.open_to_others(house.settings) == []
    house.close()
