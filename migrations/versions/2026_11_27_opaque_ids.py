"""Attendees get a random id, by which forms and telephones name them: row numbers come again after a restore.

Only an addition, so that a process of the version before runs on these tables too: PostgreSQL fills the column by its
default. SQLite cannot add such a column to a table, so there a trigger fills it.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_opaque_ids"
down_revision = "2026_11_26_name_search"

_TRIGGER = """
CREATE TRIGGER attendees_public_id AFTER INSERT ON attendees WHEN NEW.public_id IS NULL
BEGIN UPDATE attendees SET public_id = lower(hex(randomblob(16))) WHERE id = NEW.id; END
"""


def upgrade() -> None:
    by_default = sa.text("replace(gen_random_uuid()::text, '-', '')") if _on_postgresql() else None
    op.add_column(
        "attendees",
        sa.Column("public_id", sa.String(length=32), nullable=True, server_default=by_default),
    )
    if not _on_postgresql():
        op.execute("UPDATE attendees SET public_id = lower(hex(randomblob(16)))")
        op.execute(_TRIGGER)
    op.create_index(op.f("ix_attendees_public_id"), "attendees", ["public_id"], unique=True)


def downgrade() -> None:
    if not _on_postgresql():
        op.execute("DROP TRIGGER attendees_public_id")
    op.drop_index(op.f("ix_attendees_public_id"), "attendees")
    op.drop_column("attendees", "public_id")


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
