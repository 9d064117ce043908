"""The search through all logs of a run finds what must not be there, and a run then fails."""

import json
from pathlib import Path

import pytest

from eventreg import log
from tests.logs import canaries

pytest_plugins = ["pytester"]
GOOD = {"time": "2026-11-27T00:21:57.562+00:00", "event": "request", "request": "94d738f37751252e"}


def found(folder: Path, line: str) -> list[str]:
    """What the search finds in a log with this line."""
    (folder / "server.log").write_text(f"{json.dumps(GOOD)}\n{line}\n", encoding="utf-8")
    return list(canaries.found_in(folder))


@pytest.mark.parametrize(
    "line",
    [
        "eventreg is ready: http://127.0.0.1:23111",
        f"http://127.0.0.1:23111/staff/welcome/{'aB3' * 14}",
        json.dumps({**GOOD, "number": "00471234", "ms": 1234.5, "message": "a … b"}),
    ],
)
def test_an_ordinary_log_holds_nothing(tmp_path: Path, line: str) -> None:
    assert found(tmp_path, line) == []


@pytest.mark.parametrize(
    "told",
    [
        *("张桂芳", "Anna Lin came", "olga", "13800138000", "+8613800138000", "057487654321"),
        *("anna@example.org", "GET /T/x7", "GET /staff?q=x", "9CkoslcJC45CjYvCqJ3eweXdWA8qbbJ8"),
    ],
)
@pytest.mark.parametrize("escaped", [True, False])
def test_each_kind_of_secret_is_found(tmp_path: Path, told: str, escaped: bool) -> None:
    line = json.dumps({**GOOD, "message": told}, ensure_ascii=escaped)
    assert len(found(tmp_path, line)) >= 1


@pytest.mark.parametrize(("told", "fails"), [("a guest came", 0), ("张桂芳 came", 1)])
def test_a_run_fails_if_a_name_is_logged_on_purpose(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, told: str, fails: int
) -> None:
    """In a run of its own, with the hooks of our conftest."""
    monkeypatch.setattr(log, "write", canaries.written)
    monkeypatch.delenv(canaries.FOLDER)
    pytester.makeconftest(
        "from tests.conftest import (pytest_configure, pytest_sessionfinish,"
        " pytest_terminal_summary)"
    )
    pytester.makepyfile(
        f"""
        from eventreg import log

        def test_all_is_well():
            log.begin("json")
            log.event("rush", "{told}")
        """
    )
    run = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    run.assert_outcomes(passed=1)
    assert run.ret == fails
    assert ("THE LOGS TELL" in run.stdout.str()) is bool(fails)
