"""The rules of STYLE.md that a machine can check. The message of each test gives the reason."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from eventreg.core import errors
from eventreg.core.audit import Action
from eventreg.i18n import LANGUAGES, sentence
from eventreg.web.site import STATUS
from tests.proofs.faults import FAULTS
from tests.sources import PROGRAM, imports, name_of, tracked, trees
from tests.support.factories import ROOT, House
from tests.support.forked.programs import flask

TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 300, 40


def test_a_folder_holds_at_most_fifteen_files() -> None:
    for folder in {path.parent for path in [*PROGRAM, *TESTS]}:
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= 15, (
            f"{name_of(folder)} holds {len(files)} files: a reader keeps at most fifteen in mind"
        )


def calls(tree: ast.AST) -> set[str]:
    """The names of all attributes that are called, such as ``commit`` of ``session.commit()``."""
    return {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


def test_only_the_clock_reads_the_clock() -> None:
    for path, tree in trees().items():
        if path.name not in {"clock.py"}:
            assert not calls(tree) & {"utcnow", "today", "now"}, (
                f"{name_of(path)}: take `now` as an argument"
            )
            assert "time" not in imports(tree), (
                f"{name_of(path)}: only eventreg/clock.py reads the time"
            )


def test_only_the_transactions_of_storage_commit() -> None:
    for path, tree in trees().items():
        if path.name not in {"session.py", "quick_transaction.py"}:
            assert "commit" not in calls(tree), (
                f"{name_of(path)}: acts can be combined only if storage alone commits"
            )


def test_numbers_from_outside_are_read_in_one_place() -> None:
    for path, tree in trees().items():
        if "web" not in path.parts:
            continue
        text = path.read_text()
        assert "type=int" not in text, (
            f"{name_of(path)}: int() accepts ٣ and numbers of any length; see web/wire/sent.py"
        )
        assert "<int:" not in text, (
            f"{name_of(path)}: <id:...> accepts only what fits the column; see web/wire/sent.py"
        )
        for node in ast.walk(tree):
            makes_numbers = any(
                isinstance(one, ast.Name) and one.id == "int" for one in ast.walk(node)
            )
            both = isinstance(node, ast.FunctionDef) and makes_numbers and "isdigit" in calls(node)
            assert not both, (
                f"{name_of(path)}: '²'.isdigit() is true, and int('²') raises; see "
                "core/values/whole_numbers.py"
            )


def is_long(path: Path) -> bool:
    """Whether a file has more lines than STYLE.md allows."""
    return len(path.read_text().splitlines()) > LONGEST_FILE


@pytest.mark.parametrize("path", PROGRAM, ids=name_of)
def test_files_and_functions_stay_short(path: Path) -> None:
    assert not is_long(path), "move one of its nouns to a file of its own"
    for node in ast.walk(trees()[path]):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


def test_files_of_tests_stay_short() -> None:
    for path in TESTS:
        assert not is_long(path), f"{name_of(path)}: move one of its nouns to a file of its own"


def test_a_file_with_one_line_too_many_is_found(tmp_path: Path) -> None:
    """The negative control of the two tests above."""
    file = tmp_path / "test_long.py"
    for lines, found in ((LONGEST_FILE, False), (LONGEST_FILE + 1, True)):
        file.write_text("assert True\n" * lines)
        assert is_long(file) is found


@pytest.mark.parametrize("path", PROGRAM, ids=name_of)
def test_every_module_and_public_name_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(trees()[path]), "a module says what it does"
    for node in trees()[path].body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def test_no_module_has_a_name_without_a_subject() -> None:
    vague = {
        "util",
        "utils",
        "helpers",
        "common",
        "manager",
        "service",
        "services",
        "constants",
        "misc",
    }
    assert not vague & {path.stem for path in PROGRAM}, "the name of a module says its subject"


def test_every_library_that_is_imported_is_declared() -> None:
    lines = (ROOT / "requirements.in").read_text().splitlines()
    reasons = dict(re.findall(r"^([\w-]+)\S*\s+# (.+)$", "\n".join(lines), re.M))
    declared = {name.lower().replace("_", "-") for name in reasons}
    distributions = packages_distributions()
    for path, tree in trees().items():
        for module in {module.split(".")[0] for module in imports(tree)}:
            if module == "eventreg" or module in sys.stdlib_module_names:
                continue
            names = {name.lower().replace("_", "-") for name in distributions[module]}
            assert names & declared, (
                f"{name_of(path)} imports {module}: requirements.in needs a line with its reason"
            )


def refusals() -> list[type[errors.Refusal]]:
    """All classes of refusals."""
    return [errors.Refusal, *errors.Refusal.__subclasses__()]


def test_every_refusal_has_a_code_a_status_and_two_sentences() -> None:
    codes = [refusal.code for refusal in refusals()]
    assert len(set(codes)) == len(codes)
    assert set(codes) == set(STATUS)
    for code in codes:
        for language in LANGUAGES:
            assert sentence(language, f"refused_{code}")


def test_every_recorded_act_of_a_registration_has_two_sentences() -> None:
    for action in Action:
        if action.startswith(("registration:", "attendee:")):
            for language in LANGUAGES:
                assert sentence(language, f"did_{action.replace(':', '_').replace('-', '_')}")


def test_no_fact_of_the_shipped_event_is_in_code_or_templates() -> None:
    shipped = tomllib.loads((ROOT / "events" / "june-10-self-care.toml").read_text())
    facts = {
        "56116778",
        "0574",
        "june-10",
        "2030-06-10",
        "兴宁",
        "灵桥",
        "爸妈",
        "宁波",
        "Ningbo",
        "Lingqiao",
        "285",
        "腰酸背痛",
    }
    facts |= {text for key in ("title", "theme", "summary") for text in shipped[key].values()}
    facts |= {
        text
        for key in ("place", "speaker", "gift")
        for table in shipped[key].values()
        for text in (table.values() if isinstance(table, dict) else (table,))
    }
    places = [
        *PROGRAM,
        *(ROOT / "templates").rglob("*"),
        *(ROOT / "translations").rglob("*.po"),
        *(ROOT / "static").iterdir(),
    ]
    for path in places:
        if path.is_file():
            text = path.read_text().replace('"june-10-self-care.toml"', "")
            found = [fact for fact in facts if fact in text]
            assert not found, (
                f"{name_of(path)} has {found}: facts of an event belong into its event file"
            )


def test_nothing_names_a_package_host_or_a_path_of_this_machine() -> None:
    telling = re.compile(
        r"--(extra-)?index-url|--find-links|\"resolved\": *\"http|" + re.escape(f"{ROOT}/")
    )
    for path in tracked(""):
        if path.suffix != ".png" and path.name != Path(__file__).name:
            assert not telling.search(path.read_text()), name_of(path)


@pytest.mark.both_databases
def test_the_migrations_make_the_tables_of_the_models(
    house: House, environment: dict[str, str]
) -> None:
    checked = flask(house.settings.instance, "db", "check", **environment)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_seeded_fault_is_looked_for_by_a_proof() -> None:
    proofs = "".join(path.read_text() for path in (ROOT / "tests" / "proofs").rglob("test_*.py"))
    assert len(FAULTS) >= 12
    for fault in FAULTS:
        assert f'"{fault}"' in proofs, f"no proof looks for the fault {fault}"
