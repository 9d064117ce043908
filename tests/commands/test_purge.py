"""The command `purge`: what it refuses, and what it says."""

import pytest

from eventreg.core.registration import lookup
from eventreg.storage.session import reading
from tests.commands.test_commands import run
from tests.support.factories import House, local


@pytest.mark.parametrize("order", [("--dry-run", "--forever"), ("--forever", "--dry-run")])
def test_a_dry_run_for_ever_is_wrong_usage_and_erases_nobody(
    small: House, order: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[object] = []
    monkeypatch.setattr("eventreg.background.run", lambda *given: ran.append(given))
    made = small.register("张桂芳")
    small.now = local("2031-06-10 09:00")
    refused = run(small, "purge", *order)
    assert (refused.exit_code, ran) == (2, [])
    assert "--dry-run" in refused.stderr
    assert lookup.get(reading(), made.id).erased_at is None
