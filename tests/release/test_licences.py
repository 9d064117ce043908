"""The list of licences is that of what is shipped. New versions of all of it are offered."""

import re

from script import licences
from tests.support.factories import ROOT

CONDITIONAL = set(re.findall(r"^([\w.-]+)==\S+ ;", (ROOT / "requirements.txt").read_text(), re.M))
"""Which version of these is installed depends on the Python."""
LOCKED = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.M))


def rows(text: str) -> dict[str, tuple[str, ...]]:
    """The rows of the table by package."""
    found = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return {cells[0].strip(): tuple(cell.strip() for cell in cells[1:]) for cells in found[2:]}


def test_the_licences_of_all_that_is_shipped_are_listed() -> None:
    """If a package has another licence, look whether it may be shipped. Then: make licences."""
    listed, ours = rows(licences.FILE.read_text()), rows(licences.listed())
    for name, (version, licence) in ours.items():
        assert licence, f"{name} does not say its licence"
        if name not in CONDITIONAL:
            assert listed.get(name) == (version, licence), "run: make licences"
    assert {name for name in listed if not name.startswith("qr ")} <= LOCKED, "run: make licences"


def test_new_versions_are_offered_of_everything_that_is_locked() -> None:
    offers = (ROOT / ".github" / "dependabot.yml").read_text()
    assert set(re.findall(r"package-ecosystem: (\w+)", offers)) == {"pip", "npm", "docker"}
