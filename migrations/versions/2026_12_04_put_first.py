"""When staff put a waiting party first in line, because its seat was given away after a mistake.

Only an addition, so that a process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_04_put_first"
down_revision = "2026_12_03_unfinished_forms"


def upgrade() -> None:
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("registrations")}
    if "put_first_at" not in known:  # cut short after this step
        op.add_column(
            "registrations", sa.Column("put_first_at", sa.DateTime(timezone=True), nullable=True)
        )


def downgrade() -> None:
    op.drop_column("registrations", "put_first_at")
