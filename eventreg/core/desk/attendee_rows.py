"""Attendees as rows of the lists: one statement that reads everything that a list shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, SQLColumnExpression, case, func, select
from sqlalchemy.orm import Session

from eventreg.core.door.gifts import HANDED
from eventreg.core.models.attendance import CheckIn, Gift
from eventreg.core.models.people import CANCELLED
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import identity
from eventreg.core.registration.arrivals import STANDING
from eventreg.core.values.names import reading_shown


@dataclass(frozen=True)
class Row:
    """An attendee, as the lists show it."""

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
    registration_state: str
    created_at: datetime
    cancelled_at: datetime | None
    released_at: datetime | None
    """When the seat was given away because the person had not come."""
    check_in_id: int | None
    arrived_at: datetime | None
    late: bool | None
    contact: str | None
    wishes: str
    name_unsure: bool
    gift_id: int | None
    gift_at: datetime | None
    public_id: str
    """Identifies the attendee in forms."""
    mark: str
    """Identifies the registration in forms, together with its id."""

    @property
    def is_live(self) -> bool:
        """Whether the seat or waiting place was not given back."""
        return self.cancelled_at is None

    @property
    def state(self) -> str:
        """The state of the registration, or cancelled if only this attendee was cancelled."""
        return self.registration_state if self.is_live else RegistrationState.CANCELLED.value

    @property
    def reading(self) -> str:
        """The pinyin of a Chinese name; empty for other names."""
        return reading_shown(self.name, self.sort_key)


class Exported(NamedTuple):
    """An attendee, as an export has it. Narrow, as there may be very many."""

    name: str
    sort_key: str
    phone_number: str
    contact: str | None
    code: str | None
    registration_id: int
    place: int
    source: str
    state: str
    """The state of the registration, or cancelled if only this attendee was cancelled."""
    wishes: str
    created_at: datetime
    arrived_at: datetime | None
    gift_at: datetime | None


_COLUMNS: Mapping[str, SQLColumnExpression[Any]] = {
    "attendee_id": Attendee.id,
    "registration_id": Attendee.registration_id,
    "name": Attendee.name,
    "sort_key": Attendee.sort_key,
    "letter": Attendee.letter,
    "phone_number": Registration.phone_number,
    "phone_tail": Attendee.phone_tail,
    "code": Attendee.code,
    "place": Attendee.place,
    "source": Registration.source,
    "registration_state": Registration.state,
    "created_at": Registration.created_at,
    "cancelled_at": Attendee.cancelled_at,
    "released_at": Attendee.released_at,
    "check_in_id": CheckIn.id,
    "arrived_at": CheckIn.arrived_at,
    "late": CheckIn.late,
    "contact": Registration.contact,
    "wishes": Registration.wishes,
    "name_unsure": Registration.name_unsure,
    "gift_id": Gift.id,
    "gift_at": Gift.given_at,
    "public_id": Attendee.public_id,
    "mark": func.substr(Registration.ticket_digest, 1, identity.MARK),
    "state": case((CANCELLED, RegistrationState.CANCELLED.value), else_=Registration.state),
}
"""The column of each field of ``Row`` and of ``Exported``."""
attendees_in_full: Select[*tuple[Any, ...]] = (
    select(*(_COLUMNS[field.name] for field in fields(Row)))
    .join(Registration, Registration.id == Attendee.registration_id)
    .outerjoin(CheckIn, STANDING)
    .outerjoin(Gift, HANDED)
)


def rows_of(session: Session, statement: Select[*tuple[Any, ...]]) -> list[Row]:
    """The rows that a statement on ``attendees`` selects."""
    return [Row(*values) for values in session.execute(statement)]


def exported(
    session: Session, statement: Select[*tuple[Any, ...]], at_once: int = 500
) -> Iterator[Exported]:
    """The same for an export: row by row, with no more than ``at_once`` in memory."""
    narrow = statement.with_only_columns(
        *(_COLUMNS[name] for name in Exported._fields), maintain_column_froms=True
    )
    # On the connection: the session would spend as much time again on each row.
    for values in session.connection().execute(narrow.execution_options(yield_per=at_once)):
        yield Exported._make(values)
