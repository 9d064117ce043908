"""The attendee list: search from the first character, filter, sort, count. Reads rows, changes
nothing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from eventreg.core.door.gifts import HANDED
from eventreg.core.models.attendance import CheckIn, Gift
from eventreg.core.models.event import Event
from eventreg.core.models.people import CANCELLED, LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import identity, search_terms
from eventreg.core.registration.arrivals import STANDING
from eventreg.core.values.names import fold, has_han, reading_of, sounding_like

PAGE = 200
"""Rows on one page of the list: a hall of 50 or 100 is one page."""
_NEAR = 20


class Filter(StrEnum):
    """Which people a list shows."""

    ALL = "all"
    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    CANCELLED = "cancelled"
    ARRIVED = "arrived"


class Sort(StrEnum):
    """By which column a list is sorted."""

    NAME = "name"
    CODE = "code"
    TIME = "time"
    STATE = "state"


@dataclass(frozen=True)
class Row:
    """One attendee, as every list shows it."""

    attendee_id: int
    registration_id: int
    name: str
    sort_key: str
    letter: str
    phone_number: str
    phone_tail: str
    code: str | None
    place: int
    source: str
    state: str
    created_at: datetime
    cancelled_at: datetime | None
    check_in_id: int | None
    arrived_at: datetime | None
    late: bool | None
    contact: str | None
    wishes: str
    name_unsure: bool
    gift_at: datetime | None
    public_id: str
    """How forms name the person."""
    mark: str
    """How forms name the registration, beside its number."""

    @property
    def reading(self) -> str:
        """How a Chinese name is read, as pinyin; nothing for a name that already is in letters."""
        return reading_of(self.sort_key) if has_han(self.name) else ""


@dataclass(frozen=True)
class Asked:
    """What a list is asked for."""

    query: str = ""
    filter: Filter = Filter.ALL
    sort: Sort = Sort.NAME
    page: int = 1
    at_door: bool = False
    """Numbers are masked there, so digits must not find them piece by piece."""
    area_code: str | None = None
    """Of the event, for a fixed line that is typed without it."""


_rows = (
    select(
        Attendee.id,
        Attendee.registration_id,
        Attendee.name,
        Attendee.sort_key,
        Attendee.letter,
        Registration.phone_number,
        Attendee.phone_tail,
        Attendee.code,
        Attendee.place,
        Registration.source,
        Registration.state,
        Registration.created_at,
        Attendee.cancelled_at,
        CheckIn.id,
        CheckIn.arrived_at,
        CheckIn.late,
        Registration.contact,
        Registration.wishes,
        Registration.name_unsure,
        Gift.given_at,
        Attendee.public_id,
        func.substr(Registration.ticket_digest, 1, identity.MARK),
    )
    .join(Registration, Registration.id == Attendee.registration_id)
    .outerjoin(CheckIn, STANDING)
    .outerjoin(Gift, HANDED)
)
_FILTERS: dict[Filter, ColumnElement[bool]] = {
    Filter.CONFIRMED: and_(LIVE, Registration.state == RegistrationState.CONFIRMED),
    Filter.WAITLISTED: and_(LIVE, Registration.state == RegistrationState.WAITLISTED),
    Filter.CANCELLED: CANCELLED,
    Filter.ARRIVED: and_(LIVE, CheckIn.id.is_not(None)),
}
_SORTS: dict[Sort, tuple[Any, ...]] = {
    Sort.NAME: (Attendee.sort_key, Attendee.id),
    Sort.CODE: (Attendee.code, Attendee.id),
    Sort.TIME: (Registration.created_at.desc(), Attendee.id.desc()),
    Sort.STATE: (CANCELLED, Registration.state, Attendee.sort_key),
}


def _asked(event: Event, asked: Asked) -> Select[*tuple[Any, ...]]:
    return _rows.where(
        Attendee.event_id == event.id,
        *search_terms.conditions(asked.query, asked.area_code, at_door=asked.at_door),
        *([_FILTERS[asked.filter]] if asked.filter in _FILTERS else []),
    )


def _row(values: Sequence[Any]) -> Row:
    row = list(values)
    if row[12] is not None:  # cancelled alone: the registration may live on
        row[10] = RegistrationState.CANCELLED.value
    return Row(*row)


def listed(session: Session, event: Event, asked: Asked) -> Sequence[Row]:
    """One page of the list."""
    statement = (
        _asked(event, asked)
        .order_by(*_SORTS[asked.sort])
        .limit(PAGE)
        .offset((asked.page - 1) * PAGE)
    )
    return [_row(row) for row in session.execute(statement)]


def each(session: Session, event: Event, asked: Asked) -> Iterator[Row]:
    """The whole list, row by row, so that a long one needs no memory."""
    statement = _asked(event, asked).order_by(*_SORTS[asked.sort]).execution_options(yield_per=500)
    for row in session.execute(statement):
        yield _row(row)


def near(session: Session, event: Event, asked: Asked) -> Sequence[Row]:
    """People whose name sounds like what was searched for and is written otherwise; at most 20, the
    live ones only."""
    typed = fold("".join(search_terms.words(asked.query)))
    if not typed or any(c.isdigit() for c in typed):
        return []
    # A range, which the index of names answers: "wang " up to "wang!", the next character after the
    # space.
    heard = [
        and_(
            Attendee.sort_key >= f"{surname} ",
            Attendee.sort_key < f"{surname}!",
            Attendee.search_key.startswith(surname + given, autoescape=True),
        )
        for surname, given in sounding_like(typed)
    ]
    if not heard:
        return []
    other = ~Attendee.name_folded.contains(typed, autoescape=True)
    statement = _rows.where(Attendee.event_id == event.id, LIVE, other, or_(*heard))
    return [
        _row(row) for row in session.execute(statement.order_by(*_SORTS[Sort.NAME]).limit(_NEAR))
    ]


def found(session: Session, event: Event, asked: Asked) -> int:
    """How many people the whole list has."""
    matching = _asked(event, asked).with_only_columns(
        func.count(Attendee.id), maintain_column_froms=True
    )
    return session.execute(matching).scalar_one()


def confirmed(session: Session, event: Event) -> Sequence[Row]:
    """Everybody who has a seat, in the order of the check-in list."""
    statement = _rows.where(Attendee.event_id == event.id, _FILTERS[Filter.CONFIRMED]).order_by(
        *_SORTS[Sort.NAME]
    )
    return [_row(row) for row in session.execute(statement)]


def waiting(session: Session, event: Event) -> Sequence[Row]:
    """Everybody who waits, in the order in which they will be seated."""
    statement = _rows.where(Attendee.event_id == event.id, _FILTERS[Filter.WAITLISTED])
    return [
        _row(row) for row in session.execute(statement.order_by(Registration.id, Attendee.place))
    ]


def of_registrations(
    session: Session, event: Event, chosen: Mapping[int, str], which: Filter = Filter.CONFIRMED
) -> Sequence[Row]:
    """The people of these registrations, by number and mark, in the order of the check-in list:
    usually those who have a seat. A number of another event is nobody's, nor is one whose mark has
    changed."""
    conditions = [_FILTERS[which]] if which in _FILTERS else []
    statement = _rows.where(
        Attendee.event_id == event.id, Attendee.registration_id.in_(chosen), *conditions
    )
    rows = [_row(row) for row in session.execute(statement.order_by(*_SORTS[Sort.NAME]))]
    return [row for row in rows if chosen[row.registration_id] in ("", row.mark)]


def under_number(session: Session, event: Event, number: str) -> Sequence[Row]:
    """Who is registered under this number and has not cancelled; nobody under none."""
    if not number:
        return []
    statement = _rows.where(Attendee.event_id == event.id, LIVE, Attendee.phone_number == number)
    return [_row(row) for row in session.execute(statement.order_by(Attendee.id).limit(_NEAR))]


def named(session: Session, event: Event, folded: Collection[str]) -> Sequence[Row]:
    """The people of these names, as ``names.fold`` makes them, who have not cancelled."""
    statement = _rows.where(Attendee.event_id == event.id, LIVE, Attendee.name_folded.in_(folded))
    return [
        _row(row) for row in session.execute(statement.order_by(Attendee.name_folded, Attendee.id))
    ]


def names_of(
    session: Session,
    event: Event,
    *,
    people: Collection[int] = (),
    registrations: Collection[int] = (),
) -> list[str]:
    """The names of these attendees, and of everybody in these registrations; an id of another event
    is nobody's."""
    chosen = or_(Attendee.id.in_(people), Attendee.registration_id.in_(registrations))
    names = select(Attendee.name).where(Attendee.event_id == event.id, chosen)
    return list(session.scalars(names.order_by(*_SORTS[Sort.NAME])))


