"""Templates and scripts are short and narrow, and a folder of them has few files."""

from unicodedata import east_asian_width

import pytest

from tests.support.factories import ROOT

TEMPLATES = ROOT / "templates"
WIDEST, MOST_LINES, MOST_FILES = 120, 100, 15


def test_templates_are_short_and_narrow() -> None:
    too_wide = []
    for path in TEMPLATES.rglob("*.*"):
        lines = path.read_text("utf-8").splitlines()
        assert len(lines) <= MOST_LINES, path
        too_wide += [f"{path}:{n}" for n, line in enumerate(lines, 1) if columns(line) > WIDEST]
    assert too_wide == []


def columns(line: str) -> int:
    """The width of a line on a screen, where a Chinese character takes two columns."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in line)


@pytest.mark.parametrize("top", ["templates", "static"])
def test_a_folder_has_at_most_fifteen_files(top: str) -> None:
    folders = {path.parent for path in (ROOT / top).rglob("*.*")}
    for folder in folders:
        assert sum(path.is_file() for path in folder.iterdir()) <= MOST_FILES, folder
