"""What a party may be: how many, how many under one number, and nobody twice."""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

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


def check_size(event: Event, party: Sequence[Name]) -> None:
    """A party is one to ``max_party`` different people."""
    if len(party) > event.max_party:
        raise FieldRefused("companion-1", "party_large", most=event.max_party)
    for place, name in enumerate(party):
        if name.folded in {earlier.folded for earlier in party[:place]}:
            raise FieldRefused(f"companion-{place}", "same_name_twice")


_number_queue = select(
    func.pg_advisory_xact_lock(bindparam("event"), func.hashtext(bindparam("phone")))
)


def queue_for_number(session: Session, event: Event, phone: Phone) -> None:
    """Whoever registers under the same number waits until we are done, so that counting its people
    means something. SQLite has but one writer."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_number_queue, {"event": event.id, "phone": phone.number})


def check_number(
    session: Session,
    event: Event,
    party: Sequence[Name],
    phone: Phone,
    besides: int = _NO_REGISTRATION,
    *,
    beyond: bool = False,
) -> None:
    """One person is registered once, and one number holds at most ``max_per_phone`` people."""
    where = {"event": event.id, "phone": phone.number, "besides": besides}
    same = session.execute(
        _same_person, {**where, "names": [name.folded for name in party]}
    ).scalar()
    under_number = session.execute(_under_number, where).scalar_one()
    judge_number(event, party, phone, same, under_number, beyond=beyond)


def judge_number(
    event: Event,
    party: Sequence[Name],
    phone: Phone,
    same: int | None,
    under_number: int,
    *,
    beyond: bool,
) -> None:
    """What is known of a number, judged: ``AlreadyRegistered`` for the registration ``same`` of one
    of these people, ``PhoneAtLimit`` where they would be too many under it: not where the desk goes
    ``beyond``, nor where there is no number."""
    if same is not None:
        raise AlreadyRegistered(same)
    limited = phone.number and not beyond
    if limited and under_number + len(party) > event.max_per_phone:
        raise PhoneAtLimit(event.max_per_phone)


def columns(name: Name) -> dict[str, str]:
    """A person's name as the columns of ``attendees``."""
    return {
        "name": name.typed,
        "name_folded": name.folded,
        "sort_key": name.sort_key,
        "search_key": name.search_key,
        "letter": name.letter,
    }
