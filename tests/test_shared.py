"""What is shared saves most of a test's time only while the program takes it."""

from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from tests.support.factories import House, toml


def test_the_second_app_of_a_process_compiles_nothing_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str | None] = []
    compiling = Environment.compile

    def noting(self: Environment, source: str, name: str | None = None, *rest: Any) -> Any:
        compiled.append(name)
        return compiling(self, source, name, *rest)

    monkeypatch.setattr(Environment, "compile", noting)
    for _ in range(2):
        compiled.clear()
        house = House(folder)
        with house.app.app_context():
            house.apply(toml())
            assert house.client().get("/zh/events/small").status_code == 200
        house.close()
    assert compiled == []
