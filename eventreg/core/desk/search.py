"""Search attendees: one search for the desk and the door. Changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, or_
from sqlalchemy.orm import Session

from eventreg.core.desk import attendee_counts, attendee_list, attendee_rows
from eventreg.core.desk.attendee_list import Selection
from eventreg.core.desk.attendee_rows import Row
from eventreg.core.models.event import Event
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee
from eventreg.core.search import terms
from eventreg.core.search.tiers import How
from eventreg.core.values.names import has_han, sounding_like

_MOST_SIMILAR = 20


@dataclass(frozen=True)
class Answer:
    """One page of those whom a search finds, the number of all, how they fit what was typed, and
    others whose names sound like it."""

    rows: Sequence[Row]
    people: int
    how: How
    near: Sequence[Row]


def search(session: Session, event: Event, selection: Selection) -> Answer:
    """Find people by name, reading, initials, code or number. Those who fit best come first; if
    nobody fits, come names that sound so, and then names with one wrong letter. Without a search,
    everybody of the selection."""
    if not selection.is_search:
        rows = attendee_list.listed(session, event, selection)
        return Answer(rows, attendee_counts.found(session, event, selection), How.FITS, [])
    rows, found = attendee_list.page(session, event, selection)
    near = _near(session, event, selection) if selection.page == 1 else []
    others = [row for row in near if row.attendee_id not in found.ids]
    return Answer(rows, found.people, found.how, others)


def _near(session: Session, event: Event, selection: Selection) -> Sequence[Row]:
    """Attendees whose surname sounds like the one typed but is another, or who are written
    differently; at most 20. Cancelled ones are left out."""
    typed = "".join(terms.words(selection.query))
    if not typed or any(c.isdigit() for c in typed):
        return []
    # A range can use the index of names: from "wang " to "wang!", as "!" follows the space.
    similar = [
        and_(
            Attendee.sort_key >= f"{surname} ",
            Attendee.sort_key < f"{surname}!",
            Attendee.search_key.contains(f" {surname}{given}", autoescape=True),
        )
        for surname, given in sounding_like(typed)
    ]
    if not similar:
        return []
    begun_so = typed if has_han(typed) else f" {typed}"
    written_differently = ~Attendee.search_key.contains(begun_so, autoescape=True)
    found = attendee_rows.attendees_in_full.where(
        Attendee.event_id == event.id, LIVE, written_differently, or_(*similar)
    )
    by_name = found.order_by(Attendee.sort_key, Attendee.id)
    return attendee_rows.rows_of(session, by_name.limit(_MOST_SIMILAR))
