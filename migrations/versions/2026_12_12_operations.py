"""When the program last made a backup, copied it, and tried it, and with what result.

Only an addition, so that a process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_12_operations"
down_revision = "2026_12_05_door"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("operation_runs"):  # cut short after this step
        return
    op.create_table(
        "operation_runs",
        sa.Column("name", sa.String(length=32), nullable=False),
        *(
            sa.Column(name, _MOMENT, nullable=True)
            for name in ("started_at", "succeeded_at", "failed_at")
        ),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_operation_runs")),
    )


def downgrade() -> None:
    op.drop_table("operation_runs")
