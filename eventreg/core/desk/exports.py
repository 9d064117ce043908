"""The attendee list for other programs: CSV and XLSX, row by row, with nothing in it that a
spreadsheet would run."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from eventreg.core.desk.attendee_list import Row
from eventreg.core.desk.check_in_list import inert
from eventreg.core.values import phones

COLUMNS = (
    "name",
    "reading",
    "phone",
    "contact",
    "code",
    "party",
    "place",
    "source",
    "state",
    "wishes",
    "registered_at",
    "arrived_at",
    "gift_at",
)
"""The heads, which an import knows again; docs/on-the-day.md says what stands below each."""
_MOMENTS = {"registered_at", "arrived_at", "gift_at"}
_WIDTHS = {
    "name": 24,
    "reading": 20,
    "phone": 18,
    "contact": 18,
    "registered_at": 17,
    "arrived_at": 17,
    "gift_at": 17,
}


def cells(row: Row, *, whole_numbers: bool, zone: ZoneInfo) -> Sequence[Any]:
    """One person as the columns have it: texts, moments without a zone in the event's, whole
    numbers only for who may see them. A number keeps its gaps, by which every spreadsheet knows
    that it is no figure to count with."""
    moments = [
        moment.astimezone(zone).replace(tzinfo=None) if moment else None
        for moment in (row.created_at, row.arrived_at, row.gift_at)
    ]
    phone = phones.shown(row.phone_number) if whole_numbers else phones.masked(row.phone_number)
    return (
        row.name,
        row.reading,
        phone,
        row.contact or "",
        row.code or "",
        row.registration_id,
        row.place,
        row.source,
        row.state,
        row.wishes,
        *moments,
    )


def as_csv(people: Iterable[Row], *, whole_numbers: bool, zone: ZoneInfo) -> Iterator[str]:
    """The file in pieces: UTF-8 with its mark in front, so that old spreadsheets know it. A text
    that would be a formula has a ' in front; a text that begins with ' has one more, so that none
    is lost."""
    yield "\ufeff" + _line(COLUMNS)
    for row in people:
        yield _line([_text(cell) for cell in cells(row, whole_numbers=whole_numbers, zone=zone)])


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return (
        inert(cell)
        if isinstance(cell, str)
        else f"{cell:%Y-%m-%d %H:%M}"
        if hasattr(cell, "year")
        else str(cell)
    )


def _line(texts: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(texts)
    return out.getvalue()


def as_xlsx(people: Iterable[Row], file: Path, *, whole_numbers: bool, zone: ZoneInfo) -> None:
    """Write the list as a spreadsheet, each cell as what it is: a text is a text whatever it begins
    with."""
    import xlsxwriter  # noqa: PLC0415 - heavy, and only exports need it

    with xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": str(file.parent)}) as book:
        sheet, moment = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for column, name in enumerate(COLUMNS):
            sheet.set_column(column, column, _WIDTHS.get(name, 10))
            sheet.write_string(0, column, name)
        sheet.freeze_panes(1, 0)
        for line, row in enumerate(people, start=1):
            for column, cell in enumerate(cells(row, whole_numbers=whole_numbers, zone=zone)):
                if cell is None or cell == "":
                    continue
                if COLUMNS[column] in _MOMENTS:
                    sheet.write_datetime(line, column, cell, moment)
                elif isinstance(cell, int):
                    sheet.write_number(line, column, cell)
                else:
                    _write_text(sheet, line, column, str(cell))


_ESCAPE = re.compile("(?=_x[0-9A-Fa-f]{4}_)")
"""What stands for another character in a spreadsheet: a text that has it by itself is cut there,
and read as it is."""


def _write_text(sheet: Any, line: int, column: int, cell: str) -> None:
    """A text as it is. The format has an escape for such a text, which some programs do not undo;
    so it is written in pieces, none of which needs one."""
    cuts = [
        0,
        *(found.start() + more for found in _ESCAPE.finditer(cell) for more in (2, 4)),
        len(cell),
    ]
    if len(cuts) == 2:
        sheet.write_string(line, column, cell)
    else:
        sheet.write_rich_string(line, column, *(cell[start:end] for start, end in pairwise(cuts)))
