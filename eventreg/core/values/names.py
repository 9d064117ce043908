"""Check people's names in any script, and compute the keys for comparing, sorting and searching
them."""

import re
import unicodedata
from dataclasses import dataclass

import regex

from eventreg.core.errors import FieldRefused
from eventreg.core.values import readings, search_keys
from eventreg.core.values.normal_form import normalize

LONGEST = 40
"""In graphemes: what a reader counts as one character."""
MOST_CODE_POINTS = 200

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_DOTS = str.maketrans(dict.fromkeys("•・‧∙⋅･", "·"))
# Embeddings, overrides and isolates change the direction of the text around them. No name has one.
_DIRECTION_CONTROLS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINERS = set("\u200c\u200d")


@dataclass(frozen=True)
class Name:
    """One person's name. ``typed`` is what pages show.

    ``folded`` is equal for two spellings of one name. ``sort_key`` sorts by the reading, surname
    first. ``search_key`` holds the keys by which the person is found. ``letter`` is the heading on
    the check-in list, ``#`` if the reading does not begin with a Latin letter.
    """

    typed: str
    folded: str
    sort_key: str
    search_key: str
    letter: str


def _is_noncharacter(c: str) -> bool:
    return ord(c) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(c) <= 0xFDEF or c == "\ufffd"


def _is_refused(c: str) -> bool:
    """Whether the character breaks a line, a page or a terminal."""
    return (
        unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}
        or c in _DIRECTION_CONTROLS
        or _is_noncharacter(c)
    )


def _visible(typed: str) -> str:
    """Remove invisible characters. Joiners inside a word stay, because they change its
    letters."""
    kept = "".join(c for c in typed if c in _JOINERS or unicodedata.category(c) != "Cf")
    kept = " ".join(kept.split())
    return re.sub(r"(?<!\w)[\u200c\u200d]+|[\u200c\u200d]+(?!\w)", "", kept).strip()


def has_han(text: str) -> bool:
    """Whether the text has a Chinese character."""
    return _HAN.search(text) is not None


def fold(typed: str) -> str:
    """The form for comparing: without differences of width, case, dots and spaces. Single spaces
    stay in a text without Chinese characters."""
    folded = normalize("NFKC", normalize("NFKC", typed).casefold()).translate(_DOTS)
    folded = re.sub(r"\s*·\s*", "·", " ".join(folded.split()))
    # Without its space, an accent may join the letter before it: folding again changes nothing.
    return normalize("NFKC", folded.replace(" ", "")) if has_han(folded) else folded


def _plain(letters: str) -> str:
    """Remove accents from Latin letters, for keyboards without them."""
    return "".join(c for c in normalize("NFD", letters) if not unicodedata.combining(c))


def _reading(folded: str) -> str:
    """The reading for ``sort_key``: syllables or words, surname first."""
    if not _HAN.match(folded):
        return " ".join(_plain(folded).split())
    surname, given = readings.syllables(folded)
    return " ".join([surname, *given])


def sounding_like(typed: str) -> list[tuple[str, str]]:
    """Readings that may have been heard as ``typed``, as pairs of surname and given name, without
    spaces. For a name in Chinese characters, its own reading is among them."""
    folded = fold(typed)
    if _HAN.match(folded):
        surname, given = readings.syllables(folded)
        return [
            (other, "".join(given)) for other in readings.SOUNDING_ALIKE.get(surname, (surname,))
        ]
    letters = _plain(folded).replace(" ", "")
    heard = max(
        (one for one in readings.SOUNDING_ALIKE if letters.startswith(one)), key=len, default=""
    )
    return [
        (other, letters[len(heard) :])
        for other in readings.SOUNDING_ALIKE.get(heard, ())
        if other != heard
    ]


def reading_of(sort_key: str) -> str:
    """The reading in the stored sort key of a Chinese name: ``zeng gui fang``. Not for other names,
    whose folded form may have spaces."""
    return sort_key.rpartition(" ")[0]


def _spoken(typed: str) -> str:
    """The letters of a reading, in words."""
    plain = _plain(typed.casefold().replace("ü", "v"))
    return " ".join("".join(c if c.isalpha() else " " for c in plain).split())


def with_reading(name: Name, typed: str, field: str = "pinyin") -> Name:
    """The name with another reading, as staff typed it, surname first: ``zeng guifang``.

    Returns the name unchanged if it is not Chinese, or if the reading is empty or the one that the
    name already has. Raises ``FieldRefused`` for ``field`` if it is not in Latin letters.
    """
    spoken, known = _spoken(typed), _spoken(reading_of(name.sort_key))
    unchanged = spoken.replace(" ", "") == known.replace(" ", "")
    if not has_han(name.typed) or not typed.strip() or unchanged:
        return name
    if not spoken or not spoken.isascii():
        raise FieldRefused(field, "pinyin_letters")
    syllables = spoken.split()[:10]
    reading = " ".join(syllables)[:100]
    keys = search_keys.of(name.folded, reading)
    return Name(name.typed, name.folded, f"{reading} {name.folded}", keys, reading[0].upper())


def parse(typed: str, field: str = "name") -> Name:
    """The name in ``typed``: 1 to 40 graphemes in any script, without invisible characters.

    Raises ``FieldRefused`` for ``field`` if the name is empty, too long, or without a letter, or if
    it has a character that would break a line, a page or a terminal.
    """
    if any(_is_refused(c) for c in typed.strip("\r\n\t")):
        raise FieldRefused(field, "name_characters")
    shown = _visible(typed)
    if not shown:
        raise FieldRefused(field, "name_missing")
    if len(shown) > MOST_CODE_POINTS or len(regex.findall(r"\X", shown)) > LONGEST:
        raise FieldRefused(field, "name_long", longest=LONGEST)
    folded = fold(shown)
    if all(c.isdigit() or c.isspace() for c in folded):
        raise FieldRefused(field, "name_digits")
    if not any(unicodedata.category(c).startswith("L") for c in shown):
        raise FieldRefused(field, "name_letters")
    reading = _reading(folded)
    keys, letter = search_keys.of(folded, reading), reading[:1].upper()
    return Name(shown, folded, f"{reading} {folded}", keys, letter if "A" <= letter <= "Z" else "#")


def parse_or_none(typed: str, field: str = "name") -> Name | None:
    """The name in ``typed``, or ``None`` if nothing was typed. Refuses as ``parse`` does."""
    return parse(typed, field) if typed.strip() else None
