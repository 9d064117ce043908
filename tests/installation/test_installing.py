"""`make install-service` into a folder: what it writes, what it leaves alone, what it refuses."""

import hashlib
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from script.installation import files
from script.installation.kept_files import LIST, File, KeptFiles
from tests.support.factories import ROOT

DOMAIN = "register.example.org"
UNIT = "etc/systemd/system/eventreg.service"


def make(target: str, **given: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run one of the two commands as an operator types it."""
    return subprocess.run(
        ["make", "-s", target, *(f"{name}={value}" for name, value in given.items())],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def install(folder: Path, domain: str = DOMAIN) -> str:
    """Install into a folder. Returns what it said."""
    done = make("install-service", DESTDIR=folder, **({"DOMAIN": domain} if domain else {}))
    assert done.returncode == 0, done.stderr
    return done.stdout


def everything(folder: Path) -> dict[Path, str]:
    """The checksums of all files and the targets of all links below a folder."""
    return {
        path.relative_to(folder): str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with an installed service."""
    install(tmp_path)
    return tmp_path


def test_the_first_installation_writes_settings_program_units_and_proxies(installed: Path) -> None:
    settings = files.read_settings((installed / "etc/eventreg/eventreg.env").read_text())
    assert settings["EVENTREG_PUBLIC_URL"] == f"https://{DOMAIN}"
    assert settings["EVENTREG_INSTANCE"] == "/var/lib/eventreg"
    assert len(settings["EVENTREG_SECRET_KEY"]) == 64
    assert stat.S_IMODE((installed / "etc/eventreg/eventreg.env").stat().st_mode) == 0o640
    current = installed / "opt/eventreg/current"
    assert str(current.readlink()).startswith("releases/")
    assert (current / "wsgi.py").read_bytes() == (ROOT / "wsgi.py").read_bytes()
    assert not (current / ".git").exists() and not list(current.glob("instance/*"))
    for path in re.findall(r"  (/\S+)", (installed / str(LIST).lstrip("/")).read_text()):
        text = (installed / path.lstrip("/")).read_text()
        assert not re.search(r"@(domain|secret|program|sandbox)@", text), path
    assert os.access(installed / "usr/local/bin/eventreg", os.X_OK)


def test_a_second_installation_changes_nothing_and_needs_no_domain(installed: Path) -> None:
    before = everything(installed)
    said = install(installed, domain="")
    assert everything(installed) == before
    assert "eventreg.env stays as it is" in said


def test_a_unit_changed_by_hand_stays_and_the_new_one_lies_beside_it(installed: Path) -> None:
    unit = installed / UNIT
    mine = unit.read_text().replace("RestartSec=5", "RestartSec=60")
    unit.write_text(mine)
    said = install(installed)
    assert unit.read_text() == mine
    assert "RestartSec=5\n" in Path(f"{unit}.new").read_text()
    assert "-RestartSec=60\n+RestartSec=5" in said, "it says what differs"
    unit.write_text(Path(f"{unit}.new").read_text())
    install(installed)
    assert not Path(f"{unit}.new").exists(), "it is as installed again"


def test_a_file_that_somebody_else_made_before_is_not_overwritten(tmp_path: Path) -> None:
    there = tmp_path / "etc/eventreg/Caddyfile"
    there.parent.mkdir(parents=True)
    there.write_text("mine\n")
    assert "Caddyfile was changed by hand and stays" in install(tmp_path)
    assert there.read_text() == "mine\n"
    assert DOMAIN in Path(f"{there}.new").read_text()


def test_an_unchanged_file_of_an_older_version_is_replaced(tmp_path: Path) -> None:
    path = Path("/etc/systemd/system/eventreg.service")
    older, newer = File(path, "old\n"), File(path, "new\n")
    assert KeptFiles(tmp_path).write(older) == ""
    assert KeptFiles(tmp_path).write(newer) == ""
    assert KeptFiles(tmp_path).at(path).read_text() == "new\n"
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "-"],
        cwd=tmp_path,
        input=(tmp_path / str(LIST).lstrip("/")).read_text().replace("  /", "  "),
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, "an operator can check the list with sha256sum"


def test_a_masked_unit_stays_masked(installed: Path) -> None:
    unit = installed / UNIT
    unit.unlink()
    unit.symlink_to("/dev/null")
    install(installed)
    assert unit.is_symlink()


def test_the_settings_are_never_shown_nor_written_again(installed: Path) -> None:
    settings = installed / "etc/eventreg/eventreg.env"
    settings.write_text(settings.read_text() + "EVENTREG_SMTP_URL=smtp://a:hidden-word@mail\n")
    mine = settings.read_text()
    said = install(installed)
    assert settings.read_text() == mine
    assert not settings.with_name("eventreg.env.new").exists()
    shown = make("install-service", DESTDIR=installed, DRY_RUN="1").stdout
    for secret in ("hidden-word", files.read_settings(mine)["EVENTREG_SECRET_KEY"]):
        assert secret not in said + shown


