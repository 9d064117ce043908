"""The door's scripts run on old phones, and never take for code what people typed."""

import re
from pathlib import Path

import esprima  # type: ignore[import-untyped]
import pytest

from tests.support.factories import ROOT

SCRIPTS = sorted(
    path for path in (ROOT / "static" / "door").rglob("*.js") if path.parent.name != "vendor"
)
LONGEST = 300
CODE_FROM_TEXT = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_of_the_door_is_es2017_short_and_makes_no_code_of_texts(path: Path) -> None:
    text = path.read_text()
    esprima.parseModule(text)  # `import()` it understands, and it is newer
    assert not re.search(r"\bimport\s*\(", text)
    assert len(text.splitlines()) <= LONGEST
    assert not CODE_FROM_TEXT.search(text)
    assert all(
        one.startswith("./") for one in re.findall(r'^import .*?from "(.*?)"', text, re.M | re.S)
    )


@pytest.mark.parametrize(
    "newer",
    [
        "one?.two",
        "one ?? two",
        "{ ...one }; ({ ...one })",
        "async () => { for await (const one of all) one }",
    ],
)
def test_newer_syntax_is_found(newer: str) -> None:
    with pytest.raises(esprima.Error):
        esprima.parseModule(newer)
