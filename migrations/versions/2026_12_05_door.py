"""The door: devices and their acts, waiting people who are present, owed gifts, and when seats were
released.

Only additions, so that a process of the version before runs on these tables too.
"""

import secrets
from collections import Counter
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "2026_12_05_door"
down_revision = "2026_12_04_put_first"

_MOMENT = sa.DateTime(timezone=True)
_NEW_COLUMNS = (
    ("events", "seats_released_at", _MOMENT),
    ("attendees", "released_at", _MOMENT),
    ("check_ins", "device", sa.String(length=64)),
    ("staff_sessions", "door_device", sa.String(length=64)),
)
_INDEXES = (
    ("door_acts", ["event_id", "clash", "settled_at"]),
    ("door_acts", ["event_id", "device"]),
    ("door_acts", ["attendee_id"]),
    ("owed_gifts", ["event_id"]),
)
_SchemaItems = tuple[sa.Column[Any] | sa.Constraint, ...]


def upgrade() -> None:
    known = sa.inspect(op.get_bind())
    for table, column, kind in _NEW_COLUMNS:
        if column not in {one["name"] for one in known.get_columns(table)}:
            op.add_column(table, sa.Column(column, kind, nullable=True))
    for table, columns in _tables().items():
        if not known.has_table(table):  # cut short after this step
            op.create_table(
                table,
                sa.Column("id", sa.Integer(), nullable=False),
                *_id_of(table, "event_id", "events", nullable=False),
                *columns,
                sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            )
    for table, indexed in _INDEXES:
        op.create_index(op.f("_".join(["ix", table, *indexed])), table, indexed, if_not_exists=True)
    _keep_paired_telephones()


_FIRST, _AFTER = timedelta(days=4), timedelta(hours=12)


def _keep_paired_telephones() -> None:
    """The telephones that were paired before become doors, as if they were paired now."""
    connection = op.get_bind()
    found = sa.text(
        "SELECT m.id, m.event_id, m.created_at, e.starts_at, e.ends_at FROM staff_members m "
        "JOIN events e ON e.id = m.event_id WHERE m.disabled_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM door_devices d WHERE d.staff_id = m.id) ORDER BY m.id"
    ).columns(created_at=_MOMENT, starts_at=_MOMENT, ends_at=_MOMENT)
    numbers: Counter[int] = Counter()
    for member, event, paired_at, starts_at, ends_at in connection.execute(found).all():
        numbers[event] += 1
        row = {
            "event_id": event,
            "device": secrets.token_hex(16),
            "name": f"{numbers[event]} 号台",
            "staff_id": member,
            "paired_at": paired_at,
        }
        op.bulk_insert(_DEVICES, [row])
        theirs = sa.update(_SESSIONS).where(_SESSIONS.c.staff_id == member)
        connection.execute(theirs.values(door_device=row["device"]))
        if paired_at >= starts_at - _FIRST:  # else it was paired too early to stay for days
            lasting = theirs.where(_SESSIONS.c.expires_at > sa.func.current_timestamp())
            connection.execute(lasting.values(expires_at=ends_at + _AFTER))


_DEVICES = sa.table(
    "door_devices",
    *(sa.column(name) for name in ("event_id", "device", "name", "staff_id")),
    sa.column("paired_at", _MOMENT),
)
_SESSIONS = sa.table(
    "staff_sessions",
    *(sa.column(name) for name in ("staff_id", "door_device")),
    sa.column("expires_at", _MOMENT),
)


def downgrade() -> None:
    for table in reversed(_tables()):
        op.drop_table(table)
    for table, column, _ in reversed(_NEW_COLUMNS):
        op.drop_column(table, column)


def _id_of(table: str, column: str, other: str, *, nullable: bool = True) -> _SchemaItems:
    return sa.Column(column, sa.Integer(), nullable=nullable), sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}")
    )


def _moments(*names: str) -> _SchemaItems:
    return tuple(sa.Column(name, _MOMENT, nullable=True) for name in names)


def _text(name: str, length: int, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f("_".join(["uq", table, *columns])))


def _tables() -> dict[str, _SchemaItems]:
    staff = "staff_members"
    return {
        "door_devices": (
            _text("device", 64, nullable=False),
            _text("name", 60, nullable=False),
            *_id_of("door_devices", "staff_id", staff),
            *_moments("paired_at", "revoked_at", "seen_at", "roster_at"),
            sa.Column("unsent", sa.Integer(), nullable=True),
            sa.Column("clock_ahead", sa.Integer(), nullable=True),
            sa.Column("checks", sa.Text(), nullable=True),
            _unique("door_devices", "event_id", "device"),
        ),
        "door_acts": (
            _text("key", 64, nullable=False),
            _text("device", 64, nullable=False),
            _text("uploaded_by", 64),
            sa.Column("seq", sa.Integer(), nullable=True),
            _text("act", 16, nullable=False),
            _text("attendee", 64),
            *_id_of("door_acts", "attendee_id", "attendees"),
            *_moments("device_at"),
            sa.Column("acted_at", _MOMENT, nullable=False),
            sa.Column("received_at", _MOMENT, nullable=False),
            *_id_of("door_acts", "by_staff_id", staff),
            _text("result", 24, nullable=False),
            _text("reason", 40),
            sa.Column("late", sa.Boolean(), nullable=False),
            sa.Column("answer", sa.Text(), nullable=False),
            sa.Column("typed", sa.Text(), nullable=True),
            _text("clash", 24),
            *_moments("settled_at"),
            *_id_of("door_acts", "settled_by_staff_id", staff),
            _unique("door_acts", "event_id", "key"),
        ),
        "present_parties": (
            *_id_of("present_parties", "registration_id", "registrations", nullable=False),
            sa.Column("number", sa.Integer(), nullable=True),
            sa.Column("came_at", _MOMENT, nullable=False),
            sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
            *_moments("called_at", "left_at"),
            _unique("present_parties", "event_id", "number"),
            _unique("present_parties", "registration_id"),
        ),
        "owed_gifts": (
            *_id_of("owed_gifts", "attendee_id", "attendees", nullable=False),
            sa.Column("owed_at", _MOMENT, nullable=False),
            *_id_of("owed_gifts", "by_staff_id", staff),
            *_moments("settled_at"),
            *_id_of("owed_gifts", "settled_by_staff_id", staff),
            _unique("owed_gifts", "attendee_id"),
        ),
    }
