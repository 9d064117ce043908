"""What undoing a cancellation offers, and who has which code."""

from eventreg.core.models.registration import Attendee, Registration
from eventreg.core.undo import cancelled
from eventreg.core.undo.cancelled import Offer
from eventreg.storage.session import reading
from tests.core.registration.parties import fresh
from tests.support.factories import House


def codes(made: Registration) -> list[str | None]:
    """The check-in codes of a party, also of those who cancelled."""
    people = reading().query(Attendee).filter_by(registration_id=made.id).order_by(Attendee.place)
    return [person.code for person in people]


def person(made: Registration, place: int) -> int:
    """The row number of one person of a party."""
    people = reading().query(Attendee).filter_by(registration_id=made.id, place=place)
    return int(people.one().id)


def offered(house: House, made: Registration) -> Offer | None:
    """What a page would offer about the party's cancellation."""
    found = cancelled.recent(reading(), fresh(made), now=house.now)
    if found is None:
        return None
    return cancelled.offer(reading(), house.event(), fresh(made), found, now=house.now)
