"""The units: systemd accepts them, their sandbox is tight, and they agree with the program."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from eventreg.server.channel import BODY_SECONDS
from eventreg.server.listener import MOST_CONNECTIONS
from eventreg.server.processes import STOP_SECONDS
from script.installation import files
from tests.support.factories import ROOT, House

SERVICES = ("eventreg.service", "eventreg-backup.service", "eventreg-purge.service")
TIMERS = ("eventreg-backup.timer", "eventreg-purge.timer")
MOST_EXPOSED = 2.0
_STARTED = r"^ExecStart=\S+/python -m (\S+)(?: --app wsgi)?(.*)$"


def exposure(text: str, folder: Path) -> float:
    """How exposed a service is, from 0 (safe) to 10, as systemd counts it."""
    (folder / "eventreg.service").write_text(text)
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "./eventreg.service"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said.stdout)
    assert found, said.stdout + said.stderr
    return float(found[1])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardly_exposed(name: str, tmp_path: Path) -> None:
    assert exposure(files.unit(name), tmp_path) <= MOST_EXPOSED


def test_without_its_sandbox_the_service_would_be_exposed(tmp_path: Path) -> None:
    """The negative control: the figure is about our lines."""
    text = files.unit("eventreg.service").replace(
        (ROOT / "deploy/systemd/sandbox.conf").read_text(), ""
    )
    assert exposure(text, tmp_path) > 8


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for name in (*SERVICES, *TIMERS):
        # The program is not installed here, and its guide neither.
        text = files.unit(name).replace("/opt/eventreg/current/.venv/bin/python", sys.executable)
        (tmp_path / name).write_text(text)
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(f"./{name}" for name in (*SERVICES, *TIMERS))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stderr == ""
    assert said.returncode == 0


def test_systemd_says_what_is_wrong_with_a_unit(tmp_path: Path) -> None:
    """The negative control of the test above."""
    text = files.unit("eventreg-purge.timer").replace("*-*-* 03:30", "every night")
    (tmp_path / "eventreg-purge.timer").write_text(text)
    (tmp_path / "eventreg-purge.service").write_text("[Service]\nExecStart=/bin/true\n")
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "./eventreg-purge.timer"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Failed to parse calendar" in said.stderr


@pytest.mark.parametrize(("when", "pause"), [("*:0/5", 300), ("*-*-* 03:30", 86400)])
def test_backups_are_looked_at_every_five_minutes_and_people_erased_each_night(
    when: str, pause: int
) -> None:
    assert any(f"OnCalendar={when}\n" in files.unit(name) for name in TIMERS)
    said = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=2", when],
        capture_output=True,
        text=True,
        check=True,
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    ).stdout
    days = re.findall(r"(?:Next elapse|Iteration #2|Iter\. #2): \w+ [\d-]+ (\d+):(\d+):", said)
    first, second = (int(hours) * 3600 + int(minutes) * 60 for hours, minutes in days)
    assert (second - first) % 86400 == pause % 86400


def test_the_unit_gives_the_server_the_time_and_the_room_it_needs() -> None:
    lines = dict(re.findall(r"^(\w+)=(\S+)$", files.unit("eventreg.service"), re.M))
    assert lines["Type"] == "notify"
    assert lines["NotifyAccess"] == "all", "a child tells that the server works"
    assert int(lines["TimeoutStopSec"]) > STOP_SECONDS, "nobody is cut off in the middle"
    assert lines["KillMode"] == "mixed", "only the parent is told to stop; it tells its children"
    assert int(lines["WatchdogSec"]) >= 4 * BODY_SECONDS, "a busy server is not ended"
    assert int(lines["LimitNOFILE"]) >= MOST_CONNECTIONS + 400
    assert lines["Restart"] == "always"
    assert lines["User"] == "eventreg"


@pytest.mark.parametrize("name", SERVICES)
def test_the_command_in_a_unit_exists(name: str, house: House) -> None:
    started = re.search(_STARTED, files.unit(name), re.M)
    assert started
    if started[1] == "flask":
        said = house.app.test_cli_runner().invoke(args=[*started[2].split(), "--help"])
        assert said.exit_code == 0, said.output
    else:
        assert (ROOT / f"{started[1].replace('.', '/')}.py").exists()
