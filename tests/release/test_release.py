"""`make release`: the text of the tag, the list of parts, and a bundle that needs no network."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eventreg.version import VERSION
from script.release import changelog, wheels
from script.release.bundle import checksum, pack
from script.release.parts import sbom
from script.upgrade.tags import numbers
from tests.proofs.conftest import WHOLE
from tests.support.factories import ROOT, House, toml
from tests.upgrade.maintainer import Maintainer, git, make_operator

CHANGES = """# Changelog

## Unreleased

- Not yet.

## 1.1.0 (2030-06-01)

### Upgrade notes

- Nothing to do.

## 1.0.0 (2030-05-01)

- The first.
"""


def test_the_version_is_a_number_and_the_server_and_doctor_say_it(house: House) -> None:
    assert numbers(VERSION)
    assert f"version ({VERSION})" in house.run("doctor").output


def test_the_text_of_a_tag_is_the_section_of_the_changelog_with_checksums() -> None:
    text = changelog.tag_text(CHANGES, "1.1.0", {"b.js": "2" * 64, "a.js": "1" * 64})
    assert text.startswith(
        "eventreg 1.1.0\n\n### Upgrade notes\n\n- Nothing to do.\n\n### Checksums"
    )
    assert text.endswith(f"{'1' * 64}  a.js\n{'2' * 64}  b.js\n")
    for missing in ("1.2.0", "1.1", "1x1.0"):
        with pytest.raises(changelog.Unready, match=re.escape(f"## {missing} (YYYY-MM-DD)")):
            changelog.section(CHANGES, missing)


def test_the_list_of_parts_has_every_library_and_the_scanner_and_is_always_the_same() -> None:
    text = sbom(ROOT, "1.1.0", is_checked=WHOLE)
    parts = json.loads(text)
    listed = {(one["name"], one["version"]) for one in parts["components"]}
    locked = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.txt").read_text(), re.M)
    qr = json.loads((ROOT / "package-lock.json").read_text())["packages"]["node_modules/qr"]
    assert listed == {*locked, ("qr", qr["version"])}
    assert all(one["hashes"] for one in parts["components"])
    assert (parts["bomFormat"], parts["metadata"]["component"]["version"]) == ("CycloneDX", "1.1.0")
    assert sbom(ROOT, "1.1.0", is_checked=False) == text


def test_the_same_folder_gives_the_same_bundle(tmp_path: Path) -> None:
    sums = set()
    for number, names in enumerate((["a", "b", "c"], ["c", "a", "b"])):
        folder = tmp_path / str(number) / "eventreg-1.1.0"
        for name in names:
            (folder / name).mkdir(parents=True)
            (folder / name / "file").write_text(name)
            os.utime(folder / name / "file", (random.random(), random.random() * 1e9))
        pack(folder, folder.with_suffix(".tar"), at=1_900_000_000)
        sums.add(checksum(folder.with_suffix(".tar")))
    assert len(sums) == 1


def test_the_wheels_are_those_of_each_python_with_their_hashes() -> None:
    locked = (ROOT / "requirements.txt").read_text()
    needed = {one: wheels.wanted(locked, wheels.Target(one)) for one in wheels.PYTHONS}
    for lines in needed.values():
        heads = re.findall(r"^([\w.-]+)==", lines, re.M)
        assert len(heads) == len(set(heads)) > 40
        assert "flask==" in lines
        assert lines.count("--hash=") >= len(heads)
        assert ";" not in lines
    assert "async-timeout==" in needed["3.11.2"], "only this Python needs it"
    assert "async-timeout==" not in needed["3.12.3"]


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
@pytest.mark.skipif(
    subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True).returncode != 0,
    reason="no network can be taken away here",
)
def test_a_bundle_installs_and_upgrades_without_a_network(tmp_path: Path, migrated: Path) -> None:
    maintainer = Maintainer(tmp_path)
    maintainer.release("1.0.0")
    operator = make_operator(tmp_path, maintainer)
    shutil.copy(migrated, operator.instance / "eventreg.sqlite3")
    house = House(operator.instance)
    with house.app.app_context():
        house.apply(toml())
        house.register("张桂芳")
    house.close()
    other = (maintainer.folder / "requirements.txt").read_text() + "# other libraries\n"
    maintainer.commit("1.1.0", {"requirements.txt": other, "CHANGELOG.md": CHANGES})
    made = release(maintainer)
    assert "git tag -s --cleanup=verbatim -F dist/tag.txt v1.1.0" in made.stdout, made.stderr
    git(maintainer.folder, *"tag -s --cleanup=verbatim -F dist/tag.txt v1.1.0".split())
    made = release(maintainer)
    assert made.returncode == 0, made.stderr
    bundle = maintainer.folder / "dist" / "eventreg-1.1.0.tar"
    assert f"{checksum(bundle)}  {bundle.name}" in bundle.with_name("SHA256SUMS").read_text()

    subprocess.run(["tar", "-xf", bundle, "-C", tmp_path], check=True)
    fresh = tmp_path / "eventreg-1.1.0"
    environment = {**operator.environment, "PATH": os.environ["PATH"], "PYTHONWARNINGS": ""}
    environment["EVENTREG_INSTANCE"] = str(fresh / "instance")
    for command in (
        ["make", "setup-run", f"PYTHON={sys.executable}"],
        [".venv/bin/python", "-m", "flask", "--app", "wsgi", "event", "list"],
    ):
        done = subprocess.run(
            ["unshare", "-n", *command],
            cwd=fresh,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert (fresh / "static" / "door" / "vendor" / "qr.js").exists()

    upgrade = [sys.executable, "-m", "script.upgrade", "--from", str(bundle)]
    lo = ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]
    done = subprocess.run(
        [*lo, *upgrade],
        cwd=operator.folder,
        env={**environment, "EVENTREG_INSTANCE": str(operator.instance)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing to do." in done.stdout, "the notes of the release"
    assert operator.version() == "1.1.0"
    assert (operator.folder / ".venv").resolve().parent.name == "libraries"
    assert (operator.folder / "static" / "door" / "vendor" / "qr.js").exists()
    assert "all holds" in operator.flask("doctor").stdout


def release(maintainer: Maintainer) -> "subprocess.CompletedProcess[str]":
    """`make release`, with wheels for the Python of the tests."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    return subprocess.run(
        [sys.executable, "-m", "script.release"],
        cwd=maintainer.folder,
        env={**os.environ, "PYTHONS": python, "MACHINES": os.uname().machine},
        capture_output=True,
        text=True,
        check=False,
    )
