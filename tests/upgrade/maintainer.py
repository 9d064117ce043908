"""A maintainer who signs made-up releases, and an operator who has a checkout of the first."""

import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from alembic.script import ScriptDirectory

from tests.support.factories import ROOT, SECRET, bare_environment

PROGRAMS = (
    "git sh tar timeout ssh-keygen dirname find mktemp rm cat env uname perl "
    "pg_dump pg_restore psql"
)
UNSHIPPED = ("tests/", "docs/", "benchmarks/", ".ci/")
HEAD = str(ScriptDirectory(str(ROOT / "migrations")).get_current_head())
MIGRATION = """
import os
import signal
from pathlib import Path
import sqlalchemy as sa
from alembic import op
revision = "{name}"
down_revision = "{before}"
{more}
def upgrade():
    op.add_column("gifts", sa.Column("{name}", sa.Integer(), nullable=True))
    sign = Path(os.environ["EVENTREG_INSTANCE"]) / "cut-the-power"
    if "{name}" == "m2031_second" and sign.exists():
        sign.unlink()
        for process in (os.getppid(), os.getpid()):
            os.kill(process, signal.SIGKILL)
def downgrade():
    op.drop_column("gifts", "{name}")
"""


def git(folder: Path, *arguments: str) -> str:
    """Run git there."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def two_migrations(more: str = "") -> dict[str, str]:
    """The files of two migrations. The second may be cut short."""
    first, second = "m2031_first", "m2031_second"
    return {
        f"migrations/versions/{first}.py": MIGRATION.format(name=first, before=HEAD, more=""),
        f"migrations/versions/{second}.py": MIGRATION.format(name=second, before=first, more=more),
    }


class Maintainer:
    """The repository from which operators fetch, with the keys of the maintainer and a stranger."""

    def __init__(self, folder: Path, *, with_code: bool = True) -> None:
        self.folder = folder / "origin"
        self.key, self.strange_key = (make_key(folder / name) for name in ("key", "strange"))
        self.folder.mkdir()
        git(self.folder, "init", "--quiet", "--initial-branch=main")
        for name, value in (
            ("user.name", "Maintainer"),
            ("user.email", "maintainer@example.org"),
            ("gpg.format", "ssh"),
            ("user.signingkey", str(self.key)),
            ("gc.auto", "0"),
        ):
            git(self.folder, "config", name, value)
        if with_code:
            self._copy_code()

    def _copy_code(self) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        for name in listed.stdout.decode().split("\0"):
            if name and not name.startswith(UNSHIPPED) and (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.folder / name)

    def commit(self, version: str, files: dict[str, str] | None = None) -> None:
        """Commit these files as a version."""
        stated = {"eventreg/version.py": f'"""The version."""\n\nVERSION = "{version}"\n'}
        for name, text in {**stated, **(files or {})}.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text, encoding="utf-8")
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "-m", f"Version {version}")

    def release(
        self, version: str, files: dict[str, str] | None = None, tagging: tuple[str, ...] = ("-s",)
    ) -> str:
        """Commit these files as a version, and tag it. Returns what the tag names."""
        self.commit(version, files)
        self.tag(version, *tagging)
        return git(self.folder, "rev-parse", f"refs/tags/v{version}")

    def tag(self, version: str, *tagging: str) -> None:
        """Tag the last commit."""
        text = (
            () if "--no-sign" in tagging and "-a" not in tagging else ("-m", f"eventreg {version}")
        )
        git(self.folder, "tag", *tagging, *text, f"v{version}")


def make_key(file: Path) -> Path:
    """A key that signs."""
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]
    subprocess.run([*made, str(file)], check=True)
    return file


def allowed(key: Path) -> str:
    """A line of the operator's file of allowed keys."""
    return f"maintainer@example.org {key.with_suffix('.pub').read_text()}"


@dataclass
class Operator:
    """A checkout of version 1.0.0 with libraries, and the environment of its programs."""

    folder: Path
    environment: dict[str, str]

    @property
    def instance(self) -> Path:
        """The instance folder."""
        return self.folder / "instance"

    def run(self, *arguments: str | Path, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run Python in the checkout."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def upgrade(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """`make upgrade`."""
        return self.run("-m", "script.upgrade", *arguments, **more)

    def flask(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command of the version that is checked out."""
        return self.run("-m", "flask", "--app", "wsgi", *arguments)

    def version(self) -> str:
        """The version that is checked out."""
        stated = (self.folder / "eventreg" / "version.py").read_text()
        return stated.rpartition("VERSION = ")[2].strip().strip('"')


def make_operator(folder: Path, maintainer: Maintainer, **environment: str) -> Operator:
    """A clone at version 1.0.0 that trusts the maintainer's key."""
    git(folder, "clone", "--quiet", str(maintainer.folder), "here")
    here = folder / "here"
    git(here, "checkout", "--quiet", "v1.0.0")
    make_libraries(here / ".venv")
    signers = here / "instance" / "release-signers"
    signers.write_text(allowed(maintainer.key))
    for file in signers.parent.iterdir():
        file.chmod(0o600)  # as the first start does
    given = {
        "EVENTREG_INSTANCE": str(here / "instance"),
        "EVENTREG_SECRET_KEY": SECRET,
        "EVENTREG_RATE_LIMITS": "off",
        **environment,
    }
    return Operator(here, bare_environment(**{"PATH": str(make_programs(folder)), **given}))


def make_programs(folder: Path) -> Path:
    """All programs of the system that an upgrade may use. npm is not there, so nothing is
    fetched."""
    programs = folder / "bin"
    programs.mkdir()
    for name in PROGRAMS.split():
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    return programs


def make_libraries(folder: Path) -> None:
    """A virtual environment that has the libraries of the one in which the tests run."""
    venv.create(folder, with_pip=False, symlinks=True)
    ours = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    Path(ours, "all.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    (folder / ".run").touch()
