"""Compute the keys again by which people are found.

They now have the given name alone, simplified characters and other readings. Rows that were erased
stay as they are. Names and readings are not changed, so a reading that staff typed is kept. The
index of the list no longer has the folded name: the keys have the name.

A process of the version before runs on these tables too, and finds people by these keys.
"""

import sqlalchemy as sa
from alembic import op

from eventreg.core.values import search_keys

revision = "2026_12_03_search_keys"
down_revision = "2026_12_02_growing_enums"

_BEFORE = "ix_attendees_event_id_sort_key_id_search_key_name_folded"
_AFTER = "ix_attendees_event_id_sort_key_id_search_key"
_COLUMNS = ["event_id", "sort_key", "id", "search_key"]
_AT_ONCE = 1_000
_ERASED = "~"
_attendees = sa.table(
    "attendees",
    sa.column("id", sa.Integer),
    sa.column("name_folded", sa.Text),
    sa.column("sort_key", sa.Text),
    sa.column("search_key", sa.Text),
)


def upgrade() -> None:
    op.drop_index(op.f(_BEFORE), "attendees")
    _compute_keys()
    op.create_index(op.f(_AFTER), "attendees", _COLUMNS)


def _compute_keys() -> None:
    connection, last = op.get_bind(), 0
    people = sa.select(_attendees.c.id, _attendees.c.name_folded, _attendees.c.sort_key)
    set_key = (
        sa.update(_attendees)
        .where(_attendees.c.id == sa.bindparam("person"))
        .values(search_key=sa.bindparam("keys"))
    )
    while some := connection.execute(
        people.where(_attendees.c.id > last).order_by(_attendees.c.id).limit(_AT_ONCE)
    ).all():
        last = some[-1].id
        found = [
            {"person": one.id, "keys": search_keys.of(one.name_folded, _reading(one))}
            for one in some
            if one.sort_key != _ERASED
        ]
        if found:
            connection.execute(set_key, found)


def _reading(person: sa.Row[tuple[int, str, str]]) -> str:
    """The reading stands before the name in the sort key."""
    return person.sort_key.removesuffix(person.name_folded).strip()


def downgrade() -> None:
    """Keep the keys: the version before finds people by them too."""
    op.create_index(op.f(_BEFORE), "attendees", [*_COLUMNS, "name_folded"])
    op.drop_index(op.f(_AFTER), "attendees")
