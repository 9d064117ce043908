"""The log of a test, as JSON."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from eventreg import log
from tests.logs import canaries

Events = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def in_json() -> Iterator[None]:
    """The log is JSON, whoever runs the tests."""
    log.begin("json")
    yield
    log.begin("json")


@pytest.fixture
def on_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is logged is not kept for the search at the end of the run."""
    monkeypatch.setattr(log, "write", canaries.written)


@pytest.fixture
def events(capfd: pytest.CaptureFixture[str]) -> Events:
    """The events that were logged since the last call."""

    def logged() -> list[dict[str, Any]]:
        lines = capfd.readouterr().err.splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    return logged