def of_registration(session: Session, registration_id: int) -> Sequence[Row]:
    """The people of one registration."""
    statement = _rows.where(Attendee.registration_id == registration_id).order_by(Attendee.place)
    return [_row(row) for row in session.execute(statement)]


def latest(session: Session, event: Event, most: int) -> Sequence[Row]:
    """Who registered last, newest first."""
    statement = _rows.where(Attendee.event_id == event.id, Attendee.place == 1)
    return [
        _row(row) for row in session.execute(statement.order_by(*_SORTS[Sort.TIME]).limit(most))
    ]


def counts(session: Session, event: Event) -> dict[Filter, int]:
    """How many people each filter shows, in one reading so that the numbers agree."""
    everybody = (
        select(
            func.count(Attendee.id),
            *(func.count().filter(condition) for condition in _FILTERS.values()),
        )
        .join(Registration, Registration.id == Attendee.registration_id)
        .outerjoin(CheckIn, STANDING)
        .where(Attendee.event_id == event.id)
    )
    numbers = session.execute(everybody).one()
    return dict(zip([Filter.ALL, *_FILTERS], numbers, strict=True))


def by_source(session: Session, event: Event) -> dict[str, int]:
    """How many of the people with a seat came by which way."""
    statement = (
        select(Registration.source, func.count(Attendee.id))
        .join(Attendee, Attendee.registration_id == Registration.id)
        .where(Attendee.event_id == event.id, _FILTERS[Filter.CONFIRMED])
        .group_by(Registration.source)
    )
    return dict(session.execute(statement).all())
