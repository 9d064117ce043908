"""What may be meant by a search, from what fits best to one wrong letter.

Whoever searches takes the first of these that finds somebody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import literal, or_
from sqlalchemy.orm import Session

from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee
from eventreg.core.search import one_letter, terms
from eventreg.core.search.terms import Term
from eventreg.core.values import readings
from eventreg.core.values.names import has_han


class How(StrEnum):
    """How those who were found fit what was typed."""

    FITS = "fits"
    SOUNDS_LIKE = "sounds-like"
    ONE_LETTER_OFF = "one-letter-off"


@dataclass(frozen=True)
class Tier:
    """One way to understand a search."""

    how: How
    term: Term


def of(
    session: Session, event: Event, query: str, area_code: str | None, *, at_door: bool
) -> Iterator[Tier]:
    """The ways to understand a search, the best first. Each is made only if it is asked for."""
    fits = terms.term(query, area_code, at_door=at_door)
    if fits is not None:
        yield Tier(How.FITS, fits)
    typed, folded = terms.words(query), terms.visible(query)
    if folded and not any(word.isdigit() for word in typed):
        if mixed := terms.mixed("".join(typed)):
            yield Tier(How.FITS, mixed)
        inside = Attendee.name_folded.contains(folded, autoescape=True)
        yield Tier(How.FITS, Term(inside, literal(0)))
        yield from _guessed(session, event, "".join(typed))


def _guessed(session: Session, event: Event, word: str) -> Iterator[Tier]:
    """Names that are read as the word, or that have one wrong letter."""
    spoken = _spoken(word) if has_han(word) else []
    if spoken:
        read = [terms.named(one) for one in spoken]
        yield Tier(How.SOUNDS_LIKE, Term(or_(*(one.where for one in read)), read[0].rank))
    for one in [word, *spoken]:
        if found := one_letter.people(session, event, one):
            yield Tier(How.ONE_LETTER_OFF, Term(Attendee.id.in_(found), literal(0)))


def _spoken(word: str) -> list[str]:
    """How Chinese characters are read, as a name with a surname and as a given name."""
    surname, given = readings.syllables(word)
    both = [surname + "".join(given), "".join(readings.of_given_name(word))]
    return list(dict.fromkeys(both))
