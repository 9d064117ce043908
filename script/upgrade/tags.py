"""Find, fetch and check the signed tag of a version. Nothing of a tag is used before an allowed key
is known to have signed it."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from script.upgrade.programs import Refused, Surroundings, last_line

_TAG = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
_SIGNATURE = re.compile(r"^-----BEGIN (?:SSH|PGP) SIGNATURE-----$", re.M)
_VERSION = re.compile(r'^VERSION = "([^"]+)"$', re.M)


def numbers(version: str) -> tuple[int, ...]:
    """The version as numbers, to compare it. Raises ``Refused`` if it is none."""
    found = _TAG.fullmatch(f"v{version.removeprefix('v')}")
    if not found:
        raise Refused(f"{version}: is no version such as 1.2.0")
    return tuple(int(number) for number in found.groups())


def version_in(text: str) -> str:
    """The version that the text of eventreg/version.py states; empty if it states none."""
    found = _VERSION.search(text)
    return found[1] if found else ""


@dataclass(frozen=True)
class Tag:
    """A tag whose signature was checked. ``object`` names the tag itself, ``text`` is its text."""

    version: str
    object: str
    text: str


@dataclass(frozen=True)
class Repository:
    """The git repository into which tags are fetched, and the keys that the operator allows."""

    folder: Path
    source: str
    signers: Path
    around: Surroundings

    def git(self, *arguments: str) -> str:
        """Run git. Raises ``Refused`` with its last line if it fails."""
        done = self._git(*arguments)
        if done.returncode:
            raise Refused(f"git {arguments[0]}: {last_line(done.stderr)}")
        return done.stdout

    def _git(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        safe = ["-c", f"safe.directory={self.folder}", "-c", "advice.detachedHead=false"]
        return self.around.run(["git", *safe, *arguments], self.folder)

    def choose(self, wanted: str, present: str) -> tuple[str, str] | None:
        """The version to upgrade to and its tag object: the wanted one, or the newest. ``None`` if
        the present one is the newest."""
        if wanted:
            numbers(wanted)
        listed = self.git("ls-remote", "--tags", self.source)
        offered = {}
        for line in listed.splitlines():
            name, _, tag = line.partition("\trefs/tags/")
            if _TAG.fullmatch(tag):
                offered[tag.removeprefix("v")] = name
        version = wanted.removeprefix("v") or max(offered, key=numbers, default="")
        if wanted and version not in offered:
            raise Refused(f"v{version}: there is no such tag at {self.source}")
        if not version or numbers(version) < numbers(present):
            if wanted:
                raise Refused(f"v{version} is older than {present}, which is installed")
            return None
        return None if version == present else (version, offered[version])

    def fetch(self, version: str, offered: str) -> Tag:
        """Fetch that tag and check it: not moved, signed by an allowed key, of that version."""
        tag = f"v{version}"
        known = self._git("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}").stdout.strip()
        if known and known != offered:
            raise Refused(f"{tag} was moved: it was {known[:12]}, and is {offered[:12]} now")
        self.git("fetch", "--no-tags", "--quiet", self.source, f"+refs/tags/{tag}:{_place(tag)}")
        fetched = self.git("rev-parse", "--verify", _place(tag)).strip()
        if fetched != offered:
            raise Refused(f"{tag} was moved while it was fetched; try again")
        checked = self.check(version, fetched)
        if not known:
            self.git("update-ref", f"refs/tags/{tag}", fetched)
        return checked

    def check(self, version: str, name: str) -> Tag:
        """Check the signature and the content of a tag that was fetched before."""
        tag = f"v{version}"
        if self.git("cat-file", "-t", name).strip() != "tag":
            raise Refused(f"{tag} is not signed")
        head, _, text = self.git("cat-file", "tag", name).partition("\n\n")
        facts = dict(line.split(" ", 1) for line in head.splitlines() if " " in line)
        if facts.get("tag") != tag:
            raise Refused(f"{tag} is the tag {facts.get('tag')} under another name")
        if not _SIGNATURE.search(text):
            raise Refused(f"{tag} is not signed")
        if not self._is_signed_by_an_allowed_key(name):
            raise Refused(f"{tag} is not signed by a key of {self.signers}")
        stated = version_in(self.git("show", f"{name}^{{commit}}:eventreg/version.py"))
        if stated != version:
            raise Refused(f"{tag} holds the version {stated or 'without a number'}")
        return Tag(version, name, _SIGNATURE.split(text)[0])

    def _allowed(self) -> list[str]:
        """The lines of the file of allowed keys."""
        try:
            may_others_write = self.signers.stat().st_mode & 0o022
            lines = self.signers.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise Refused(
                f"{self.signers}: {error.strerror}; it names the keys that may sign a release "
                "(docs/operator.md, Upgrading)"
            ) from error
        if may_others_write:
            raise Refused(f"{self.signers}: others can write to it; run: chmod 644 {self.signers}")
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]

    def _is_signed_by_an_allowed_key(self, name: str) -> bool:
        lines = self._allowed()
        keys_of_gnupg = [one.partition("#")[0] for one in lines if _is_gnupg(one)]
        gnupg = {re.sub(r"\s", "", one)[len("gpg") :].upper() for one in keys_of_gnupg}
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as allowed:
            allowed.writelines(f"{one}\n" for one in lines if not _is_gnupg(one))
            allowed.flush()
            # A checkout may have other programs and keys in its own settings.
            keys = f"gpg.ssh.allowedSignersFile={allowed.name}"
            programs = ("gpg.ssh.program=ssh-keygen", "gpg.program=gpg", keys)
            given = [part for one in programs for part in ("-c", one)]
            done = self._git(*given, "verify-tag", "--raw", name)
        said = done.stdout + done.stderr
        if done.returncode:
            return False
        if "[GNUPG:]" not in said:
            return re.search(r'^Good "git" signature for ', said, re.M) is not None
        valid = re.findall(r"^\[GNUPG:\] VALIDSIG (.+)$", said, re.M)
        return bool(gnupg & {one.upper() for line in valid for one in line.split()})


def _is_gnupg(line: str) -> bool:
    return line.split(maxsplit=1)[0] == "gpg"


def _place(tag: str) -> str:
    """Where a tag waits until it is checked."""
    return f"refs/eventreg-upgrade/{tag}"


def bare(folder: Path, around: Surroundings) -> None:
    """Make an empty repository, for an installation that has none."""
    if not (folder / "HEAD").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        around.require("git init", ["git", "init", "--quiet", "--bare", folder], folder.parent)


os.environ.setdefault("GIT_TERMINAL_PROMPT", "0")  # ask nobody for a password
