"""`backup unchanged` says whether a restore would lose something."""

from pathlib import Path

import pytest

from eventreg.storage import backups
from tests.support.factories import House

pytestmark = pytest.mark.both_databases


def test_a_registration_after_the_backup_would_be_lost(small: House, tmp_path: Path) -> None:
    file = tmp_path / "before.zip"
    backups.create(file)
    said = small.run("backup", "unchanged", str(file))
    assert (said.exit_code, "nothing was written since" in said.output) == (0, True)
    small.register("赵一", waitlist=True)
    said = small.run("backup", "unchanged", str(file))
    assert (said.exit_code, "1 changes were written since" in said.output) == (1, True)
