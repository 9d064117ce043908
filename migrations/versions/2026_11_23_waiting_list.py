"""Waiting list, held seats, what people are to be told.

Only additions, each with a default, so that a process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_waiting_list"
down_revision = "2026_11_22_first"


def upgrade() -> None:
    # Plain additions: rewriting `events` or `registrations` would need their children's foreign keys switched off.
    op.add_column(
        "events", sa.Column("held_seats", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("events", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("registrations", sa.Column("email", sa.String(length=254), nullable=True))
    op.add_column(
        "registrations", sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("registrations", sa.Column("split_from_id", sa.Integer(), nullable=True))
    with op.batch_alter_table("event_seats") as batch_op:
        batch_op.add_column(sa.Column("held", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("edition", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_check_constraint(op.f("ck_event_seats_held_not_negative"), "held >= 0")
    op.create_index(op.f("ix_attendees_event_id_code"), "attendees", ["event_id", "code"])
    op.create_table(
        "outbox_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("event_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_staff_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "channel IN ('call', 'mail')", name=op.f("ck_outbox_messages_channel_known")
        ),
        sa.CheckConstraint(
            "kind IN ('registered', 'waitlisted', 'promoted', 'cancelled', 'event-moved', 'event-cancelled', 'speaker-replaced')",
            name=op.f("ck_outbox_messages_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_outbox_messages_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
            name=op.f("fk_outbox_messages_registration_id"),
        ),
        sa.ForeignKeyConstraint(
            ["settled_by_staff_id"],
            ["staff_members.id"],
            name=op.f("fk_outbox_messages_settled_by_staff_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_messages")),
    )
    with op.batch_alter_table("outbox_messages") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_outbox_messages_registration_id_kind_channel_event_version"),
            ["registration_id", "kind", "channel", "event_version"],
            unique=True,
        )
        batch_op.create_index(
            batch_op.f("ix_outbox_messages_event_id_settled_at"),
            ["event_id", "settled_at"],
            unique=False,
        )
    if op.get_context().dialect.name == "postgresql":
        # Sorted byte by byte, as SQLite does; and room on the page of the one row that everybody writes.
        for column in ("sort_key", "search_key"):
            op.alter_column(
                "attendees", column, type_=sa.Text(collation="C"), existing_nullable=False
            )
        op.execute("ALTER TABLE event_seats SET (fillfactor = 50)")


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        for column in ("sort_key", "search_key"):
            op.alter_column("attendees", column, type_=sa.Text(), existing_nullable=False)
    op.drop_table("outbox_messages")
    op.drop_index(op.f("ix_attendees_event_id_code"), "attendees")
    with op.batch_alter_table("event_seats") as batch_op:
        batch_op.drop_constraint(op.f("ck_event_seats_held_not_negative"), type_="check")
        batch_op.drop_column("held")
        batch_op.drop_column("edition")
    for column in ("split_from_id", "promoted_at", "email"):
        op.drop_column("registrations", column)
    for column in ("held_until", "held_seats"):
        op.drop_column("events", column)
