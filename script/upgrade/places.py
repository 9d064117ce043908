"""What is upgraded: a checkout that `make run` serves, or an installation of `make
install-service`."""

import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from script.upgrade.programs import Refused, Surroundings, last_line, say
from script.upgrade.releases import DOOR_SCRIPTS
from script.upgrade.tags import Repository, version_in

UNIT = "eventreg.service"
_PATIENCE = 150
"""Seconds until a server must answer."""


class Place(Protocol):
    """An installation."""

    around: Surroundings

    @property
    def folder(self) -> Path:
        """Where versions and progress are kept."""

    @property
    def code(self) -> Path:
        """The code that runs, or would run at the next start."""

    def name_of_code(self) -> str:
        """A name of the present code, for ``switch_back``."""

    def check(self, repository: Repository, tag: str) -> None:
        """``Refused`` if this place could not be switched to that tag."""

    def switch(self, release: Path, tag: str) -> None:
        """Let the next start use that version. May be called again."""

    def switch_back(self, name: str) -> None:
        """Let the next start use what ran before. May be called again."""

    def start(self) -> None:
        """Start the server of the version that was switched to, if the system runs it. ``Refused``
        if it does not answer."""

    def stop(self) -> None:
        """Stop the server, if the system runs it."""


def version_of(code: Path) -> str:
    """The version of the code in that folder."""
    file = code / "eventreg" / "version.py"
    return version_in(file.read_text(encoding="utf-8")) if file.exists() else "0.0.0"


def instance_of(place: Place) -> Path:
    """The instance folder."""
    return Path(place.around.environment["EVENTREG_INSTANCE"])


@dataclass
class Checkout:
    """A git checkout with `.venv/` and, unless the settings say otherwise, `instance/`."""

    code: Path
    around: Surroundings

    @property
    def folder(self) -> Path:
        """Beside the code, ignored by git."""
        return self.code / ".upgrade"

    def _git(self, *arguments: str) -> str:
        git = ["git", "-c", f"safe.directory={self.code}", "-c", "advice.detachedHead=false"]
        return self.around.require(f"git {arguments[0]}", [*git, *arguments], self.code)

    def name_of_code(self) -> str:
        """The branch, or the commit if there is none; and in a second line the libraries."""
        branch = self._git("branch", "--show-current").strip()
        present = self.code / ".venv"
        libraries = present.resolve() if present.is_symlink() else self._first_libraries
        return f"{branch or self._git('rev-parse', 'HEAD').strip()}\n{libraries}"

    def changed(self) -> list[str]:
        """The files that were changed by hand."""
        status = self._git("status", "--porcelain", "--untracked-files=no")
        return [line[3:] for line in status.splitlines()]

    def check(self, repository: Repository, tag: str) -> None:
        """A file that was changed by hand, or that lies in the way, would be lost."""
        if changed := self.changed():
            names = ", ".join(changed[:5])
            raise Refused(f"changed by hand: {names}; save a copy, then run: git checkout .")
        ours = set(self._git("ls-files", "-z").split("\0"))
        theirs = set(repository.git("ls-tree", "-rz", "--name-only", tag).split("\0"))
        in_the_way = sorted(name for name in theirs - ours if (self.code / name).exists())
        if in_the_way:
            raise Refused(f"in the way of files of the new version: {', '.join(in_the_way[:5])}")

    def switch(self, release: Path, tag: str) -> None:
        """Check the tag out, and exchange the libraries and the door's scripts."""
        self.checkout("--detach", f"{tag}^{{commit}}")
        self._link_libraries((release / ".venv").resolve())
        shutil.rmtree(self.code / DOOR_SCRIPTS, ignore_errors=True)
        if (release / DOOR_SCRIPTS).exists():
            # with the time of now, so that make need not build them again
            made, ours = release / DOOR_SCRIPTS, self.code / DOOR_SCRIPTS
            shutil.copytree(made, ours, copy_function=shutil.copy)

    def checkout(self, *wanted: str) -> None:
        """Let git check that out, whatever a killed upgrade has left."""
        # An upgrade that was killed may have left git's lock. We hold the lock of upgrades.
        (Path(self._git("rev-parse", "--absolute-git-dir").strip()) / "index.lock").unlink(
            missing_ok=True
        )
        self._git("checkout", "--quiet", "--force", *wanted)

    def _link_libraries(self, libraries: Path) -> None:
        """Let `.venv` lead to these libraries. A `.venv` that is a folder is kept for the way
        back."""
        present, draft = self.code / ".venv", self.code / ".venv.new"
        if present.resolve() != libraries:
            draft.unlink(missing_ok=True)
            draft.symlink_to(libraries)
            if present.is_dir() and not present.is_symlink():
                present.rename(self._first_libraries)
            draft.rename(present)
        (present / ".run").touch()  # newer than requirements.txt: make need not install again

    @property
    def _first_libraries(self) -> Path:
        return self.folder / "first-libraries"

    def switch_back(self, name: str) -> None:
        """Check the branch or commit out that was there before, with its libraries."""
        was, _, libraries = name.partition("\n")
        self.checkout(was)
        if Path(libraries).exists():
            self._link_libraries(Path(libraries))

    def start(self) -> None:
        """A server that `make run` started has to be started again by hand."""
        say("Start the server again: stop it with Ctrl-C where it runs, then: make run")

    def stop(self) -> None:
        """It is not ours to stop."""


