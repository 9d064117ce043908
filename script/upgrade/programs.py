"""Run other programs, with the settings and as the user of the installation."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class Refused(Exception):
    """The upgrade does not go on. The text says why, in one line."""


def say(line: str) -> None:
    """Tell the operator what happens."""
    print(line, flush=True)


def last_line(text: str) -> str:
    """The last line of an output that is not empty: the reason, for most programs."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "failed")


@dataclass(frozen=True)
class Surroundings:
    """The environment and the owner of what is installed. ``owner`` is ``None`` if it is us.
    ``lock`` stays held until a program that was started has ended, also if we are killed."""

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    owner: tuple[int, int] | None = None
    lock: int | None = None

    def run(
        self, arguments: Sequence[str | Path], folder: Path, *, as_owner: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end, and keep what it says."""
        user, group = (self.owner or (None, None)) if as_owner else (None, None)
        home = {} if user is None else {"HOME": self.environment["EVENTREG_INSTANCE"]}
        return subprocess.run(
            [str(argument) for argument in arguments],
            cwd=folder,
            env={**self.environment, **home},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            user=user,
            group=group,
            extra_groups=[] if user is not None else None,
            pass_fds=[] if self.lock is None else [self.lock],
        )

    def require(self, what: str, arguments: Sequence[str | Path], folder: Path) -> str:
        """Run a program that must succeed. Returns its output."""
        done = self.run(arguments, folder)
        if done.returncode:
            raise Refused(f"{what}: {last_line(done.stdout + done.stderr)}")
        return done.stdout

    def flask(self, code: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a command of the version in that folder, as the owner of the data."""
        python = code / ".venv" / "bin" / "python"
        return self.run([python, "-m", "flask", "--app", "wsgi", *arguments], code, as_owner=True)
