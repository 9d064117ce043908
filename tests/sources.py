"""The files of the repository, as the tests of the house rules read them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

from tests.support.factories import ROOT

PROGRAM = sorted((ROOT / "eventreg").rglob("*.py"))


@cache
def trees() -> dict[Path, ast.Module]:
    """The syntax tree of each file of the program. Parsing them takes two seconds, so only the
    process that asks does it."""
    return {path: ast.parse(path.read_text()) for path in PROGRAM}


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