@dataclass
class Installed:
    """An installation of `make install-service`: `releases/VERSION`, and `current` leads to one."""

    folder: Path
    around: Surroundings

    @property
    def code(self) -> Path:
        """The version to which `current` leads."""
        return (self.folder / "current").resolve()

    def name_of_code(self) -> str:
        """The folder of the version."""
        return str(self.code)

    def check(self, repository: Repository, tag: str) -> None:
        """Nothing is in the way: each version has a folder of its own."""

    def switch(self, release: Path, tag: str) -> None:  # noqa: ARG002
        """Let `current` lead to that version, in one step."""
        draft = self.folder / "current.new"
        draft.unlink(missing_ok=True)
        draft.symlink_to(os.path.relpath(release, self.folder))
        draft.rename(self.folder / "current")

    def switch_back(self, name: str) -> None:
        """Let `current` lead to the version before."""
        self.switch(Path(name), "")

    def _systemctl(self, *arguments: str) -> str:
        """What systemctl said if it failed; empty if it did what was asked."""
        done = self.around.run(["systemctl", *arguments], self.folder)
        return last_line(done.stderr + done.stdout) if done.returncode else ""

    def _is_run_by_systemd(self) -> bool:
        if shutil.which("systemctl", path=self.around.environment.get("PATH")) is None:
            return False
        asked = ["systemctl", "show", "--property=LoadState", "--value", UNIT]
        return self.around.run(asked, self.folder).stdout.strip() == "loaded"

    def start(self) -> None:
        """Restart the unit, and wait until the server answers."""
        if not self._is_run_by_systemd():
            say(f"systemd does not run {UNIT} here; start the server again by hand")
            return
        if reason := self._systemctl("restart", UNIT):
            raise Refused(f"{UNIT} does not start: {reason}")
        host = self.around.environment.get("HOST", "127.0.0.1")
        host = "127.0.0.1" if host in ("0.0.0.0", "::", "[::]") else host  # noqa: S104
        port = self.around.environment.get("PORT", "8000")
        if reason := wait_for(f"http://{host}:{port}/zh/"):
            raise Refused(f"{UNIT} does not answer: {reason}")

    def stop(self) -> None:
        """Stop the unit, so that nothing is written."""
        if self._is_run_by_systemd():
            self._systemctl("stop", UNIT)


def wait_for(address: str, is_alive: Callable[[], bool] = lambda: True) -> str:
    """Wait until a server answers there. Returns why it does not; empty if it does."""
    deadline = time.monotonic() + _PATIENCE
    reason = "no answer"
    while time.monotonic() < deadline and is_alive():
        try:
            with urllib.request.urlopen(address, timeout=10):  # noqa: S310 - our own server
                return ""
        except urllib.error.HTTPError as error:
            reason = f"status {error.code}"
        except OSError as error:
            reason = str(getattr(error, "reason", error))
        time.sleep(0.1)
    return reason
