"""Which versions of the program run on these tables.

Only an addition, so that a process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_13_fitting_programs"
down_revision = "2026_12_12_operations"


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("fitting_programs"):  # cut short after this step
        return
    op.create_table(
        "fitting_programs",
        sa.Column("newest_migration", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("newest_migration", name=op.f("pk_fitting_programs")),
    )


def downgrade() -> None:
    op.drop_table("fitting_programs")
