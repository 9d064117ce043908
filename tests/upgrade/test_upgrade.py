"""`make upgrade` of a checkout: to the new version, or back to the old one, and nobody is lost."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs.conftest import WHOLE
from tests.support.factories import House, toml
from tests.upgrade.maintainer import HEAD, Maintainer, Operator, git, make_operator, two_migrations

whole = pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
BROKEN = 'import sys\nsys.exit("the new server is broken")\n'
WRITES_AND_BREAKS = """
import sys
from wsgi import app
app.test_cli_runner().invoke(args=["staff", "add", "written-since", "--role", "door"])
sys.exit("the new server is broken")
"""
INCOMPATIBLE = two_migrations('OLDEST_PROGRAM = "m2031_second"')


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Maintainer:
    """A repository with version 1.0.0."""
    made = Maintainer(tmp_path_factory.mktemp("code"))
    made.release("1.0.0")
    return made


@pytest.fixture
def maintainer(code: Maintainer, tmp_path: Path) -> Iterator[Maintainer]:
    """The same, for one test."""
    shutil.copytree(code.folder, tmp_path / "origin", symlinks=True)
    was, code.folder = code.folder, tmp_path / "origin"
    yield code
    code.folder = was


@pytest.fixture
def operator(
    maintainer: Maintainer, migrated: Path, tmp_path: Path, environment: dict[str, str]
) -> Operator:
    """A checkout of 1.0.0 with an event, three people and a clerk."""
    made = make_operator(tmp_path, maintainer, **environment)
    shutil.copy(migrated, made.instance / "eventreg.sqlite3")
    house = House(made.instance, **environment)
    with house.app.app_context():
        house.apply(toml())
        house.hire()
        house.register("张桂芳")
        house.register("王一", "王二")
    house.close()
    return made


def findings(operator: Operator) -> str:
    """What `doctor` of the version that is checked out says, with the schema and the seats."""
    said = operator.flask("doctor")
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


def test_an_upgrade_brings_the_new_version_and_keeps_a_backup(
    maintainer: Maintainer, operator: Operator
) -> None:
    maintainer.release("1.1.0", two_migrations())
    done = operator.upgrade()
    assert (done.returncode, done.stderr) == (0, "")
    assert operator.version() == "1.1.0"
    assert not git(operator.folder, "status", "--porcelain")
    backup = next((operator.instance / "backups").glob("before-upgrade-to_1_1_0-*.zip"))
    assert backup.stat().st_mode & 0o77 == 0
    again = operator.upgrade()
    assert (again.returncode, again.stdout) == (0, "eventreg 1.1.0 is the newest version.\n")


@whole
@pytest.mark.both_databases
def test_an_upgrade_whose_power_is_cut_in_a_migration_goes_on_and_nothing_is_lost(
    maintainer: Maintainer, operator: Operator
) -> None:
    maintainer.release("1.1.0", two_migrations())
    sign = operator.instance / "cut-the-power"
    sign.touch()
    killed = operator.upgrade()
    assert killed.returncode == -9, killed.stdout + killed.stderr
    assert not sign.exists()
    assert operator.version() == "1.0.0"
    assert "m2031_first" in findings(operator), "the old version runs on what there is"
    done = operator.upgrade()
    assert (done.returncode, done.stderr) == (0, "")
    assert "fetch" not in done.stdout, "it goes on"
    assert operator.version() == "1.1.0"
    assert "m2031_second" in findings(operator)


def test_a_refused_tag_is_one_line_and_changes_nothing(
    maintainer: Maintainer, operator: Operator
) -> None:
    maintainer.release("1.1.0", tagging=("-a", "--no-sign"))
    refused = operator.upgrade()
    assert (refused.returncode, refused.stderr) == (1, "v1.1.0 is not signed\n")
    assert operator.version() == "1.0.0"
    assert not (operator.instance / "backups").exists()


def test_files_that_were_changed_by_hand_or_lie_in_the_way_are_never_lost(
    maintainer: Maintainer, operator: Operator
) -> None:
    maintainer.release("1.1.0", {"events/ours.toml": "theirs"})
    ours = operator.folder / "events" / "ours.toml"
    ours.write_text("ours")
    refused = operator.upgrade()
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "in the way of files of the new version: events/ours.toml" in refused.stderr
    assert ours.read_text() == "ours"
    ours.unlink()
    (operator.folder / "README.md").write_text("ours")
    refused = operator.upgrade()
    assert "changed by hand: README.md" in refused.stderr
    assert (operator.folder / "README.md").read_text() == "ours"


def test_two_upgrades_at_once_are_refused(maintainer: Maintainer, operator: Operator) -> None:
    maintainer.release("1.1.0")
    held = operator.folder / ".upgrade" / "upgrade.lock"
    held.parent.mkdir()
    with subprocess.Popen(["flock", held, "sleep", "60"]) as other:
        while subprocess.run(["flock", "--nonblock", held, "true"], check=False).returncode == 0:
            pass
        refused = operator.upgrade()
        other.kill()
    assert (refused.returncode, "another upgrade is running" in refused.stderr) == (1, True)


@whole
@pytest.mark.both_databases
def test_a_broken_version_is_rolled_back_and_the_old_one_runs_on_the_new_tables(
    maintainer: Maintainer, operator: Operator
) -> None:
    maintainer.release("1.1.0", {**two_migrations(), "eventreg/serve.py": WRITES_AND_BREAKS})
    failed = operator.upgrade()
    assert failed.returncode == 1
    assert "rolled back to 1.0.0: the server of 1.1.0:" in failed.stderr
    assert "the new server is broken" in failed.stderr
    assert operator.version() == "1.0.0"
    assert "m2031_second" in findings(operator)
    assert "written-since" in operator.flask("staff", "list").stdout, "nothing is lost"
    maintainer.release(
        "1.1.1", {"eventreg/serve.py": (operator.folder / "eventreg" / "serve.py").read_text()}
    )
    mended = operator.upgrade()
    assert mended.returncode == 0, mended.stderr
    assert operator.version() == "1.1.1"


@whole
@pytest.mark.both_databases
def test_tables_that_the_old_version_cannot_use_are_restored_if_nothing_was_written(
    maintainer: Maintainer, operator: Operator
) -> None:
    maintainer.release("1.1.0", {**INCOMPATIBLE, "eventreg/serve.py": BROKEN})
    failed = operator.upgrade()
    assert failed.returncode == 1
    assert "rolled back to 1.0.0" in failed.stderr
    assert operator.version() == "1.0.0"
    found = findings(operator)
    assert HEAD in found
    assert "all holds" in found


@whole
@pytest.mark.both_databases
def test_tables_that_the_old_version_cannot_use_are_kept_if_something_was_written(
    maintainer: Maintainer, operator: Operator
) -> None:
    maintainer.release("1.1.0", {**INCOMPATIBLE, "eventreg/serve.py": WRITES_AND_BREAKS})
    failed = operator.upgrade()
    assert failed.returncode == 1
    assert "changes were written since" in failed.stderr
    assert "Nothing is lost" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
    assert operator.flask("db", "fits").returncode == 1
    again = operator.upgrade()
    assert "check: " in again.stdout, "the next call tries the new version again"
    assert again.returncode == 1
    whole_again = (operator.folder / "eventreg" / "serve.py").read_text()
    maintainer.release("1.1.1", {"eventreg/serve.py": whole_again})
    mended = operator.upgrade()
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert operator.version() == "1.1.1"
    assert "written-since" in operator.flask("staff", "list").stdout


KILLED = """
import os, signal, sys
from script.upgrade import __main__ as program, steps
from script.upgrade.places import Checkout
from script.upgrade.programs import Surroundings
from script.upgrade.releases import Maker
from script.upgrade.tags import Repository
def killing(act, is_the_one=lambda given: True):
    def killed(*given, **named):
        done = act(*given, **named)
        if is_the_one(given):
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    return killed
point = sys.argv.pop()
at = {"fetch": (Repository, "fetch"), "install": (Maker, "make"), "backup": (program, "back_up"),
      "git": (Checkout, "checkout"), "back": (Checkout, "switch_back"),
      "mend": (program, "roll_back")}
