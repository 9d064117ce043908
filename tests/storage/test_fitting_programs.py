"""The database knows which versions of the program run on its tables."""

import shutil
from pathlib import Path

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import select

from eventreg.core.models.schema import FittingProgram
from eventreg.storage import checks
from eventreg.storage.session import reading
from tests.support.factories import ROOT, House

pytestmark = pytest.mark.both_databases
MIGRATION = """
from alembic import op
import sqlalchemy as sa
revision = "{name}"
down_revision = "{before}"
{more}
def upgrade():
    op.add_column("gifts", sa.Column("{name}", sa.Integer, nullable=True))
def downgrade():
    op.drop_column("gifts", "{name}")
"""


@pytest.fixture
def later(house: House, tmp_path: Path) -> Path:
    """The migrations of two later versions. The second ends what the present one needs."""
    ours = checks.schema()[1]
    folder = tmp_path / "migrations"
    shutil.copytree(ROOT / "migrations", folder)
    for name, before, more in (
        ("m2031_added", ours, ""),
        ("m2032_ended", "m2031_added", 'OLDEST_PROGRAM = "m2031_added"'),
    ):
        text = MIGRATION.format(name=name, before=before, more=more)
        (folder / "versions" / f"{name}.py").write_text(text)
    reading().rollback()
    return folder


def fitting() -> set[str]:
    """The versions that the database names."""
    reading().rollback()
    return set(reading().scalars(select(FittingProgram.newest_migration)))


def test_a_version_that_adds_keeps_the_ones_before_and_one_that_ends_something_does_not(
    later: Path,
) -> None:
    ours = checks.schema()[1]
    assert ours in fitting()
    upgrade(directory=str(later), revision="m2031_added")
    assert {ours, "m2031_added"} <= fitting()
    assert checks.has_usable_tables()
    upgrade(directory=str(later))
    assert fitting() == {"m2031_added", "m2032_ended"}
    assert not checks.has_usable_tables()
    with pytest.raises(checks.Unsafe, match="newer eventreg"):
        checks.require_usable_database()
    downgrade(directory=str(later), revision="m2031_added")
    assert fitting() == {"m2031_added"}, "it does not know whether the version before fits again"
