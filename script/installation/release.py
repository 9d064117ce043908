"""Copy the program to /opt/eventreg/releases/NAME, with its own libraries.

`/opt/eventreg/current` leads to the release that runs. It is switched at once, after the copy is
whole.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from script.installation.files import CODE, SOURCE

_BUILT = Path("static/door/vendor")
"""Made by script/scanner, and unknown to git."""
_NEVER = {".git", ".ci", ".venv", "instance", "node_modules", "__pycache__", "tests", "benchmarks"}
_PICTURES = Path("docs/pictures")
_WHOLE = ".whole"
"""A file in each folder that is whole. `make upgrade` looks for the same."""


def version(code: Path) -> str:
    """The version of the program in a folder."""
    file = code / "eventreg" / "version.py"
    found = re.search(r'VERSION = "([\w.+-]+)"', file.read_text()) if file.exists() else None
    return found[1] if found else "0"


def newer_one(root: Path) -> str:
    """The version that is installed, if it is newer than this one; else empty."""
    installed = version(root / CODE.relative_to("/") / "current")
    return installed if _numbers(installed) > _numbers(version(SOURCE)) else ""


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def name() -> str:
    """The name of the release: its version, and the commit if it is not the tagged one."""
    ours = version(SOURCE)
    if not (SOURCE / ".git").exists():
        return ours
    commit = _git("rev-parse", "--short=10", "HEAD").strip()
    changes = _git("diff", "HEAD")
    if changes:
        return f"{ours}-{commit}-{hashlib.sha256(changes.encode()).hexdigest()[:8]}"
    is_tagged = f"v{ours}" in _git("tag", "--points-at", "HEAD").split()
    return ours if is_tagged else f"{ours}-{commit}"


def copy(root: Path, release: str, *, libraries: bool) -> Path:
    """Copy the program, and install its libraries with the hashes of requirements.txt. A copy that
    is whole stays as it is. Returns its folder."""
    folder = root / CODE.relative_to("/") / "releases" / release
    if (folder / _WHOLE).exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    for file in _files():
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCE / file, target)
        target.chmod(0o755 if os.access(SOURCE / file, os.X_OK) else 0o644)
    if libraries:
        _install_libraries(folder)
    (folder / _WHOLE).touch()
    return folder


def switch(root: Path, release: str) -> None:
    """Let ``current`` lead to this release, in one step."""
    current = root / CODE.relative_to("/") / "current"
    draft = current.with_name(".current.draft")
    draft.unlink(missing_ok=True)
    draft.symlink_to(Path("releases", release))
    draft.replace(current)


def _install_libraries(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", folder / ".venv"], check=True)
    python = folder / ".venv" / "bin" / "python"
    wheels = SOURCE / "wheels"
    offline = ("--no-index", "-f", wheels) if wheels.is_dir() else ()
    install = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    required = ("--require-hashes", "-r", folder / "requirements.txt")
    subprocess.run((*install, *offline, *required), check=True)
    # The service cannot write here, so its modules are compiled now.
    compiled = (python, "-m", "compileall", "-q", folder / "eventreg", folder / "migrations")
    subprocess.run(compiled, check=True)


def _files() -> list[Path]:
    """The files of the program, from the top of the source."""
    if (SOURCE / ".git").exists():
        found = [Path(one) for one in _git("ls-files", "-z").split("\0") if one]
    else:
        found = [path.relative_to(SOURCE) for path in sorted(SOURCE.rglob("*"))]
    built = [path.relative_to(SOURCE) for path in (SOURCE / _BUILT).glob("*")]
    return [
        path
        for path in dict.fromkeys([*found, *built])
        if (SOURCE / path).is_file()
        and not _NEVER & set(path.parts)
        and not path.is_relative_to(_PICTURES)
    ]


def _git(*arguments: str) -> str:
    """What git says of the source, also if it belongs to somebody else than root."""
    command = ["git", "-C", str(SOURCE), "-c", f"safe.directory={SOURCE}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
