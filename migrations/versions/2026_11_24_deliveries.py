"""What became of each mail: how often it was tried, when next, and why not.

Only additions, each with a default, so that a process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_24_deliveries"
down_revision = "2026_11_23_waiting_list"


def upgrade() -> None:
    op.add_column(
        "outbox_messages", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column(
        "outbox_messages", sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "outbox_messages", sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("outbox_messages", sa.Column("failure", sa.String(length=120), nullable=True))
    op.create_index(
        op.f("ix_outbox_messages_channel_settled_at"), "outbox_messages", ["channel", "settled_at"]
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_outbox_messages_channel_settled_at"), "outbox_messages")
    for column in ("failure", "failed_at", "next_try_at", "attempts"):
        op.drop_column("outbox_messages", column)
