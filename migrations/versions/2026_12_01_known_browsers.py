"""Browsers in which somebody signed in before: a stranger's wrong passwords do not keep them out.

Only an addition, so that a process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_01_known_browsers"
down_revision = "2026_11_30_second_factor"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    if not sa.inspect(op.get_bind()).has_table("known_browsers"):  # cut short after this step
        op.create_table(
            "known_browsers",
            sa.Column("id", sa.Integer(), nullable=False),
            sa.Column("staff_id", sa.Integer(), nullable=False),
            sa.Column("token_digest", sa.String(length=64), nullable=False),
            sa.Column("failures", sa.Integer(), nullable=False),
            sa.Column("created_at", _MOMENT, nullable=False),
            sa.Column("seen_at", _MOMENT, nullable=False),
            sa.ForeignKeyConstraint(
                ["staff_id"], ["staff_members.id"], name=op.f("fk_known_browsers_staff_id")
            ),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_known_browsers")),
            sa.UniqueConstraint("token_digest", name=op.f("uq_known_browsers_token_digest")),
        )
    op.create_index(
        op.f("ix_known_browsers_staff_id"), "known_browsers", ["staff_id"], if_not_exists=True
    )


def downgrade() -> None:
    op.drop_table("known_browsers")
