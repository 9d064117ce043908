"""The check-in list on paper: sides of 25 rows that are each a queue of their own, and a blank side for walk-ins."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from eventreg.core.attendees import Row

ROWS_PER_SIDE = 25
BLANK_ROWS = 20


@dataclass(frozen=True)
class Line:
    """One printed row. ``letter`` stands only where its group begins; ``with_numbers`` are the rows of the same party."""

    number: int
    letter: str
    name: str
    code: str
    tail: str
    with_numbers: tuple[int, ...]


@dataclass(frozen=True)
class Side:
    """One side of A4, of ``sides``; ``letters`` is the range of its queue, empty where nobody is on it."""

    number: int
    sides: int
    letters: str
    lines: tuple[Line, ...]


def _letters(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    first, last = rows[0].letter, rows[-1].letter
    return first if first == last else f"{first} – {last}"


def sides(rows: Sequence[Row]) -> list[Side]:
    """The sides with names, in the order of ``rows``; nobody at all is one empty side. The blank side is not counted in."""
    parties: dict[int, list[int]] = defaultdict(list)
    for number, row in enumerate(rows, start=1):
        parties[row.registration_id].append(number)
    chunks = [rows[start : start + ROWS_PER_SIDE] for start in range(0, len(rows), ROWS_PER_SIDE)] or [rows]
    made = []
    for place, chunk in enumerate(chunks):
        lines = tuple(
            Line(
                number,
                row.letter if index == 0 or chunk[index - 1].letter != row.letter else "",
                row.name,
                row.code or "",
                row.phone_tail,
                tuple(other for other in parties[row.registration_id] if other != number),
            )
            for index, (number, row) in enumerate(enumerate(chunk, start=1 + place * ROWS_PER_SIDE))
        )
        made.append(Side(place + 1, len(chunks) + 1, _letters(chunk), lines))
    return made
