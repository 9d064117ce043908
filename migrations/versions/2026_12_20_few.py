"""Indexes of the few: the people who cancelled, so that the list counts them without reading
everybody, and the registrations that were split off, so that a ticket finds those that wait beside
it.

Only additions, so that a process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_20_few"
down_revision = "2026_12_13_fitting_programs"

_INDEXES = (
    ("ix_attendees_cancelled", "attendees", "event_id", "cancelled_at IS NOT NULL"),
    ("ix_registrations_split_off", "registrations", "split_from_id", "split_from_id IS NOT NULL"),
)


def upgrade() -> None:
    for name, table, column, those in _INDEXES:
        if any(one["name"] == name for one in sa.inspect(op.get_bind()).get_indexes(table)):
            continue  # cut short after this step
        few = sa.text(those)
        op.create_index(name, table, [column], sqlite_where=few, postgresql_where=few)


def downgrade() -> None:
    for name, table, *_ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
