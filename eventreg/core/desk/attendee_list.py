"""The attendee list: search, filter and sort attendees. Changes nothing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from eventreg.core.desk.attendee_rows import Exported, Row, attendees_in_full, exported, rows_of
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event
from eventreg.core.models.people import CANCELLED, LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import waitlist
from eventreg.core.registration.arrivals import STANDING
from eventreg.core.search import finding, terms, tiers
from eventreg.core.search.finding import Found
from eventreg.core.search.tiers import Tier

PAGE = 200
"""Rows on one page of the list."""
_MOST_UNDER_NUMBER = 20


class Filter(StrEnum):
    """Which attendees a list shows."""

    ALL = "all"
    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    CANCELLED = "cancelled"
    ARRIVED = "arrived"


class Sort(StrEnum):
    """The column by which a list is sorted."""

    FIT = "fit"  # those who fit a search best first; without a search, by name
    NAME = "name"
    CODE = "code"
    TIME = "time"
    STATE = "state"


@dataclass(frozen=True)
class Selection:
    """Which attendees to list, in which order, and which page of them."""

    query: str = ""
    filter: Filter = Filter.ALL
    sort: Sort = Sort.FIT
    page: int = 1
    at_door: bool = False
    """The door sees masked numbers, so a search must not reveal their digits."""
    area_code: str | None = None
    """Of the event, for a fixed line typed without it."""

    @property
    def is_search(self) -> bool:
        """Whether something was typed that a person can see."""
        return bool(terms.visible(self.query))


CONDITIONS: Mapping[Filter, ColumnElement[bool]] = {
    Filter.CONFIRMED: and_(LIVE, Registration.state == RegistrationState.CONFIRMED),
    Filter.WAITLISTED: and_(LIVE, Registration.state == RegistrationState.WAITLISTED),
    Filter.CANCELLED: CANCELLED,
    Filter.ARRIVED: and_(LIVE, CheckIn.id.is_not(None)),
}
"""The condition of each filter; ``Filter.ALL`` has none."""
_SORTS: Mapping[Sort, tuple[Any, ...]] = {
    Sort.FIT: (Attendee.sort_key, Attendee.id),
    Sort.NAME: (Attendee.sort_key, Attendee.id),
    Sort.CODE: (Attendee.code, Attendee.id),
    Sort.TIME: (Registration.created_at.desc(), Attendee.id.desc()),
    Sort.STATE: (CANCELLED, Registration.state, Attendee.sort_key),
}


def _selected(event: Event, selection: Selection) -> Select[*tuple[Any, ...]]:
    """Everybody whom a selection without a search shows."""
    chosen = CONDITIONS.get(selection.filter)
    return attendees_in_full.where(
        Attendee.event_id == event.id, *([] if chosen is None else [chosen])
    )


def _among(event: Event, selection: Selection) -> Select[int]:
    """The ids among which a search looks. Reads other tables only if it has to."""
    among = select(Attendee.id).where(Attendee.event_id == event.id)
    if selection.filter in CONDITIONS:
        among = among.where(CONDITIONS[selection.filter])
    if selection.filter is Filter.ARRIVED:
        among = among.join(CheckIn, STANDING)
    if selection.filter is Filter.ALL and selection.sort not in (Sort.TIME, Sort.STATE):
        return among
    return among.join(Registration, Registration.id == Attendee.registration_id)


def _tiers(session: Session, event: Event, asked: Selection) -> Iterator[Tier]:
    return tiers.of(session, event, asked.query, asked.area_code, at_door=asked.at_door)


def page(session: Session, event: Event, selection: Selection) -> tuple[Sequence[Row], Found]:
    """One page of those whom a search finds; and how many there are, and how they fit."""
    order = None if selection.sort is Sort.FIT else _SORTS[selection.sort]
    first = (selection.page - 1) * PAGE
    among, meant = _among(event, selection), _tiers(session, event, selection)
    found = finding.page(session, among, order, meant, slice(first, first + PAGE))
    rows = rows_of(session, attendees_in_full.where(Attendee.id.in_(found.ids)))
    known = {row.attendee_id: row for row in rows}
    return [known[one] for one in found.ids], found


def listed(session: Session, event: Event, selection: Selection) -> Sequence[Row]:
    """One page of the list."""
    if selection.is_search:
        return page(session, event, selection)[0]
    ordered = _selected(event, selection).order_by(*_SORTS[selection.sort])
    return rows_of(session, ordered.limit(PAGE).offset((selection.page - 1) * PAGE))


def each(session: Session, event: Event, selection: Selection) -> Iterator[Exported]:
    """The whole list for an export, read row by row to save memory."""
    ordered = _selected(event, selection).order_by(*_SORTS[selection.sort])
    if selection.is_search:
        among, meant = _among(event, selection), _tiers(session, event, selection)
        ordered = ordered.where(finding.condition(session, among, meant))
    return exported(session, ordered)


def confirmed(session: Session, event: Event) -> Sequence[Row]:
    """The attendees with a seat, in the order of the check-in list."""
    seated = attendees_in_full.where(Attendee.event_id == event.id, CONDITIONS[Filter.CONFIRMED])
    return rows_of(session, seated.order_by(*_SORTS[Sort.NAME]))


def waiting(session: Session, event: Event) -> Sequence[Row]:
    """The attendees on the waiting list, in its order."""
    waitlisted = attendees_in_full.where(
        Attendee.event_id == event.id, CONDITIONS[Filter.WAITLISTED]
    )
    return rows_of(session, waitlisted.order_by(*waitlist.IN_ORDER, Attendee.place))


def of_registrations(
    session: Session, event: Event, chosen: Mapping[int, str], which: Filter = Filter.CONFIRMED
) -> Sequence[Row]:
    """The attendees of these registrations whom the filter ``which`` shows, by default those with a
    seat, in the order of the check-in list.

    ``chosen`` has the id and the mark of each registration; an empty mark is not compared.
    Registrations of another event, or with another mark, are left out.
    """
    condition = CONDITIONS.get(which)
    theirs = attendees_in_full.where(
        Attendee.event_id == event.id,
        Attendee.registration_id.in_(chosen),
        *([] if condition is None else [condition]),
    )
    rows = rows_of(session, theirs.order_by(*_SORTS[Sort.NAME]))
    return [row for row in rows if chosen[row.registration_id] in ("", row.mark)]


def under_number(session: Session, event: Event, number: str) -> Sequence[Row]:
    """The attendees registered under this telephone number who have not cancelled, at most 20."""
    if not number:
        return []
    same = attendees_in_full.where(
        Attendee.event_id == event.id, LIVE, Attendee.phone_number == number
    )
    return rows_of(session, same.order_by(Attendee.id).limit(_MOST_UNDER_NUMBER))


def named(session: Session, event: Event, folded: Collection[str]) -> Sequence[Row]:
    """The attendees with these names (as ``names.fold`` makes them) who have not cancelled."""
    same = attendees_in_full.where(
        Attendee.event_id == event.id, LIVE, Attendee.name_folded.in_(folded)
    )
    return rows_of(session, same.order_by(Attendee.name_folded, Attendee.id))


def names_of(
    session: Session,
    event: Event,
    *,
    people: Collection[int] = (),
    registrations: Collection[int] = (),
) -> list[str]:
    """The names of these attendees and of all in these registrations, if they are of this event;
    also of those who cancelled."""
    chosen = or_(Attendee.id.in_(people), Attendee.registration_id.in_(registrations))
    names = select(Attendee.name).where(Attendee.event_id == event.id, chosen)
    return list(session.scalars(names.order_by(*_SORTS[Sort.NAME])))


def of_registration(session: Session, registration_id: int) -> Sequence[Row]:
    """The attendees of one registration."""
    party = attendees_in_full.where(Attendee.registration_id == registration_id)
    return rows_of(session, party.order_by(Attendee.place))


def latest(session: Session, event: Event, most: int) -> Sequence[Sequence[Row]]:
    """The attendees of each of the newest registrations, the newest one first."""
    of_event = select(Registration.id).where(Registration.event_id == event.id)
    newest = of_event.order_by(Registration.created_at.desc(), Registration.id.desc()).limit(most)
    theirs = attendees_in_full.where(Attendee.registration_id.in_(newest))
    by_registration = (Registration.created_at.desc(), Registration.id.desc(), Attendee.place)
    rows = rows_of(session, theirs.order_by(*by_registration))
    return [list(party) for _, party in groupby(rows, key=lambda row: row.registration_id)]
