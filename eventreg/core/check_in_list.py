"""The check-in list on paper: sides of 25 rows that are each a queue of their own, and a blank side for walk-ins."""

import csv
import io
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from eventreg.core import wishes
from eventreg.core.attendees import Row
from eventreg.core.names import COMPOUND_SURNAMES, has_han
from eventreg.core.wishes import Wish

ROWS_PER_SIDE = 25
BLANK_ROWS = 20
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""A cell that begins so would be a formula (or hide our mark): it gets a ' in front, which can be taken off again."""


@dataclass(frozen=True)
class Line:
    """One printed row. ``letter`` stands only where its group begins; ``with_numbers`` are the rows of the same party."""

    number: int
    letter: str
    name: str
    code: str
    tail: str
    with_numbers: tuple[int, ...]
    marks: str = ""
    """轮 a place for a wheelchair, 前 in front, ? the name is to be asked again."""


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


@dataclass(frozen=True)
class Queue:
    """One queue at the door: its range of letters, the surnames that stand in it, and how many people."""

    number: int
    letters: str
    surnames: tuple[str, ...]
    people: int


_MARKS = {Wish.WHEELCHAIR: "轮", Wish.FRONT: "前"}


def marks(row: Row) -> str:
    """What the door must know of a person besides the name."""
    wished = wishes.split(row.wishes)
    return "".join([mark for wish, mark in _MARKS.items() if wish in wished] + ["？" if row.name_unsure else ""])


def _surname(row: Row) -> str:
    """What a guest looks for on the sign of a queue: 欧阳, 陈; the first letter of a Latin name."""
    if not has_han(row.name):
        return row.letter
    return row.name[:2] if row.name[:2] in COMPOUND_SURNAMES and len(row.name) > 2 else row.name[0]


def queues(rows: Sequence[Row]) -> list[Queue]:
    """Two queues of equal length, or one where 25 people or fewer come. A surname stands in one queue only, so that nobody
    has to look at both signs: the cut is the border between two surnames that is nearest to the middle."""
    surnames = [_surname(row) for row in rows]
    borders = [place for place in range(1, len(rows)) if surnames[place] != surnames[place - 1]]
    middle = len(rows) / 2
    cut = min(borders, key=lambda place: abs(place - middle), default=0) if len(rows) > ROWS_PER_SIDE else 0
    parts = [rows[:cut], rows[cut:]] if cut else [rows]
    return [
        Queue(number, _letters(part), tuple(dict.fromkeys(_surname(row) for row in part)), len(part))
        for number, part in enumerate(parts, start=1)
    ]


def sides(rows: Sequence[Row], *, first: int = 1, blank: bool = True) -> list[Side]:
    """The sides with names, in the order of ``rows`` and numbered from ``first``; nobody at all is one empty side. Of the
    blank side, where there is to be one, only the number of sides knows."""
    parties: dict[int, list[int]] = defaultdict(list)
    for number, row in enumerate(rows, start=first):
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
                marks(row),
            )
            for index, (number, row) in enumerate(enumerate(chunk, start=first + place * ROWS_PER_SIDE))
        )
        made.append(Side(place + 1, len(chunks) + blank, _letters(chunk), lines))
    return made


def plain(text: object) -> str:
    """Without anything that moves a terminal's cursor or turns its text around."""
    return "".join(c if unicodedata.category(c)[0] != "C" else "?" for c in str(text))


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - _width(text))


def as_text(sides: Sequence[Side], title: str) -> str:
    """The list for a terminal or a plain printer."""
    lines = []
    for side in sides:
        lines.append(f"{title}  {side.number}/{side.sides}  {side.letters}")
        for line in side.lines:
            cells = ((f"{line.number:>3}", 4), (line.letter, 2), (plain(line.name), 24), (line.code, 8), (line.tail, 6))
            lines.append(" ".join(_padded(text, width) for text, width in cells) + " [ ] [ ]")
        lines.append("")
    return "\n".join(lines)


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; without its first ' it is the text again."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def as_csv(sides: Sequence[Side]) -> str:
    """The list for a spreadsheet."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["number", "letter", "name", "code", "phone_tail", "with_numbers"])
    for side in sides:
        for line in side.lines:
            together = " ".join(map(str, line.with_numbers))
            rows.writerow([line.number, line.letter, inert(line.name), line.code, line.tail, together])
    return "\ufeff" + out.getvalue()
