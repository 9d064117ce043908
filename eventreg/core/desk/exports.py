"""Export the attendee list as CSV or XLSX, row by row, without formulas."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
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
"""The heads. An import uses those that are in ``import_file.HEADS``; docs/on-the-day.md describes
the columns."""
_TIMES = {"registered_at", "arrived_at", "gift_at"}
_WIDTHS = {
    "name": 24,
    "reading": 20,
    "phone": 18,
    "contact": 18,
    "registered_at": 17,
    "arrived_at": 17,
    "gift_at": 17,
}


def cells(row: Row, *, whole_numbers: bool, zone: ZoneInfo) -> Mapping[str, Any]:
    """The cells of one attendee, by column.

    Times are in the event's zone. Telephone numbers are masked without ``whole_numbers``. With it
    they have spaces, so that spreadsheets do not read them as numbers.
    """

    def local(moment: datetime | None) -> datetime | None:
        return moment.astimezone(zone).replace(tzinfo=None) if moment else None

    return {
        "name": row.name,
        "reading": row.reading,
        "phone": (phones.shown if whole_numbers else phones.masked)(row.phone_number),
        "contact": row.contact or "",
        "code": row.code or "",
        "party": row.registration_id,
        "place": row.place,
        "source": row.source,
        "state": row.state,
        "wishes": row.wishes,
        "registered_at": local(row.created_at),
        "arrived_at": local(row.arrived_at),
        "gift_at": local(row.gift_at),
    }


def as_csv(people: Iterable[Row], *, whole_numbers: bool, zone: ZoneInfo) -> Iterator[str]:
    """The CSV file in pieces: UTF-8 with a byte order mark, for old spreadsheets.

    ``inert`` puts a ' before formulas, and before texts that begin with '.
    """
    yield "\ufeff" + _csv_row(COLUMNS)
    for row in people:
        found = cells(row, whole_numbers=whole_numbers, zone=zone)
        yield _csv_row([_text(found[column]) for column in COLUMNS])


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return inert(cell)
    return f"{cell:%Y-%m-%d %H:%M}" if isinstance(cell, datetime) else str(cell)


def _csv_row(texts: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(texts)
    return out.getvalue()


def as_xlsx(people: Iterable[Row], file: Path, *, whole_numbers: bool, zone: ZoneInfo) -> None:
    """Write the list as a spreadsheet. Each cell has its type, so that no text is a formula."""
    import xlsxwriter  # noqa: PLC0415 - heavy, and only exports need it

    with xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": str(file.parent)}) as book:
        sheet, moment = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for column, name in enumerate(COLUMNS):
            sheet.set_column(column, column, _WIDTHS.get(name, 10))
            sheet.write_string(0, column, name)
        sheet.freeze_panes(1, 0)
        for line, row in enumerate(people, start=1):
            found = cells(row, whole_numbers=whole_numbers, zone=zone)
            for column, name in enumerate(COLUMNS):
                cell = found[name]
                if cell is None or cell == "":
                    continue
                if name in _TIMES:
                    sheet.write_datetime(line, column, cell, moment)
                elif isinstance(cell, int):
                    sheet.write_number(line, column, cell)
                else:
                    _write_text(sheet, line, column, str(cell))


_ESCAPE = re.compile("(?=_x[0-9A-Fa-f]{4}_)")
"""The file format's escape for a character. A text that contains it literally is cut inside it."""


def _write_text(sheet: Any, line: int, column: int, cell: str) -> None:
    """Write a text literally, in pieces if it contains an ``_ESCAPE``.

    The format could escape the escape, but some programs do not undo that.
    """
    cuts = [
        0,
        *(found.start() + more for found in _ESCAPE.finditer(cell) for more in (2, 4)),
        len(cell),
    ]
    if len(cuts) == 2:
        sheet.write_string(line, column, cell)
    else:
        sheet.write_rich_string(line, column, *(cell[start:end] for start, end in pairwise(cuts)))
