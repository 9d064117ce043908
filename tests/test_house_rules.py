"""The rules of STYLE.md that a machine can check. The message of each test gives the reason."""

import ast
import re
import subprocess
import sys
import tomllib
import unicodedata
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from eventreg.core import errors
from eventreg.core.audit import Action
from eventreg.i18n import LANGUAGES, sentence
from eventreg.settings import SETTINGS
from eventreg.web.access import need_of
from eventreg.web.site import STATUS
from tests.proofs.faults import FAULTS
from tests.support.factories import ROOT, House, bare_environment

PROGRAM = sorted((ROOT / "eventreg").rglob("*.py"))
CORE = sorted((ROOT / "eventreg" / "core").rglob("*.py"))
TREES = {path: ast.parse(path.read_text()) for path in PROGRAM}
LONGEST_FILE, LONGEST_FUNCTION = 300, 40


def name_of(path: Path) -> str:
    """The path of a file from the top of the repository."""
    return str(path.relative_to(ROOT))


def tracked(*endings: str) -> list[Path]:
    """The files under version control whose names end in one of these."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name.endswith(endings) and (ROOT / name).is_file()]


def imports(tree: ast.AST) -> list[str]:
    """The names of all modules that are imported, also inside functions."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_knows_no_http(path: Path) -> None:
    wrong = [
        module
        for module in imports(TREES[path])
        if re.match(r"(flask|werkzeug|wtforms|eventreg\.(web|app|storage|commands))", module)
    ]
    assert not wrong, (
        "rules must work without a web server: put the act into core and its page into web"
    )


def test_the_web_knows_no_sql() -> None:
    for path in (ROOT / "eventreg" / "web").rglob("*.py"):
        wrong = [module for module in imports(TREES[path]) if module.startswith("sqlalchemy")]
        assert not wrong, (
            f"{name_of(path)}: put the query into core, under a name that says what it asks"
        )


@pytest.mark.parametrize("path", PROGRAM, ids=name_of)
def test_our_own_modules_are_imported_at_the_top(path: Path) -> None:
    inside = [
        module
        for function in ast.walk(TREES[path])
        if isinstance(function, ast.FunctionDef)
        for module in imports(function)
        if module.startswith("eventreg")
    ]
    assert not inside, (
        "an import inside a function hides a circle: move a part to another module instead"
    )


def test_modules_import_each_other_in_no_circle() -> None:
    graph = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): set(
            imports(tree)
        )
        for path, tree in TREES.items()
    }
    done: set[str] = set()
    # `from eventreg.web import x` runs the package too, but the packages hold no code.
    graph = {
        module: others - {"eventreg", "eventreg.core", "eventreg.web"}
        for module, others in graph.items()
    }

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, f"a circle: {' -> '.join([*above, module])}"
        if module not in done:
            for other in graph[module] & graph.keys():
                visit(other, (*above, module))
            done.add(module)

    for module in graph:
        visit(module, ())


FLOORS = (
    "app_clock  clock  core.errors  proxies  rates",
    "core.values  setting_types",
    "core.models  settings  web.wire",
    "core.audit  i18n  pdf  server  web.assets",
    "core.audit_replay  core.event  core.outbox  web.lang_attributes",
    "core.deliveries  core.registration  core.staff",
    "core.door  core.invariants  core.organising  core.undo  storage  web.addresses",
    "core.desk  web.language  web.limits",
    "core.erasure  readers  web.access  web.event_facts  web.forms  web.qr_code",
    "mail  operations  web.door  web.guard  web.notes  web.template_globals",
    "background  web.desk  web.public",
    "commands  web.organising  web.staff",
    "web.site",
    "app",
    "serve",
)
"""The rooms, beginning with the lowest floor. A room is a folder, or a file beside the folders. The
same floors are drawn in docs/architecture.md."""
ROOMS = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}


def room_of(module: str) -> str:
    """The room of a module, such as ``core.registration`` or ``clock``; empty if it has none."""
    parts = module.split(".")[1:]
    return next(
        (".".join(parts[:depth]) for depth in (2, 1) if ".".join(parts[:depth]) in ROOMS), ""
    )


def test_a_room_imports_only_rooms_on_lower_floors() -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): tree for path, tree in TREES.items()
    }
    for module, tree in modules.items():
        if module.endswith("__init__"):
            continue
        here = room_of(module)
        assert here, f"{module} is in no room: add its room to FLOORS and to docs/architecture.md"
        for other in set(imports(tree)) & modules.keys():
            there = room_of(other)
            assert here == there or ROOMS[there] < ROOMS[here], (
                f"{module} imports {other}, not on a lower floor: move the shared part down"
            )


def test_the_architecture_document_draws_every_floor() -> None:
    drawing = (ROOT / "docs" / "architecture.md").read_text()
    for floor in FLOORS:
        assert floor in drawing, f"docs/architecture.md lacks the floor: {floor}"


def test_a_folder_holds_at_most_fifteen_files() -> None:
    for folder in {path.parent for path in PROGRAM}:
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
    for path, tree in TREES.items():
        if path.name not in {"clock.py"}:
            assert not calls(tree) & {"utcnow", "today", "now"}, (
                f"{name_of(path)}: take `now` as an argument"
            )
            assert "time" not in imports(tree), (
                f"{name_of(path)}: only eventreg/clock.py reads the time"
            )


def test_only_one_module_commits() -> None:
    for path, tree in TREES.items():
        if path.name != "session.py":
            assert "commit" not in calls(tree), (
                f"{name_of(path)}: acts can be combined only if storage/session.py alone commits"
            )


def test_numbers_from_outside_are_read_in_one_place() -> None:
    for path, tree in TREES.items():
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


@pytest.mark.parametrize("path", PROGRAM, ids=name_of)
def test_files_and_functions_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE, (
        "move one of its nouns to a file of its own"
    )
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", PROGRAM, ids=name_of)
def test_every_module_and_public_name_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(TREES[path]), "a module says what it does"
    for node in TREES[path].body:
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
    for path, tree in TREES.items():
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
        for text in table.values()
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
    flask = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "check"]
    given = bare_environment(EVENTREG_INSTANCE=str(house.settings.instance), **environment)
    checked = subprocess.run(
        flask, cwd=ROOT, env=given, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


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


def test_every_seeded_fault_is_looked_for_by_a_proof() -> None:
    proofs = "".join(path.read_text() for path in (ROOT / "tests" / "proofs").glob("test_*.py"))
    assert len(FAULTS) >= 12
    for fault in FAULTS:
        assert f'"{fault}"' in proofs, f"no proof looks for the fault {fault}"
