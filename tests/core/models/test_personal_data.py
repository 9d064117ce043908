"""The list of what is kept about people is complete: the privacy page is made from it."""

import re
from collections.abc import Sequence

from eventreg.core.models import personal_data
from eventreg.core.models.base import Base
from eventreg.core.models.personal_data import Kept
from eventreg.i18n import LANGUAGES, sentence
from tests.support.factories import ROOT

_LINKS = {"id", "version", "edition", "event_version", "registration_version"}
"""Columns that only number rows, or count changes."""


def columns() -> set[str]:
    """Every column of every table that says something of its own."""
    return {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        if table.name not in personal_data.ABOUT_NOBODY
        for column in table.columns
        if column.name not in _LINKS and not column.name.endswith("_id") and not column.foreign_keys
    } | {"attendees.public_id"}


def test_every_column_about_people_is_on_the_list_of_what_is_kept() -> None:
    kept = (*personal_data.OF_GUESTS, *personal_data.OF_STAFF)
    listed = [column for one in kept for column in one.columns]
    assert len(listed) == len(set(listed)), "each column belongs to one item"
    assert set(listed) >= columns(), "a new column must be named on the privacy page"
    assert set(listed) - columns() <= {"registrations.split_from_id"}, "columns that are gone"


def test_every_item_has_a_sentence_in_both_languages() -> None:
    for one in (*personal_data.OF_GUESTS, *personal_data.OF_STAFF):
        for language in LANGUAGES:
            assert sentence(language, f"kept_{one.item}")
            key = f"until_{one.until.replace('-', '_')}"
            assert sentence(language, key, days=30)


def recorded(kept: Sequence[Kept]) -> list[tuple[str, str, str, str]]:
    """What the record must say of these items: the item, what it is, how long, and the tables."""
    return [
        (
            one.item,
            sentence("en", f"kept_{one.item}"),
            sentence("en", f"until_{one.until.replace('-', '_')}", days=30),
            ", ".join(f"`{table}`" for table in sorted({c.split(".")[0] for c in one.columns})),
        )
        for one in kept
    ]


def test_the_privacy_record_says_of_every_item_what_why_how_long_and_where() -> None:
    record = (ROOT / "docs" / "privacy-record.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", record, re.M)
    said = [(item, what, long, where) for item, what, _, long, where in rows]
    assert said == recorded((*personal_data.OF_GUESTS, *personal_data.OF_STAFF))
    assert all(len(why) > 20 for _, _, why, _, _ in rows), "each item has a reason"
