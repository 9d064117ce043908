"""Online registrations from one address share a random number for an hour, so that a burst of them can be shown.

One column without a default, so that a process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_29_bursts"
down_revision = "2026_11_28_event_stamp"


def upgrade() -> None:
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("form_keys")}
    if "burst" not in there:  # an upgrade that was cut short on SQLite may have added it already
        op.add_column("form_keys", sa.Column("burst", sa.String(length=16), nullable=True))


def downgrade() -> None:
    op.drop_column("form_keys", "burst")
