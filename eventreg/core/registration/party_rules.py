"""Rules for a party: its size, the number of people under one phone number, no person twice."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.orm import Session

from eventreg.core.driver import Driver
from eventreg.core.errors import AlreadyRegistered, FieldRefused, PhoneAtLimit
from eventreg.core.models.event import Event
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee
from eventreg.core.values.names import Name
from eventreg.core.values.phones import Phone

_same_person = select(Attendee.registration_id).where(
    Attendee.event_id == bindparam("event"),
    Attendee.phone_number == bindparam("phone"),
    Attendee.name_folded.in_(bindparam("names", expanding=True)),
    Attendee.registration_id != bindparam("besides"),
    LIVE,
)
_under_number = (
    select(func.count())
    .select_from(Attendee)
    .where(
        Attendee.event_id == bindparam("event"),
        Attendee.phone_number == bindparam("phone"),
        Attendee.registration_id != bindparam("besides"),
        LIVE,
    )
)
_NO_REGISTRATION = 0


def check_size(event: Event, names: Sequence[Name]) -> None:
    """Refuse more than ``max_party`` people, or one name twice, with ``FieldRefused``."""
    if len(names) > event.max_party:
        raise FieldRefused("companion-1", "party_large", most=event.max_party)
    for place, name in enumerate(names):
        if name.folded in {earlier.folded for earlier in names[:place]}:
            raise FieldRefused(f"companion-{place}", "same_name_twice")


_number_queue = select(
    func.pg_advisory_xact_lock(bindparam("event"), func.hashtext(bindparam("phone")))
)


def queue_for_number(connection: Connection | Driver, event: Event, phone: Phone) -> None:
    """Make other transactions that register under this number wait until this one ends, so that the
    count of its people stays right. SQLite needs no queue: it has one writer at a time."""
    if connection.dialect.name == "postgresql":
        connection.execute(_number_queue, {"event": event.id, "phone": phone.number})


def check_number(
    session: Session,
    event: Event,
    names: Sequence[Name],
    phone: Phone,
    besides: int = _NO_REGISTRATION,
    *,
    beyond: bool = False,
) -> None:
    """Read what ``judge_number`` needs and apply it: refuse a person who is registered already, and
    more than ``max_per_phone`` people under one number. The people of the registration ``besides``
    are not counted."""
    parameters = {"event": event.id, "phone": phone.number, "besides": besides}
    folded = [name.folded for name in names]
    same = session.execute(_same_person, {**parameters, "names": folded}).scalar()
    under_number = session.execute(_under_number, parameters).scalar_one()
    judge_number(event, names, phone, same, under_number, beyond=beyond)


def judge_number(
    event: Event,
    names: Sequence[Name],
    phone: Phone,
    same: int | None,
    under_number: int,
    *,
    beyond: bool,
) -> None:
    """Apply the rules for one number to what the database holds.

    Refuses with ``AlreadyRegistered`` if ``same`` is the registration of one of these people, and
    with ``PhoneAtLimit`` if they are too many together with the ``under_number`` people before
    them. The limit does not apply without a number, nor if the desk goes ``beyond`` it on purpose.
    """
    if same is not None:
        raise AlreadyRegistered(same)
    limited = phone.number and not beyond
    if limited and under_number + len(names) > event.max_per_phone:
        raise PhoneAtLimit(event.max_per_phone)


def columns(name: Name) -> dict[str, str]:
    """The columns of ``attendees`` that hold a name."""
    return {
        "name": name.typed,
        "name_folded": name.folded,
        "sort_key": name.sort_key,
        "search_key": name.search_key,
        "letter": name.letter,
    }
