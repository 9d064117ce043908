"""A random stamp for each state of an event: its version alone comes again after a restore, with other words.

The version before runs on these tables too: what it applies keeps its stamp and gets another version.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_event_stamp"
down_revision = "2026_11_27_opaque_ids"


def upgrade() -> None:
    op.add_column(
        "events", sa.Column("stamp", sa.String(length=32), nullable=False, server_default="")
    )
    connection = op.get_bind()
    events = sa.table("events", sa.column("id", sa.Integer), sa.column("stamp", sa.String))
    for event_id in connection.scalars(sa.select(events.c.id)).all():
        given = events.update().where(events.c.id == event_id)
        connection.execute(given.values(stamp=secrets.token_hex(16)))


def downgrade() -> None:
    op.drop_column("events", "stamp")
