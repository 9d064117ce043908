"""`make release`: the command. It signs nothing: it says which tag to sign, and packs the bundle
when the tag is there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from script.release import changelog, wheels
from script.release.bundle import checksum, pack
from script.release.changelog import Unready
from script.release.parts import sbom
from script.upgrade.tags import version_in

HERE = Path.cwd()
DIST = HERE / "dist"
_DOOR_SCRIPTS = Path("static/door/vendor")


def git(*arguments: str) -> str:
    """What git says."""
    done = subprocess.run(
        ["git", *arguments], cwd=HERE, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unready(f"git {arguments[0]}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.strip()


def main() -> None:
    """Make what belongs to a release, or exit with one line."""
    try:
        _release()
    except Unready as unready:
        sys.exit(str(unready))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{Path(error.cmd[0]).name} failed: {(error.stderr or '').strip()[-300:]}")


def _release() -> None:
    if git("status", "--porcelain"):
        raise Unready("There are changes that are not committed; a release is made from a commit")
    version = version_in((HERE / "eventreg" / "version.py").read_text(encoding="utf-8"))
    notes = (HERE / "CHANGELOG.md").read_text(encoding="utf-8")
    changelog.section(notes, version)
    code = _export(version)
    text = changelog.tag_text(notes, version, _add_what_git_lacks(code, version))
    (DIST / "tag.txt").write_text(text, encoding="utf-8")
    tag = f"v{version}"
    if tag not in git("tag", "--points-at", "HEAD").split():
        if git("tag", "--list", tag):
            raise Unready(f"{tag} is the tag of another commit; set the next version first")
        print("Read dist/tag.txt. Then sign the tag, and run make release again for the bundle:")
        print(f"  git tag -s --cleanup=verbatim -F dist/tag.txt {tag}")
        return
    signed = git("cat-file", "tag", tag).partition("\n\n")[2]
    if not signed.startswith(text) or "SIGNATURE-----" not in signed:
        raise Unready(f"{tag} is not signed, or has another text than dist/tag.txt")
    _pack(code, version, tag)


def _export(version: str) -> Path:
    """The committed files, in a folder of their own."""
    shutil.rmtree(DIST, ignore_errors=True)
    code = DIST / f"eventreg-{version}"
    code.mkdir(parents=True)
    packed = DIST / "code.tar"
    git("archive", f"--output={packed}", "HEAD")
    subprocess.run(["tar", "-xf", packed, "-C", code], check=True)
    packed.unlink()
    return code


def _add_what_git_lacks(code: Path, version: str) -> dict[str, str]:
    """Make the door's scripts and the list of parts. Returns their checksums."""
    subprocess.run([code / "script" / "scanner"], check=True)
    shutil.rmtree(code / "node_modules", ignore_errors=True)
    parts = DIST / f"eventreg-{version}.cdx.json"
    parts.write_text(sbom(code, version), encoding="utf-8")
    sums = {parts.name: checksum(parts)}
    for file in sorted((code / _DOOR_SCRIPTS).iterdir()):
        sums[str(_DOOR_SCRIPTS / file.name)] = checksum(file)
    return sums


def _pack(code: Path, version: str, tag: str) -> None:
    """The bundle, and the checksums of what is published."""
    pythons = os.environ.get("PYTHONS", " ".join(wheels.PYTHONS)).split()
    machines = os.environ.get("MACHINES", "x86_64").split()
    targets = [wheels.Target(one, machine) for one in pythons for machine in machines]
    wheels.fetch(code / "requirements.txt", code / "wheels", targets)
    (code / "release").mkdir()
    git("-c", "pack.threads=1", "bundle", "create", str(code / "release" / "history.bundle"), tag)
    parts = DIST / f"eventreg-{version}.cdx.json"
    shutil.copy(parts, code / "release")
    whole = DIST / f"eventreg-{version}.tar"
    pack(code, whole, at=int(git("log", "-1", "--format=%ct")))
    shutil.rmtree(code)
    lines = [f"{checksum(file)}  {file.name}\n" for file in (whole, parts)]
    (DIST / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    print(f"dist/{whole.name}, dist/{parts.name}, dist/SHA256SUMS: publish them beside the tag.")


if __name__ == "__main__":
    main()
