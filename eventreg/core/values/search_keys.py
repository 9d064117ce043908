"""The keys by which a person is found: the name, how it is read, and how its parts are read.

All keys of a person are one text of two lines, with a space before and after each key. The first
line has the keys of the whole name, the second those of a part of it and of other readings. A
search compares the beginnings of keys, so it looks for a space and what was typed. It reads the
keys of everybody, so each letter less counts.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from eventreg.core.values import readings
from eventreg.core.values.normal_form import normalize
from eventreg.core.values.traditional import simplified

_LONGEST_KEY = 100
_LONGEST_LINE = 250
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_BETWEEN_PARTS = re.compile(r"[\s·'’‘ʼ.,\-‐‑–]+")


def plain(text: str) -> str:
    """A folded text as keys have it: in simplified characters, without accents, and without what
    stands between the parts of a name."""
    bare = "".join(c for c in normalize("NFD", text) if not unicodedata.combining(c))
    return _BETWEEN_PARTS.sub("", simplified(normalize("NFC", bare)))


def of(folded: str, reading: str) -> str:
    """The keys of a name, from its folded form and from its reading as ``sort_key`` holds it:
    ``ouyang xiu ying``."""
    if _HAN.match(folded):
        first, second = _of_chinese(plain(folded), reading)
    else:
        first, second = _of_other(folded)
        second.append("".join(map(plain, reading.split())))
    seen: set[str] = set()
    return "\n".join(_line(keys, seen) for keys in (first, second))


def _line(keys: Iterable[str], seen: set[str]) -> str:
    line = " "
    for key in keys:
        short = key[:_LONGEST_KEY]
        if short and short not in seen and len(line) + len(short) < _LONGEST_LINE:
            seen.add(short)
            line += f"{short} "
    return line


def _of_other(folded: str) -> tuple[list[str], list[str]]:
    """The keys of a name in another script: all words as one, their initials, and each word."""
    words = [one for one in map(plain, re.split(r"[\s·]+", folded)) if one]
    parts = [one for one in map(plain, _BETWEEN_PARTS.split(folded)) if one]
    whole = ["".join(words), "".join(word[0] for word in words)]
    turned = [*words[-1:], *words[:-1]]
    return whole, [*words, *parts, "".join(turned)]


def _of_chinese(simple: str, reading: str) -> tuple[list[str], list[str]]:
    """The keys of a Chinese name: first those of the whole, then those of the given name alone and
    of other readings."""
    surname, given = _split(simple, reading)
    whole = [simple, *_spelled(surname + given), _initials(surname + given)]
    if len(surname) > 1:
        whole.append(surname[0][:1] + _initials(given))
    parts = [*_spelled(given), _initials(given)]
    for other in readings.other_surnames(simple):
        parts += [*_spelled(other + given), _initials(other + given)]
    for place, c in enumerate(simple[len(surname) :]):
        if c in readings.OTHER_IN_GIVEN_NAMES and place < len(given):
            named = [*given[:place], readings.OTHER_IN_GIVEN_NAMES[c], *given[place + 1 :]]
            parts += ["".join(surname + named), "".join(named), _initials(surname + named)]
    return whole, parts


def _split(simple: str, reading: str) -> tuple[list[str], list[str]]:
    """The syllables of the surname and of the given name. Staff may have typed the reading, and
    not a space after each syllable."""
    spoken = [one for one in map(plain, reading.split()) if one]
    compound = readings.is_compound(simple)
    surname, given = spoken[:1], spoken[1:]
    if compound:
        known = readings.COMPOUND_SURNAMES[simple[:2]].split()
        if surname == ["".join(known)]:
            surname = known
        elif len(spoken) == len(simple):
            surname, given = spoken[:2], spoken[2:]
    by_character = readings.of_given_name(simple[2 if compound else 1 :])
    return surname, by_character if "".join(by_character) == "".join(given) else given


def _spelled(syllables: Sequence[str]) -> list[str]:
    """The syllables as one word. ü is typed as v, as u, or as yu (in passports)."""
    word = "".join(syllables)
    return [word, *(word.replace("v", other) for other in ("u", "yu") if "v" in word)]


def _initials(syllables: Sequence[str]) -> str:
    return "".join(syllable[:1] for syllable in syllables)
