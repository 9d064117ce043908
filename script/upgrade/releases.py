"""A folder with one version: its code, its libraries with checked hashes, and the door's scripts.

It is made beside what runs, and gets its name when it is whole.
"""

import hashlib
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from script.upgrade.programs import Refused, Surroundings
from script.upgrade.tags import Repository, Tag

DOOR_SCRIPTS = Path("static/door/vendor")
_WHOLE = ".complete"
"""`make install-service` uses the same name."""
_SUM = re.compile(r"^([0-9a-f]{64})  (\S+)$", re.M)


@dataclass(frozen=True)
class Bundle:
    """An unpacked offline bundle: the folder that `make release` has packed."""

    folder: Path

    @property
    def history(self) -> Path:
        """The git history with the signed tag, from which git can fetch."""
        return self.folder / "release" / "history.bundle"


@dataclass(frozen=True)
class Maker:
    """Makes the folders of versions in ``folder``. ``present`` is the code that runs now."""

    folder: Path
    present: Path
    repository: Repository
    around: Surroundings
    bundle: Bundle | None = None
    is_compiled: bool = False
    """Compile the modules now, because the service may not write beside them."""

    def path(self, version: str) -> Path:
        """Where that version is or will be."""
        return self.folder / "releases" / version

    def make(self, tag: Tag) -> Path:
        """Make the folder of a version that was checked, or finish it. Returns it."""
        whole = self.path(tag.version)
        mark = whole / _WHOLE
        if mark.exists() and mark.read_text() == tag.object:
            return whole
        part = whole.with_name(f".{tag.version}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        packed = part.with_suffix(".tar")
        self.repository.git("archive", f"--output={packed}", f"{tag.object}^{{commit}}")
        self.around.require("tar", ["tar", "-xf", packed, "-C", part], part)
        packed.unlink()
        (part / ".venv").symlink_to(self._libraries(part / "requirements.txt"))
        self._door_scripts(part, tag)
        if self.is_compiled:
            compiling: list[str | Path] = [
                part / ".venv/bin/python",
                "-m",
                "compileall",
                "-q",
                "eventreg",
            ]
            self.around.require("compileall", [*compiling, "migrations"], part)
        (part / _WHOLE).write_text(tag.object)
        shutil.rmtree(whole, ignore_errors=True)
        part.rename(whole)
        return whole

    def _libraries(self, wanted: Path) -> Path:
        """A virtual environment with these libraries: the present one if it has them already."""
        present = self.present / ".venv"
        same = wanted.read_bytes() == (self.present / "requirements.txt").read_bytes()
        if same and (present / "bin" / "python").exists():
            return present.resolve()
        name = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()[:16]
        made = self.folder / "libraries" / name
        if (made / ".run").exists():
            return made
        shutil.rmtree(made, ignore_errors=True)  # a part of a version may look like the whole
        made.parent.mkdir(parents=True, exist_ok=True)
        self.around.require("venv", [sys.executable, "-m", "venv", made], wanted.parent)
        wheels = self.bundle.folder / "wheels" if self.bundle else None
        offline: Sequence[str | Path] = ["--no-index", "-f", wheels] if wheels else []
        python = made / "bin" / "python"
        pip: list[str | Path] = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        self.around.require("pip", [*pip, "--require-hashes", "-r", wanted, *offline], made)
        (made / ".run").touch()
        return made

    def _door_scripts(self, code: Path, tag: Tag) -> None:
        """The scanner at the door: from the bundle, if the signed text knows its checksum;
        otherwise by npm, if that is there."""
        if self.bundle is None:
            self.around.run(["script/scanner", "quietly"], code)
            return
        sums = {name: sum_ for sum_, name in _SUM.findall(tag.text)}
        for file in sorted((self.bundle.folder / DOOR_SCRIPTS).glob("*")):
            name = str(DOOR_SCRIPTS / file.name)
            if hashlib.sha256(file.read_bytes()).hexdigest() != sums.get(name):
                raise Refused(f"{name}: is not the file that v{tag.version} was signed with")
            (code / DOOR_SCRIPTS).mkdir(parents=True, exist_ok=True)
            shutil.copy(file, code / name)

    def drop_old(self, kept: set[Path]) -> None:
        """Delete the folders of other versions, and libraries that none uses any more."""
        used = {(code / ".venv").resolve() for code in (*kept, self.present)}
        needed = {code.resolve() for code in kept} | used
        for one in (self.folder / "releases").glob("*"):
            if not any(path.is_relative_to(one.resolve()) for path in needed):
                shutil.rmtree(one, ignore_errors=True)
        for one in (self.folder / "libraries").glob("*"):
            if one.resolve() not in used:
                shutil.rmtree(one, ignore_errors=True)