def test_a_key_that_the_data_has_already_is_kept(tmp_path: Path) -> None:
    """Somebody moved the folder of `make run` to the new place first."""
    state = tmp_path / "var/lib/eventreg"
    state.mkdir(parents=True)
    (state / "secret-key").write_text("the key of the tickets that guests have")
    install(tmp_path)
    settings = files.read_settings((tmp_path / "etc/eventreg/eventreg.env").read_text())
    assert "EVENTREG_SECRET_KEY" not in settings


def test_another_domain_than_that_of_the_settings_is_refused(installed: Path) -> None:
    before = everything(installed)
    done = make("install-service", DESTDIR=installed, DOMAIN="other.example.org")
    assert done.returncode != 0
    assert "says EVENTREG_PUBLIC_URL=https://register.example.org" in done.stderr
    assert everything(installed) == before


@pytest.mark.parametrize(
    "domain", ["", "https://a.example.org", "a.example.org/x", "10.0.0.1", "a"]
)
def test_a_domain_that_is_none_is_refused_in_one_line(tmp_path: Path, domain: str) -> None:
    done = make("install-service", DESTDIR=tmp_path, DOMAIN=domain)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0].startswith("DOMAIN: must be the name of this server")
    assert not everything(tmp_path)


def test_the_dry_run_shows_every_file_and_writes_none(tmp_path: Path) -> None:
    shown = make("install-service", DESTDIR=tmp_path, DOMAIN=DOMAIN, DRY_RUN="1").stdout
    assert not everything(tmp_path)
    install(tmp_path)
    for path, content in ((path, tmp_path / path) for path in everything(tmp_path)):
        if not str(path).startswith("opt/"):
            assert f"=== /{path} (" in shown, "what is written was shown"
        if path.name not in {"eventreg.env", "installed.sha256"} and "opt" not in path.parts:
            assert content.read_text().rstrip() in shown
    assert "EVENTREG_SECRET_KEY=(made at the installation)" in shown
    assert "would run: systemctl restart eventreg.service" in shown


def test_taking_it_away_leaves_data_settings_and_what_was_edited(installed: Path) -> None:
    data = installed / "var/lib/eventreg/eventreg.sqlite3"
    data.parent.mkdir(parents=True)
    data.write_text("everybody")
    unit = installed / UNIT
    unit.write_text(unit.read_text() + "# mine\n")
    done = make("uninstall-service", DESTDIR=installed)
    assert done.returncode == 0, done.stderr
    left = {str(path) for path in everything(installed)}
    assert left == {
        "var/lib/eventreg/eventreg.sqlite3",
        "etc/eventreg/eventreg.env",
        f"{UNIT}.edited",
    }
    assert "stays in /var/lib/eventreg" in done.stdout
    key = (installed / "etc/eventreg/eventreg.env").read_text()
    install(installed)
    assert (installed / "etc/eventreg/eventreg.env").read_text() == key, "its tickets still open"


def test_the_shown_removal_removes_nothing(installed: Path) -> None:
    before = everything(installed)
    done = make("uninstall-service", DESTDIR=installed, DRY_RUN="1")
    assert f"would remove: /{UNIT}" in done.stdout
    assert everything(installed) == before


def test_an_older_folder_does_not_replace_a_newer_version(installed: Path) -> None:
    current = installed / "opt/eventreg/current"
    (current / "eventreg/version.py").write_text('VERSION = "77.2.0"\n')
    before = everything(installed)
    done = make("install-service", DESTDIR=installed)
    assert done.returncode != 0
    assert "git checkout v77.2.0" in done.stderr
    assert everything(installed) == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root may read the settings")
def test_the_command_has_the_settings_as_systemd_gives_them_to_the_service(tmp_path: Path) -> None:
    settings = tmp_path / "eventreg.env"
    settings.write_text(
        "# a remark\n#EVENTREG_OFF=1\n\nEVENTREG_PEOPLE_PER_ADDRESS=10/minute, 40/hour\n"
        'EVENTREG_QUOTED="with a space"\nEVENTREG_SMTP_URL=smtp://a:$b&c\'d@mail:25\nPORT=8123'
    )
    text = (ROOT / "deploy" / "eventreg.sh").read_text()
    program = text.replace("/etc/eventreg/eventreg.env", str(settings))
    program = program.replace("cd /var/lib/eventreg", f"cd {tmp_path}")
    began = program.index("exec setpriv")
    said = subprocess.run(
        ["sh", "-c", f"{program[:began]}env"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for line in (
        "EVENTREG_PEOPLE_PER_ADDRESS=10/minute, 40/hour",
        "EVENTREG_QUOTED=with a space",
        "EVENTREG_SMTP_URL=smtp://a:$b&c'd@mail:25",
        "PORT=8123",
    ):
        assert line in said
    assert not [line for line in said if "EVENTREG_OFF" in line]
