"""A second factor that only its owner changes: what a session shows once, wrong codes of a link, and who reset a factor.

Only additions, each empty or with a default, so that a process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_30_second_factor"
down_revision = "2026_11_29_bursts"

_COLUMNS = (
    ("staff_members", "factor_reset_at", sa.DateTime(timezone=True), None),
    ("staff_members", "factor_reset_by", sa.Integer(), None),
    ("staff_sessions", "note", sa.Text(), None),
    ("welcome_links", "wrong_codes", sa.Integer(), "0"),
)


def upgrade() -> None:
    for table, name, kind, default in _COLUMNS:
        op.add_column(
            table, sa.Column(name, kind, nullable=default is None, server_default=default)
        )


def downgrade() -> None:
    for table, name, _kind, _default in _COLUMNS:
        op.drop_column(table, name)
