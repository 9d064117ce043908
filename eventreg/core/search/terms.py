"""Turn what was typed into a search into conditions on attendees: a name, its reading, a code, a
number or its end.

The door sees masked numbers, so there digits must be a code, the last four or a whole number.
"""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, case, literal, or_

from eventreg.core.errors import FieldRefused
from eventreg.core.models.registration import Attendee
from eventreg.core.values import phones, search_keys
from eventreg.core.values.names import fold, has_han

_LONGEST = 100
_MOST_WORDS = 8
_BETWEEN_DIGITS = "+-()./· "
_SEPARATORS_TO_SPACES = str.maketrans(dict.fromkeys(_BETWEEN_DIGITS, " "))
_WHOLE = 7
"""From this many digits on, they are a whole number and not the end of one."""
_LONGEST_SURNAME = len("shangguan") + 1
_LABEL = re.compile(r"尾号(?=\s*\d)")
"""What our own pages write before the last four digits."""
_RUNS = re.compile(r"\d+|[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[^\d\u3400-\u9fff]+")
_LIKE_SIGNS = re.compile(r"([\\%_])")


@dataclass(frozen=True)
class Term:
    """A condition that an attendee must meet, and how well one who meets it fits: 0 is best."""

    where: ColumnElement[bool]
    rank: ColumnElement[int]

    @property
    def best_first(self) -> tuple[SQLColumnExpression[Any], ...]:
        """The order in which those who fit best come first, and of these the first by name."""
        return (self.rank, Attendee.sort_key, Attendee.id)


def visible(query: str) -> str:
    """The query folded for comparing, without control characters."""
    shown = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in query[:_LONGEST])
    pieces = _LABEL.sub(" ", shown).split()
    return " ".join(fold(piece) for piece in pieces)[:_LONGEST]  # one may fold to four words


def _is_number(folded: str) -> bool:
    """Whether it looks like a number, such as +86 138-0013-8000 or (020) 8765 4321."""
    has_digits = any(c.isdigit() for c in folded)
    return has_digits and all(c.isdigit() or c in _BETWEEN_DIGITS for c in folded)


def words(query: str) -> list[str]:
    """The words of a search as keys have them. Digits, Chinese characters and letters that were
    typed together are words of their own."""
    folded = visible(query)
    if _is_number(folded):
        return folded.translate(_SEPARATORS_TO_SPACES).split()[:_MOST_WORDS]
    runs = [run for piece in folded.split() for run in _RUNS.findall(search_keys.plain(piece))]
    return runs[:_MOST_WORDS]


def whole_number(query: str, area_code: str | None) -> str | None:
    """The number as it is stored, if it was typed in full; ``None`` for a part of a number, and for
    other texts."""
    folded = visible(query)
    if not _is_number(folded):
        return None
    for typed in (folded, f"+{''.join(c for c in folded if c.isdigit())}"):
        with suppress(FieldRefused):
            return phones.parse(typed, area_code).number
    return None


def _like(pattern: str, word: str) -> ColumnElement[bool]:
    """Whether the keys of a person look like this, with ``@`` for the word. What was typed is
    literal."""
    literally = _LIKE_SIGNS.sub(r"\\\1", word)
    return Attendee.search_key.like(pattern.replace("@", literally), escape="\\")


def _surname_is(spoken: str) -> ColumnElement[bool]:
    """Whether the surname is read so. Can use the index of names: from "wang " to "wang!", as "!"
    follows the space."""
    return and_(Attendee.sort_key >= f"{spoken} ", Attendee.sort_key < f"{spoken}!")


def _reading_begins(letter: str) -> ColumnElement[bool]:
    """Whether the reading begins with this letter. Can use the index of names, too."""
    return and_(Attendee.sort_key >= letter, Attendee.sort_key < f"{letter}~")


def mixed(word: str) -> Term | None:
    """Find letters of which the first are the surname or its first letter, and the others begin
    the given name or are its initials: ``wangjg``, ``wjianguo``."""
    if not word.isascii() or not word.isalpha() or len(word) < 3:
        return None
    ways = [
        and_(
            _reading_begins(word[0]),
            or_(_surname_is(word[:place]), literal(place < 3)),
            _like("%\n% @%", word[place:]),
        )
        for place in range(1, min(len(word), _LONGEST_SURNAME))
    ]
    return Term(or_(*ways), literal(0))


def named(word: str) -> Term:
    """Find by name: letters are the beginning of a key, Chinese characters stand anywhere in the
    name. Whole keys come before beginnings, and those of the whole name before those of parts."""
    # x, j, q and y are never followed by u, only by ü, which is written u there.
    key = re.sub("(?<=[jqxy])v", "u", word.replace("ü", "v"))
    if len(key) == 1 and key.isascii():  # begins very many keys, and is none of them
        rank = case((_reading_begins(key), 0), else_=1)
    else:
        rank = case(
            (or_(_surname_is(key), _like("% @ %\n%", key)), 0),
            (_like("% @ %", key), 1),
            (_like("% @%\n%", key), 2),
            (_like("% @%", key), 3),
            else_=4,
        )
    return Term(_like("%@%" if has_han(key) else "% @%", key), rank)


def _digits(word: str) -> Term:
    """Find by digits: a code or its beginning, a number or its end.

    Four digits or more can use the indexes on the last four digits and on the code.
    """
    number = Attendee.phone_number.endswith(word, autoescape=True)
    if len(word) >= 4:
        end = word if len(word) < _WHOLE else word.lstrip("0")  # zeros in front are for dialling
        ends_so = Attendee.phone_number.endswith(end, autoescape=True)
        found = or_(and_(Attendee.phone_tail == word[-4:], ends_so), Attendee.code == word)
    else:
        found = or_(Attendee.code.startswith(word, autoescape=True), number, _like("%@%", word))
    exact = or_(Attendee.code == word, Attendee.phone_tail == word)
    return Term(found, case((exact, 0), else_=1))


def _digits_at_door(word: str, area_code: str | None) -> Term:
    """Find only by the last four digits, a whole code or a whole number, so that a masked number
    cannot be guessed digit by digit."""
    if len(word) < 4:
        return Term(_like("%@%", word), literal(1))
    number = whole_number(word, area_code)
    exact = [Attendee.phone_tail == word, Attendee.code == word]
    whole = [Attendee.phone_number == number] if number else []
    return Term(or_(*exact, *whole), literal(0))


def term(query: str, area_code: str | None, *, at_door: bool) -> Term | None:
    """What an attendee must meet to be found; ``None`` for a search without a word."""
    number = whole_number(query, area_code) if at_door else None
    if number:
        code = "".join(c for c in query if c.isdigit())
        return Term(or_(Attendee.phone_number == number, Attendee.code == code), literal(0))

    def of(word: str) -> Term:
        if not word.isdigit():
            return named(word)
        return _digits_at_door(word, area_code) if at_door else _digits(word)

    typed = words(query)
    each = [of(word) for word in typed]
    if len(each) < 2:
        return each[0] if each else None
    all_of_them = Term(and_(*(one.where for one in each)), _sum(each))
    if any(word.isdigit() and len(word) >= 4 for word in typed) and not _is_number(visible(query)):
        return all_of_them  # a name and a number: the index of the number finds them
    # "zhang gui fang" may be one reading and "138 0013 8000" one number.
    joined = of("".join(typed))
    rank = case((joined.where, joined.rank), else_=all_of_them.rank + 5)
    return Term(or_(joined.where, all_of_them.where), rank)


def _sum(each: list[Term]) -> ColumnElement[int]:
    total = each[0].rank
    for one in each[1:]:
        total = total + one.rank
    return total
