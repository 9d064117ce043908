"""The list's index knows what a search looks at, so that a name is looked for without reading everybody's row.

A process of the version before runs on these tables too.
"""

from alembic import op

revision = "2026_11_26_name_search"
down_revision = "2026_11_25_desk"

_BEFORE = ["event_id", "sort_key", "id"]
_AFTER = [*_BEFORE, "search_key", "name_folded"]


def upgrade() -> None:
    op.create_index(
        op.f("ix_attendees_event_id_sort_key_id_search_key_name_folded"), "attendees", _AFTER
    )
    op.drop_index(op.f("ix_attendees_event_id_sort_key_id"), "attendees")


def downgrade() -> None:
    op.create_index(op.f("ix_attendees_event_id_sort_key_id"), "attendees", _BEFORE)
    op.drop_index(op.f("ix_attendees_event_id_sort_key_id_search_key_name_folded"), "attendees")
