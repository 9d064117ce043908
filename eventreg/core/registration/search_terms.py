"""Turn a search into conditions on attendees: a name, its reading, a code, a number or its end.

The door sees masked numbers, so there digits must be a code, the last four or a whole number.
"""

import unicodedata
from contextlib import suppress

from sqlalchemy import ColumnElement, and_, or_

from eventreg.core.errors import FieldRefused
from eventreg.core.models.registration import Attendee, Registration
from eventreg.core.values import phones
from eventreg.core.values.names import fold

_LONGEST = 100
_BETWEEN_DIGITS = "+-()./· "
_SEPARATORS_TO_SPACES = str.maketrans(dict.fromkeys(_BETWEEN_DIGITS, " "))
_WHOLE = 7
"""From this many digits on, they are a whole number and not the end of one."""


def _visible(query: str) -> str:
    shown = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in query[:_LONGEST])
    return fold(shown)[:_LONGEST]  # one character may fold to four words


def _is_number(folded: str) -> bool:
    """Whether it looks like a number, such as +86 138-0013-8000 or (020) 8765 4321."""
    has_digits = any(c.isdigit() for c in folded)
    return has_digits and all(c.isdigit() or c in _BETWEEN_DIGITS for c in folded)


def words(query: str) -> list[str]:
    """The words of a search, folded for comparing and without control characters."""
    folded = _visible(query)
    return (folded.translate(_SEPARATORS_TO_SPACES) if _is_number(folded) else folded).split()


def whole_number(query: str, area_code: str | None) -> str | None:
    """The number as it is stored, if it was typed in full; ``None`` for a part of a number, and for
    other texts."""
    folded = _visible(query).strip()
    if not _is_number(folded):
        return None
    for typed in (folded, f"+{''.join(c for c in folded if c.isdigit())}"):
        with suppress(FieldRefused):
            return phones.parse(typed, area_code).number
    return None


def _matches(word: str) -> ColumnElement[bool]:
    """Four digits or more match a whole code or the end of a number; fewer digits match the
    beginning of a code, the end of a number, or a name. Letters match a name, its reading or
    initials.

    Everything typed is literal. Four digits or more can use the indexes on the last four digits and
    on the code.
    """
    if word.isdigit() and len(word) >= 4:
        end = word if len(word) < _WHOLE else word.lstrip("0")  # zeros in front are for dialling
        ends_so = Attendee.phone_number.endswith(end, autoescape=True)
        return or_(and_(Attendee.phone_tail == word[-4:], ends_so), Attendee.code == word)
    if word.isdigit():
        number = Registration.phone_number.endswith(word, autoescape=True)
        coded = Attendee.code.startswith(word, autoescape=True)
        return or_(coded, number, Attendee.name_folded.contains(word))
    key = word.replace("ü", "v")
    named = Attendee.name_folded.contains(word, autoescape=True)
    begins = (
        Attendee.search_key.startswith(key, autoescape=True),
        Attendee.search_key.contains(f" {key}", autoescape=True),
    )
    # Whether the reading contains the key is quick to test and false for most people, so it comes
    # first.
    return or_(named, and_(Attendee.search_key.contains(key, autoescape=True), or_(*begins)))


def _matches_at_door(word: str, area_code: str | None) -> ColumnElement[bool]:
    """Digits match only the last four digits, a whole code or a whole number, so that a masked
    number cannot be guessed digit by digit. Fewer than four digits match only names."""
    if not word.isdigit():
        return _matches(word)
    if len(word) < 4:
        return Attendee.name_folded.contains(word, autoescape=True)
    number = whole_number(word, area_code)
    exact = [Attendee.phone_tail == word, Attendee.code == word]
    return or_(*exact, *([Attendee.phone_number == number] if number else []))


def conditions(
    query: str, area_code: str | None = None, *, at_door: bool = False
) -> list[ColumnElement[bool]]:
    """The conditions that an attendee must all meet to be found; none for an empty search."""
    number = whole_number(query, area_code) if at_door else None
    if number:
        code = "".join(c for c in query if c.isdigit())
        return [or_(Attendee.phone_number == number, Attendee.code == code)]

    def matches(word: str) -> ColumnElement[bool]:
        return _matches_at_door(word, area_code) if at_door else _matches(word)

    typed = words(query)
    # "zhang gui fang" may be one reading and "138 0013 8000" one number; otherwise each word must
    # be found.
    if len(typed) > 1:
        return [or_(matches("".join(typed)), and_(*map(matches, typed)))]
    return [matches(word) for word in typed]
