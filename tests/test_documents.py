"""The documents: what they say of the code is so, links lead somewhere, and lines stay short."""

import re
import subprocess
import unicodedata
from pathlib import Path

import pytest

from eventreg.settings.table import SETTINGS
from eventreg.web import health
from eventreg.web.access import need_of
from tests.sources import name_of, tracked
from tests.support.factories import ROOT, House


def test_the_settings_in_the_document_are_those_in_the_code() -> None:
    document = (ROOT / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$", document, re.M)
    ours = [
        (setting.name, f"`{setting.default}`" if setting.default else "", setting.help)
        for setting in SETTINGS.values()
    ]
    assert rows == ours


def test_the_keys_in_the_document_are_those_of_the_event_file() -> None:
    from eventreg.core.event.definition import Definition  # noqa: PLC0415 - only this test wants it

    document = (ROOT / "docs" / "event-file.md").read_text()
    documented = set(re.findall(r"`([a-z_]+)`", document))
    keys: set[str] = set()

    def collect(schema: dict[str, object]) -> None:
        if isinstance(schema.get("properties"), dict):
            keys.update(schema["properties"])  # type: ignore[arg-type]
        for inner in schema.values():
            for part in inner.values() if isinstance(inner, dict) else ():
                if isinstance(part, dict):
                    collect(part)

    collect(Definition.model_json_schema())
    assert keys - documented == set(), "docs/event-file.md lacks a key"


def test_the_addresses_in_the_document_are_those_of_the_code(house: House) -> None:
    document = (ROOT / "docs" / "addresses.md").read_text()
    documented = {
        (address, who)
        for address, who in re.findall(r"^\| `([A-Z]+ /[^`]*)` \| ([\w-]+) \|", document, re.M)
    }
    ours = {
        (f"{method} {rule.rule}", str(need_of(rule.endpoint)))
        for rule in house.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    ours |= {(f"GET {address}", "monitor") for address in health.ADDRESSES}
    assert documented == ours


def test_links_between_documents_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / target).exists(), f"{name_of(document)} links to {target}"


def columns(line: str) -> int:
    """How wide a line is on a screen: a Chinese character takes two columns."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in line)


def prose(document: str) -> list[str]:
    """The lines of a Markdown document that are neither a table nor a block of code."""
    without_code = re.sub(r"^ *```.*?^ *```", "", document, flags=re.M | re.S)
    return [line for line in without_code.splitlines() if not line.startswith("|")]


WRITTEN_BY_HAND = [path for path in tracked(".md") if path.parent.name != "results"]


@pytest.mark.parametrize("path", WRITTEN_BY_HAND, ids=name_of)
def test_no_line_of_a_document_is_over_120_columns(path: Path) -> None:
    long = [line for line in prose(path.read_text()) if columns(line) > 120]
    assert not long, "\n".join(long)


@pytest.mark.parametrize("path", tracked(".md"), ids=name_of)
def test_a_document_names_no_paper_that_is_not_in_the_repository(path: Path) -> None:
    """Only capitals count, and only a path that begins with the folder."""
    paper = re.compile(r"\b(PROMISES|PERFORMANCE|UX|HOUSE|LECTURE|CONTRACT)\b|(?<![\w/])shared/")
    named = [line for line in path.read_text().splitlines() if paper.search(line)]
    assert not named, "write down what the paper says, in docs/adr if it is a reason: " + str(named)


def test_the_number_of_libraries_in_the_decision_is_that_of_the_file() -> None:
    lines = (ROOT / "requirements.in").read_text().splitlines()
    declared = [line for line in lines if line and not line.startswith("#")]
    chosen = [line for line in declared if "; comes with " not in line]
    decision = (ROOT / "docs" / "adr" / "0004-fewer-libraries.md").read_text()
    assert f"We chose {len(chosen)} libraries" in decision


def test_decisions_are_numbered_as_their_files() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    for number, path in enumerate(decisions, start=1):
        assert path.name.startswith(f"{number:04}-")
        assert path.read_text().startswith(f"# {number}. ")


@pytest.mark.parametrize("path", WRITTEN_BY_HAND, ids=name_of)
def test_paths_in_documents_lead_somewhere(path: Path) -> None:
    """Of the rooms, tests and templates. The changelog may name what is gone."""
    rooms = "core|web|tests|templates|storage|operations|readers|static|eventreg|docs|script"
    named = re.findall(rf"`((?:{rooms})/[\w/.-]+\.\w+)`", path.read_text())
    for one in named if path.name != "CHANGELOG.md" else ():
        assert (ROOT / one).exists() or (ROOT / "eventreg" / one).exists(), one


def test_make_help_lists_every_command() -> None:
    told = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for target in ("run", "test", "check", "proofs", "bench", "pictures"):
        assert f"make {target} " in told
