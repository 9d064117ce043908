"""What the desk writes down: calls, gifts, wishes, contacts, paired telephones, second factors.

Only additions, each with a default, so that a process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_desk"
down_revision = "2026_11_24_deliveries"

_MOMENT = sa.DateTime(timezone=True)
_COLUMNS = {
    "registrations": (
        ("contact", sa.String(length=200), None),
        ("wishes", sa.String(length=40), ""),
        ("name_unsure", sa.Boolean(), sa.false()),
        ("over_limit", sa.Boolean(), sa.false()),
        ("erased_at", _MOMENT, None),
    ),
    "attendees": (("told_apart_at", _MOMENT, None),),
    "check_ins": (("by_paper", sa.Boolean(), sa.false()),),
    "staff_members": (
        ("event_id", sa.Integer(), None),
        ("totp_secret", sa.String(length=64), None),
        ("totp_step", sa.Integer(), None),
        ("recovery_digests", sa.String(length=800), None),
    ),
    "staff_sessions": (
        ("proved_at", _MOMENT, None),
        ("expires_at", _MOMENT, None),
        ("device", sa.String(length=40), None),
    ),
}


def _id_of(
    table: str, column: str, other: str, *, nullable: bool = False
) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    name = op.f(f"fk_{table}_{column}")
    return sa.Column(column, sa.Integer(), nullable=nullable), sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=name
    )


def upgrade() -> None:
    for table, columns in _COLUMNS.items():
        for name, kind, default in columns:
            given = (
                {"nullable": True}
                if default is None
                else {"nullable": False, "server_default": default}
            )
            op.add_column(table, sa.Column(name, kind, **given))
    op.create_table(
        "calls",
        sa.Column("id", sa.Integer(), nullable=False),
        *_id_of("calls", "event_id", "events"),
        *_id_of("calls", "registration_id", "registrations"),
        sa.Column("registration_version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("called_at", _MOMENT, nullable=False),
        *_id_of("calls", "by_staff_id", "staff_members", nullable=True),
        sa.Column("next_try_at", _MOMENT, nullable=True),
        sa.CheckConstraint(
            "reason IN ('promoted', 'event-moved', 'event-cancelled', 'speaker-replaced', 'registered', 'waitlisted', "
            "'name-unsure', 'reminder')",
            name=op.f("ck_calls_reason_known"),
        ),
        sa.CheckConstraint(
            "outcome IN ('reached', 'not-reached', 'will-not-come', 'wrong-number')",
            name=op.f("ck_calls_outcome_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index(op.f("ix_calls_event_id_reason"), "calls", ["event_id", "reason"])
    op.create_index(op.f("ix_calls_registration_id"), "calls", ["registration_id"])
    op.create_table(
        "gifts",
        sa.Column("id", sa.Integer(), nullable=False),
        *_id_of("gifts", "event_id", "events"),
        *_id_of("gifts", "attendee_id", "attendees"),
        sa.Column("given_at", _MOMENT, nullable=False),
        *_id_of("gifts", "by_staff_id", "staff_members"),
        sa.Column("undone_at", _MOMENT, nullable=True),
        *_id_of("gifts", "undone_by_staff_id", "staff_members", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gifts")),
    )
    op.create_index(op.f("ix_gifts_event_id"), "gifts", ["event_id"])
    op.create_index(op.f("ix_gifts_attendee_id"), "gifts", ["attendee_id"])
    standing = sa.text("undone_at IS NULL")
    op.create_index(
        "uq_gifts_standing",
        "gifts",
        ["attendee_id"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    op.create_table(
        "pairings",
        sa.Column("id", sa.Integer(), nullable=False),
        *_id_of("pairings", "event_id", "events"),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        *_id_of("pairings", "made_by_staff_id", "staff_members"),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pairings")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_pairings_token_digest")),
    )


def downgrade() -> None:
    for table in ("pairings", "gifts", "calls"):
        op.drop_table(table)
    for table, columns in _COLUMNS.items():
        for name, _kind, _default in columns:
            op.drop_column(table, name)
