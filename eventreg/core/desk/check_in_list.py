"""The check-in list on paper: sides of 25 rows that are each a queue of their own, and a blank side
for walk-ins."""

import csv
import io
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eventreg.core.desk.attendee_list import Row
from eventreg.core.values import requests
from eventreg.core.values.names import has_han
from eventreg.core.values.normal_form import normalize
from eventreg.core.values.readings import COMPOUND_SURNAMES
from eventreg.core.values.requests import Wish

ROWS_PER_SIDE = 25
BLANK_ROWS = 20
_STEP = 3
"""People by which a queue may be longer than half, so that no surname stands in both."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_MINUS = {"\u2212"}
"""A cell that begins so would be a formula (or hide our mark): it gets a ' in front, which can be
taken off again."""


@dataclass(frozen=True)
class Line:
    """One printed row. ``letter`` stands only where its group begins; ``with_numbers`` are the rows
    of the same party."""

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
    """One side of A4, of ``sides``; ``letters`` is the range of its queue, empty where nobody is on
    it."""

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
    """One queue at the door: its range of letters, the surnames that stand in it, and how many
    people. A surname that both queues share says from or up to whom."""

    number: int
    letters: str
    surnames: tuple[str, ...]
    people: int


_MARKS = {Wish.WHEELCHAIR: "轮", Wish.FRONT: "前"}


def marks(row: Row) -> str:
    """What the door must know of a person besides the name."""
    wished = requests.split(row.wishes)
    return "".join(
        [mark for wish, mark in _MARKS.items() if wish in wished]
        + ["？" if row.name_unsure else ""]
    )


def _surname(row: Row) -> str:
    """What a guest looks for on the sign of a queue: 欧阳, 陈; the first letter of a Latin name."""
    if not has_han(row.name):
        return row.letter
    return row.name[:2] if row.name[:2] in COMPOUND_SURNAMES and len(row.name) > 2 else row.name[0]


def _cut(surnames: Sequence[str]) -> int:
    """Where the second queue begins; 0 where one is enough. The queues are equally long, but for a
    step to the nearest border between two surnames, as long as that needs no more paper."""
    people = len(surnames)
    if people <= ROWS_PER_SIDE:
        return 0

    def sheets(cut: int) -> int:
        return -(-cut // ROWS_PER_SIDE) + -(-(people - cut) // ROWS_PER_SIDE)

    equal = -(-people // 2)
    near = range(max(1, equal - _STEP), min(people - 1, equal + _STEP) + 1)
    borders = [
        cut for cut in near if surnames[cut - 1] != surnames[cut] and sheets(cut) <= sheets(equal)
    ]
    return min(borders, key=lambda cut: abs(cut - people / 2), default=equal)


def _signed(rows: Sequence[Row], cut: int) -> tuple[list[str], list[str]]:
    """What the two signs say; the surname on both sides of the cut with its last, and its first,
    full name."""
    names = [
        list(dict.fromkeys(_surname(row) for row in part)) for part in (rows[:cut], rows[cut:])
    ]
    if names[0][-1] == names[1][0]:
        names[0][-1] = f"{names[0][-1]}（到{rows[cut - 1].name}）"
        names[1][0] = f"{names[1][0]}（从{rows[cut].name}起）"
    return names[0], names[1]


def queues(rows: Sequence[Row]) -> list[Queue]:
    """Two queues of equal length, or one where a single side holds everybody."""
    cut = _cut([_surname(row) for row in rows])
    if not cut:
        return [
            Queue(1, _letters(rows), tuple(dict.fromkeys(_surname(row) for row in rows)), len(rows))
        ]
    return [
        Queue(number, _letters(part), tuple(signed), len(part))
        for number, part, signed in zip(
            (1, 2), (rows[:cut], rows[cut:]), _signed(rows, cut), strict=True
        )
    ]


def on_sides(rows: Sequence[Row], cut: int = 0) -> list[Sequence[Row]]:
    """The rows of each side: full sides, or with a ``cut`` each queue on sides of its own, equally
    full."""
    made: list[Sequence[Row]] = []
    for part in (rows[:cut], rows[cut:]) if cut else (rows,):
        each = -(-len(part) // -(-len(part) // ROWS_PER_SIDE)) if cut else ROWS_PER_SIDE
        made += [part[start : start + each] for start in range(0, len(part), each)] or [part]
    return made


def sides(
    rows: Sequence[Row], *, first: int = 1, blank: bool = True, in_queues: bool = False
) -> list[Side]:
    """The sides with names, in the order of ``rows`` and numbered from ``first``, 25 to a side, or
    ``in_queues`` equally long; nobody at all is one empty side. Of the blank side, where there is
    to be one, only the number of sides knows."""
    parties: dict[int, list[int]] = defaultdict(list)
    for number, row in enumerate(rows, start=first):
        parties[row.registration_id].append(number)
    chunks = on_sides(rows, _cut([_surname(row) for row in rows]) if in_queues else 0)
    made, number = [], first
    for place, chunk in enumerate(chunks, start=1):
        lines = tuple(
            _line(row, number + index, chunk[index - 1] if index else None, parties)
            for index, row in enumerate(chunk)
        )
        number += len(chunk)
        made.append(Side(place, len(chunks) + blank, _letters(chunk), lines))
    return made


def _line(row: Row, number: int, before: Row | None, parties: Mapping[int, Sequence[int]]) -> Line:
    letter = row.letter if before is None or before.letter != row.letter else ""
    together = tuple(other for other in parties[row.registration_id] if other != number)
    return Line(number, letter, row.name, row.code or "", row.phone_tail, together, marks(row))


def plain(text: object) -> str:
    """Without anything that moves a terminal's cursor or turns its text around."""
    return "".join(c if unicodedata.category(c)[0] != "C" else "?" for c in str(text))


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1
        for c in text
    )


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - _width(text))


def as_text(sides: Sequence[Side], title: str) -> str:
    """The list for a terminal or a plain printer."""
    lines = []
    for side in sides:
        lines.append(f"{title}  {side.number}/{side.sides}  {side.letters}")
        for line in side.lines:
            cells = (
                (f"{line.number:>3}", 4),
                (line.letter, 2),
                (plain(line.name), 24),
                (line.code, 8),
                (line.tail, 6),
            )
            lines.append(" ".join(_padded(text, width) for text, width in cells) + " [ ] [ ]")
        lines.append("")
    return "\n".join(lines)


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; without its first ' it is the text again.
    Programs look past blanks and unseen characters, and some read ＝, ﹢ or − as what it looks
    like."""
    begins = next((c for c in cell if unicodedata.category(c) not in {"Cf", "Zs"}), "")
    formula = normalize("NFKC", begins).startswith(FORMULA) or begins in _MINUS
    return f"'{cell}" if formula else cell


def as_csv(sides: Sequence[Side]) -> str:
    """The list for a spreadsheet."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["number", "letter", "name", "code", "phone_tail", "with_numbers"])
    for side in sides:
        for line in side.lines:
            together = " ".join(map(str, line.with_numbers))
            rows.writerow(
                [line.number, line.letter, inert(line.name), line.code, line.tail, together]
            )
    return "\ufeff" + out.getvalue()
