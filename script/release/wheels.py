"""Fetch the wheels of all locked libraries, for the Pythons on which operators run eventreg."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

PYTHONS = ("3.11.2", "3.12.3", "3.13.5")
"""Those of Debian 12, Ubuntu 24.04 and Debian 13."""
_GLIBC = range(5, 37)
_BLOCK = re.compile(
    r"^(?P<head>[A-Za-z0-9][^\\\n]*?) \\\n(?P<hashes>(?:    --hash=\S+(?: \\)?\n)+)", re.M
)


@dataclass(frozen=True)
class Target:
    """A machine for which wheels are fetched."""

    python: str
    machine: str = "x86_64"

    def wants(self, head: str) -> bool:
        """Whether this line of requirements.txt, such as ``x==1.0 ; python_version < "3.12"``,
        holds on it."""
        marker = Requirement(head).marker
        environment = {
            "python_version": ".".join(self.python.split(".")[:2]),
            "python_full_version": self.python,
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "platform_machine": self.machine,
            "platform_system": "Linux",
            "sys_platform": "linux",
            "os_name": "posix",
        }
        return marker is None or marker.evaluate({**environment, "extra": ""})

    @property
    def platforms(self) -> list[str]:
        """The platforms of wheels that it can use, for pip."""
        names = [f"manylinux_2_{minor}_{self.machine}" for minor in reversed(_GLIBC)]
        return [*names, f"manylinux2014_{self.machine}", f"linux_{self.machine}"]


def wanted(requirements: str, target: Target) -> str:
    """The lines of requirements.txt that hold for a target, without their conditions, which pip
    would read for the Python that runs it."""
    return "".join(
        f"{found['head'].partition(';')[0].strip()} \\\n{found['hashes']}"
        for found in _BLOCK.finditer(requirements)
        if target.wants(found["head"])
    )


def fetch(requirements: Path, folder: Path, targets: list[Target]) -> None:
    """Fetch the wheels of all targets into a folder. pip checks each hash."""
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    for target in targets:
        lines = folder / ".wanted.txt"
        lines.write_text(wanted(requirements.read_text(encoding="utf-8"), target), encoding="utf-8")
        version = target.python.rpartition(".")[0]
        machine = [f"--platform={name}" for name in target.platforms]
        exact = [
            "--no-deps",
            "--require-hashes",
            "--only-binary=:all:",
            f"--python-version={version}",
        ]
        subprocess.run([*pip, *exact, *machine, "-d", folder, "-r", lines], check=True)
        lines.unlink()
