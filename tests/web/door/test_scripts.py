"""The door's scripts run on old phones, are light, and never take for code what people typed."""

import re
import subprocess
from pathlib import Path

import esprima  # type: ignore[import-untyped]
import pytest
from flask.testing import FlaskClient

from tests.support.factories import ROOT, House

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


MOST = 60_000
PACKED = {"Accept-Encoding": "gzip"}


def weight(door: FlaskClient, address: str) -> int:
    """The bytes that travel for an address, without headers."""
    with door.get(address, headers=PACKED) as answer:
        assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip"), address
        return len(answer.data)


def test_page_script_and_reader_of_codes_are_light(small: House) -> None:
    subprocess.run([ROOT / "script" / "scanner"], check=True)
    door = small.signed_in("dora")
    asked = re.findall(r'"(/door/assets/[^"]+)"', door.get("/door/small/").text)
    assert len(asked) == 1, "our modules are one file where esbuild is"
    reader = asked[0].replace("main.js", "qr.js")
    found = {one: weight(door, one) for one in ("/door/small/", asked[0], reader)}
    print(found)  # noqa: T201
    assert sum(found.values()) <= MOST, found
    # The single modules are there as well, for a page of the same version that has begun with them.
    assert weight(door, asked[0].replace("main.js", "packets.js")) > 1000
