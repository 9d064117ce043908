"""An index of the people who cancelled, so that the list counts them without reading everybody.

Only an addition, so that a process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_20_cancelled"
down_revision = "2026_12_13_fitting_programs"

_NAME = "ix_attendees_cancelled"


def upgrade() -> None:
    if any(one["name"] == _NAME for one in sa.inspect(op.get_bind()).get_indexes("attendees")):
        return  # cut short after this step
    cancelled = sa.text("cancelled_at IS NOT NULL")
    op.create_index(
        _NAME, "attendees", ["event_id"], sqlite_where=cancelled, postgresql_where=cancelled
    )


def downgrade() -> None:
    op.drop_index(_NAME, table_name="attendees")
