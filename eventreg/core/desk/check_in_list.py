"""The check-in list on paper: sides of 25 rows, divided into one or two queues.

A blank side for walk-ins is printed at the end.
"""

import csv
import io
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from eventreg.core.desk.attendee_rows import Row
from eventreg.core.values import requests
from eventreg.core.values.cells import inert
from eventreg.core.values.names import has_han
from eventreg.core.values.readings import COMPOUND_SURNAMES
from eventreg.core.values.requests import Wish

ROWS_PER_SIDE = 25
BLANK_ROWS = 20
_MOST_SHIFTED = 3
"""People by which the border of the queues may move from the middle, to separate two surnames."""


@dataclass(frozen=True)
class PrintedRow:
    """A row of the printed list.

    ``letter`` is empty except in the first row of its group. ``with_numbers`` are the numbers of
    the other rows of the same party.
    """

    number: int
    letter: str
    name: str
    code: str
    tail: str
    with_numbers: tuple[int, ...]
    marks: str = ""
    """轮 for a wheelchair place, 前 for a seat in front, ？ if the name is unsure."""


@dataclass(frozen=True)
class Side:
    """One side of A4, of ``sides`` in all. ``letters`` is the range of its names, if any."""

    number: int
    sides: int
    letters: str
    rows: tuple[PrintedRow, ...]


def _letters(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    first, last = rows[0].letter, rows[-1].letter
    return first if first == last else f"{first} – {last}"


@dataclass(frozen=True)
class Queue:
    """A queue at the door, with its range of letters, its surnames and its number of people.

    A surname in both queues also says up to, or from, which name.
    """

    number: int
    letters: str
    surnames: tuple[str, ...]
    people: int


_MARKS = {Wish.WHEELCHAIR: "轮", Wish.FRONT: "前"}


def marks(row: Row) -> str:
    """The marks beside a name: wishes, and ？ if the name is unsure."""
    wished = requests.split(row.wishes)
    unsure = "？" if row.name_unsure else ""
    return "".join(mark for wish, mark in _MARKS.items() if wish in wished) + unsure


def _surname(row: Row) -> str:
    """The surname as on the sign of a queue: 欧阳, 陈; of a Latin name the first letter."""
    if not has_han(row.name):
        return row.letter
    return row.name[:2] if row.name[:2] in COMPOUND_SURNAMES and len(row.name) > 2 else row.name[0]


def _second_queue_begins(surnames: Sequence[str]) -> int:
    """The index of the first person in the second queue; 0 if one queue is enough.

    The queues are equally long. The border moves to the nearest change of surname, if that is near
    and needs no more paper.
    """
    people = len(surnames)
    if people <= ROWS_PER_SIDE:
        return 0

    def count_sides(border: int) -> int:
        return ceil(border / ROWS_PER_SIDE) + ceil((people - border) / ROWS_PER_SIDE)

    middle = ceil(people / 2)
    near = range(max(1, middle - _MOST_SHIFTED), min(people - 1, middle + _MOST_SHIFTED) + 1)
    between_surnames = [
        border
        for border in near
        if surnames[border - 1] != surnames[border] and count_sides(border) <= count_sides(middle)
    ]
    return min(between_surnames, key=lambda border: abs(border - people / 2), default=middle)


def _surnames_of(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(_surname(row) for row in rows))


def queues(rows: Sequence[Row]) -> list[Queue]:
    """Two queues of equal length, or one if a single side is enough."""
    border = _second_queue_begins([_surname(row) for row in rows])
    if not border:
        return [Queue(1, _letters(rows), tuple(_surnames_of(rows)), len(rows))]
    first, second = rows[:border], rows[border:]
    on_first_sign, on_second_sign = _surnames_of(first), _surnames_of(second)
    if on_first_sign[-1] == on_second_sign[0]:
        on_first_sign[-1] += f"（到{first[-1].name}）"
        on_second_sign[0] += f"（从{second[0].name}起）"
    return [
        Queue(1, _letters(first), tuple(on_first_sign), len(first)),
        Queue(2, _letters(second), tuple(on_second_sign), len(second)),
    ]


def on_sides(rows: Sequence[Row], border: int = 0) -> list[Sequence[Row]]:
    """Divide the rows into sides: full ones, or with a ``border`` equally full ones per queue."""
    chunks: list[Sequence[Row]] = []
    for queue in (rows[:border], rows[border:]) if border else (rows,):
        size = ceil(len(queue) / ceil(len(queue) / ROWS_PER_SIDE)) if border else ROWS_PER_SIDE
        chunks += [queue[start : start + size] for start in range(0, len(queue), size)] or [queue]
    return chunks


def sides(
    rows: Sequence[Row], *, first: int = 1, blank: bool = True, in_queues: bool = False
) -> list[Side]:
    """The sides with names, at most 25 to a side; at least one side, which may be empty.

    The rows are numbered from ``first``. ``in_queues`` starts the second queue on a side of its
    own. ``blank`` counts the blank side for walk-ins in the number of sides.
    """
    parties: dict[int, list[int]] = defaultdict(list)
    for number, row in enumerate(rows, start=first):
        parties[row.registration_id].append(number)
    border = _second_queue_begins([_surname(row) for row in rows]) if in_queues else 0
    chunks = on_sides(rows, border)
    made, number = [], first
    for place, chunk in enumerate(chunks, start=1):
        lines = tuple(
            _printed(row, number + index, chunk[index - 1] if index else None, parties)
            for index, row in enumerate(chunk)
        )
        number += len(chunk)
        made.append(Side(place, len(chunks) + blank, _letters(chunk), lines))
    return made


def _printed(
    row: Row, number: int, before: Row | None, parties: Mapping[int, Sequence[int]]
) -> PrintedRow:
    letter = row.letter if before is None or before.letter != row.letter else ""
    together = tuple(other for other in parties[row.registration_id] if other != number)
    return PrintedRow(
        number, letter, row.name, row.code or "", row.phone_tail, together, marks(row)
    )


def plain(text: object) -> str:
    """Replace control characters, which could move a terminal's cursor or reverse its text."""
    return "".join(c if unicodedata.category(c)[0] != "C" else "?" for c in str(text))


def _width(text: str) -> int:
    """Columns on a terminal; a Chinese character takes two."""
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1
        for c in text
    )


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - _width(text))


def as_text(sides: Sequence[Side], title: str) -> str:
    """The list for a terminal or a plain printer, without marks and numbers of parties."""
    lines = []
    for side in sides:
        lines.append(f"{title}  {side.number}/{side.sides}  {side.letters}")
        for row in side.rows:
            cells = (
                (f"{row.number:>3}", 4),
                (row.letter, 2),
                (plain(row.name), 24),
                (row.code, 8),
                (row.tail, 6),
            )
            lines.append(" ".join(_padded(text, width) for text, width in cells) + " [ ] [ ]")
        lines.append("")
    return "\n".join(lines)


def as_csv(sides: Sequence[Side]) -> str:
    """The list for a spreadsheet, without marks: CSV with a byte order mark."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["number", "letter", "name", "code", "phone_tail", "with_numbers"])
    for side in sides:
        for row in side.rows:
            together = " ".join(map(str, row.with_numbers))
            writer.writerow([row.number, row.letter, inert(row.name), row.code, row.tail, together])
    return "\ufeff" + out.getvalue()
