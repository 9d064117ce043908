"""`make licences`: docs/licences.md, the licences of all that is shipped, from the metadata of the
installed packages and from npm's lock."""

import json
import re
from email.message import Message
from importlib.metadata import metadata
from pathlib import Path
from typing import cast

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "licences.md"
_LINE = re.compile(r"^([A-Za-z0-9][^\\\n]*?) \\$", re.M)
_IN_ITS_TEXT = {"pyrage": "MIT"}
"""Packages that say their licence only in its text."""
_HEAD = """# Licences of all that is shipped

eventreg is under the [MIT licence](../LICENSE). What it brings along is listed here.
`make licences` writes this file from what the packages say of themselves.

| Package | Version | Licence |
| --- | --- | --- |
"""


def required() -> dict[str, str]:
    """The packages of requirements.txt that this machine needs, with their versions."""
    lines = map(Requirement, _LINE.findall((ROOT / "requirements.txt").read_text()))
    return {
        one.name: next(iter(one.specifier)).version
        for one in lines
        if one.marker is None or one.marker.evaluate()
    }


def licence(package: Message) -> str:
    """What a package says of its licence: the expression, the classifiers, the field, or the
    text."""
    if expression := package.get("License-Expression"):
        return str(expression)
    named = [
        one.rpartition(" :: ")[2]
        for one in package.get_all("Classifier") or ()
        if one.startswith("License :: ") and one != "License :: OSI Approved"
    ]
    field = (package.get("License") or "").strip().splitlines()
    in_its_text = _IN_ITS_TEXT.get(str(package.get("Name")), "")
    return "; ".join(named) or (field[0] if field else in_its_text)


def listed() -> str:
    """The whole file."""
    rows = [
        (name, version, licence(cast(Message, metadata(name))))
        for name, version in required().items()
    ]
    qr = json.loads((ROOT / "package-lock.json").read_text())["packages"]["node_modules/qr"]
    rows.append(("qr (npm, in the door's scripts)", qr["version"], qr["license"].strip("()")))
    rows.sort(key=lambda row: row[0].lower())
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    FILE.write_text(listed(), encoding="utf-8")