if point == "restore":
    Surroundings.flask = killing(Surroundings.flask, lambda given: given[2:4] == ("backup", point))
elif point in at:
    owner, name = at[point]
    setattr(owner, name, killing(getattr(owner, name)))
steps.STEPS = tuple((n, w, killing(s) if n == point else s) for n, w, s in steps.STEPS)
program.main()
"""


@whole
@pytest.mark.parametrize(
    "point", ["fetch", "install", "backup", "migrate", "check", "git", "switch", "start"]
)
@pytest.mark.both_databases
def test_an_upgrade_that_is_killed_after_a_step_goes_on(
    maintainer: Maintainer, operator: Operator, point: str
) -> None:
    maintainer.release("1.1.0", two_migrations())
    killed = operator.run("-c", KILLED, point)
    assert killed.returncode == -9, killed.stdout + killed.stderr
    assert "all holds" in findings(operator), "one version runs, the old one or the new one"
    added = operator.flask("staff", "add", "written-between", "--role", "door")
    assert added.returncode == 0, added.stderr
    done = operator.upgrade()
    assert done.returncode == 0, done.stdout + done.stderr
    assert operator.version() == "1.1.0"
    assert "all holds" in findings(operator)
    assert "written-between" in operator.flask("staff", "list").stdout


@whole
@pytest.mark.both_databases
def test_a_way_back_that_is_killed_goes_on(maintainer: Maintainer, operator: Operator) -> None:
    maintainer.release("1.1.0", {**INCOMPATIBLE, "eventreg/serve.py": BROKEN})
    killed = operator.run("-c", KILLED, "restore")
    assert killed.returncode == -9, killed.stdout + killed.stderr
    again = operator.upgrade()
    assert again.returncode == 1
    assert "rolled back to 1.0.0" in again.stderr
    assert operator.version() == "1.0.0"
    assert "all holds" in findings(operator)
