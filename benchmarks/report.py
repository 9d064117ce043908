"""Measured figures, their goals, and the table of them."""

import json
import os
import platform
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured figure. ``reached`` must be at least ``goal``, or at most if ``at_most``.

    A figure without a goal is only shown.
    """

    name: str
    reached: float
    goal: float | None = None
    at_most: bool = False
    detail: str = ""

    @property
    def verdict(self) -> str:
        """Whether the goal is reached."""
        if self.goal is None:
            return ""
        is_reached = self.reached <= self.goal if self.at_most else self.reached >= self.goal
        return "reached" if is_reached else "not reached"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def table(figures: Iterable[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = ["| what | goal | reached | | |", "| --- | --- | --- | --- | --- |"]
    for figure in figures:
        goal = ""
        if figure.goal is not None:
            goal = f"{'<=' if figure.at_most else '>='} {_number(figure.goal)}"
        lines.append(
            f"| {figure.name} | {goal} | {_number(figure.reached)} | {figure.verdict} | "
            f"{figure.detail} |"
        )
    return "\n".join(lines)


def about_the_machine() -> str:
    """The cores, memory and versions of the machine, without its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("Flask", "SQLAlchemy", "psycopg", "waitress")
    )
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}; "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}"
    )


def keep(figures: Sequence[Figure], name: str) -> Path:
    """Save the table with the day, the machine and the versions, and the figures as JSON beside it.
    Returns the path of the table."""
    RESULTS.mkdir(exist_ok=True)
    day = datetime.now(UTC).date().isoformat()
    head = f"# {name}, {day}\n\n{about_the_machine()}. "
    head += "Written by `make bench`; medians, both sides in one run.\n\n"
    path = RESULTS / f"{day}-{name}.md"
    path.write_text(head + table(figures) + "\n")
    path.with_suffix(".json").write_text(
        json.dumps([asdict(figure) for figure in figures], indent=1) + "\n"
    )
    return path
