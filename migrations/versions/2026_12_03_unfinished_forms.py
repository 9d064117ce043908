"""Unfinished forms: what guests typed and have not confirmed, for half an hour, so that Back and
reload show it.

Only an addition, so that a process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_03_unfinished_forms"
down_revision = "2026_12_03_search_keys"


def upgrade() -> None:
    if not sa.inspect(op.get_bind()).has_table("unfinished_forms"):  # cut short after this step
        op.create_table(
            "unfinished_forms",
            sa.Column("key_digest", sa.String(length=64), nullable=False),
            sa.Column("form_key", sa.String(length=64), nullable=False),
            sa.Column("sealed", sa.Text(), nullable=True),
            sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
            sa.PrimaryKeyConstraint("key_digest", name=op.f("pk_unfinished_forms")),
        )
    for column in ("form_key", "kept_at"):
        op.create_index(
            op.f(f"ix_unfinished_forms_{column}"), "unfinished_forms", [column], if_not_exists=True
        )


def downgrade() -> None:
    op.drop_table("unfinished_forms")
