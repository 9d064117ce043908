"""Drop the CHECKs on enums that may grow: sources, kinds of message, reasons and outcomes of calls.

``eventreg.core.models.base.OneOf`` checks these columns when the program writes. A new entry then
needs no migration. States, roles and channels keep their CHECKs.

A process of the version before runs on these tables too.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_02_growing_enums"
down_revision = "2026_12_01_known_browsers"

_CHECKS = {
    "registrations": {"source": "'online', 'phone', 'walk-in'"},
    "outbox_messages": {
        "kind": "'registered', 'waitlisted', 'promoted', 'cancelled', 'event-moved', "
        "'event-cancelled', 'speaker-replaced'"
    },
    "calls": {
        "reason": "'promoted', 'event-moved', 'event-cancelled', 'speaker-replaced', "
        "'registered', 'waitlisted', 'name-unsure', 'reminder'",
        "outcome": "'reached', 'not-reached', 'will-not-come', 'wrong-number'",
    },
}
_ALONE = {"resolve_fks": False}
"""On SQLite: read each table without those it refers to."""


def upgrade() -> None:
    before = _indexes_and_triggers()
    for table, columns in _CHECKS.items():
        with op.batch_alter_table(table, reflect_kwargs=_ALONE) as batch_op:
            for column in columns:
                batch_op.drop_constraint(op.f(f"ck_{table}_{column}_known"), type_="check")
    _require_same(before)


def downgrade() -> None:
    before = _indexes_and_triggers()
    for table, columns in _CHECKS.items():
        with op.batch_alter_table(table, reflect_kwargs=_ALONE) as batch_op:
            for column, known in columns.items():
                batch_op.create_check_constraint(
                    op.f(f"ck_{table}_{column}_known"), f"{column} IN ({known})"
                )
    _require_same(before)


def _indexes_and_triggers() -> set[tuple[object, ...]]:
    """SQLite drops them with the old table, and Alembic makes the indexes again. Says of each
    whether it has a WHERE."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        return set()
    found = connection.execute(
        sa.text(
            "SELECT type, name, tbl_name, sql LIKE '% WHERE %' FROM sqlite_master "
            "WHERE type IN ('index', 'trigger')"
        )
    )
    return {tuple(row) for row in found}


def _require_same(before: set[tuple[object, ...]]) -> None:
    if changed := before ^ _indexes_and_triggers():
        raise RuntimeError(f"indexes or triggers were changed: {sorted(changed, key=str)}")
