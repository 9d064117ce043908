"""Check-in codes: four digits that a person says at the door, or more if the event is large.

A code is random digits and a check digit by the method of H. Michael Damm (2004). Any two codes of
one length differ in at least two digits, and swapping neighbouring digits never makes another code,
so one typing mistake never checks in somebody else. A code has no leading 0, no 4 (it sounds like
death), no 250 (slang for a fool) and is not one digit repeated.

A code belongs to one person of the event for good, also after the person cancelled: an old
screenshot must never be somebody else's ticket (docs/adr/0014-codes-are-never-given-twice.md). If
the codes of one length run out, the next ones are longer.
"""

import random

from sqlalchemy import Connection, bindparam, exists, select
from sqlalchemy.orm import Session

from eventreg.core.driver import Driver
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee

_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
_SIZES = {4: 581, 5: 5_226, 6: 46_971, 7: 422_166}
"""The number of codes of each length; a test counts the first three."""
_TRIES = 40
"""Codes drawn of one length before a longer one is used."""
_chance = random.SystemRandom()

_clashes = select(
    exists().where(
        Attendee.event_id == bindparam("event"),
        Attendee.code == bindparam("code"),
    )
    | exists().where(
        Attendee.event_id == bindparam("event"), Attendee.phone_tail == bindparam("code")
    )
)


def check_digit(digits: str) -> str:
    """The check digit to append to ``digits``."""
    state = 0
    for digit in digits:
        state = _DAMM[state][int(digit)]
    return str(state)


def is_code(code: str) -> bool:
    """Whether this text has the form of a check-in code."""
    return (
        code.isascii()
        and code.isdigit()
        and code[0] != "0"
        and "4" not in code
        and "250" not in code
        and len(set(code)) > 1
        and check_digit(code[:-1]) == code[-1]
    )


def length_for(people: int) -> int:
    """The shortest length that has at least twice as many codes as there are people, at most 7."""
    return next((length for length, size in _SIZES.items() if size >= 2 * people), max(_SIZES))


def usual_length(event: Event) -> int:
    """How many digits the codes of an event have, unless far more people come than planned."""
    return length_for(events.definition(event).capacity + event.waitlist_size)


def _random_code(length: int) -> str:
    while True:
        start = str(_chance.randrange(10 ** (length - 2), 10 ** (length - 1)))
        code = start + check_digit(start)
        if is_code(code):
            return code


def draw(connection: Connection | Driver, event: Event, capacity: int, own_tail: str) -> str:
    """Draw a code that nobody at the event has or ever had, and that is not the last digits of any
    phone number at the event, nor of the person's own (``own_tail``). ``capacity`` and the waiting
    list decide how long it is."""
    length = length_for(capacity + event.waitlist_size)
    while True:
        for _ in range(_TRIES):
            code = _random_code(length)
            if (
                code != own_tail
                and not connection.execute(_clashes, {"event": event.id, "code": code}).scalar_one()
            ):
                return code
        length += 1  # with far more people than planned, a longer code is better than none


def give_again(session: Session, event: Event, capacity: int, person: Attendee) -> None:
    """Give a person who gets a seat again the code from before; another one if the person never
    had one, or if somebody got it before codes were kept for good."""
    same = select(Attendee.id).where(
        Attendee.event_id == event.id, Attendee.code == person.code, Attendee.id != person.id
    )
    if person.code is None or session.scalar(same.limit(1)) is not None:
        person.code = draw(session.connection(), event, capacity, person.phone_tail)
