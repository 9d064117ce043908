"""Which module may import which, floor by floor. The message of each test gives the reason."""

import ast
import re
from pathlib import Path

import pytest

from tests.sources import PROGRAM, imports, name_of, trees
from tests.support.factories import ROOT

CORE = sorted((ROOT / "eventreg" / "core").rglob("*.py"))


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_knows_no_http(path: Path) -> None:
    wrong = [
        module
        for module in imports(trees()[path])
        if re.match(r"(flask|werkzeug|wtforms|eventreg\.(web|app|storage|commands))", module)
    ]
    assert not wrong, (
        "rules must work without a web server: put the act into core and its page into web"
    )


def test_the_web_knows_no_sql() -> None:
    for path in (ROOT / "eventreg" / "web").rglob("*.py"):
        wrong = [module for module in imports(trees()[path]) if module.startswith("sqlalchemy")]
        assert not wrong, (
            f"{name_of(path)}: put the query into core, under a name that says what it asks"
        )


@pytest.mark.parametrize("path", PROGRAM, ids=name_of)
def test_our_own_modules_are_imported_at_the_top(path: Path) -> None:
    inside = [
        module
        for function in ast.walk(trees()[path])
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
        for path, tree in trees().items()
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
    "app_clock  clock  core.backups  core.driver  core.errors  memory  version",
    "core.door_errors  core.values  log  settings",
    "core.models  web.wire",
    "core.audit  core.operation_runs  core.search  i18n  pdf  server  web.assets",
    "core.audit_replay  core.event  core.outbox  web.lang_attributes  web.rows",
    "core.deliveries  core.registration  core.staff  web.kept_pages",
    "core.door  core.importing  core.organising  core.undo  storage  web.addresses",
    "core.desk  core.figures  core.invariants  core.uploads  web.language  web.limits",
    "core.erasure  readers  web.access  web.door_words  web.event_facts  web.forms  web.qr_code",
    "mail  operations  rehearsal  web.door  web.guard  web.notes  web.template_globals",
    "watching  web.desk  web.health  web.public",
    "background",
    "commands  web.organising  web.staff",
    "web.site",
    "app",
    "serve  try_restore",
    "rehearse",
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
        ".".join(path.relative_to(ROOT).with_suffix("").parts): tree
        for path, tree in trees().items()
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
