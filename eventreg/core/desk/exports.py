"""Export the attendee list as CSV or XLSX, row by row, without formulas.

Heads and words are in the language of the reader. An import understands both languages.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from eventreg.core.desk.attendee_rows import Row
from eventreg.core.importing.list_columns import EXPORTED
from eventreg.core.values import phones, requests
from eventreg.core.values.cells import inert
from eventreg.i18n import sentence

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


@dataclass(frozen=True)
class Style:
    """How a list is written: in which language and time zone, and whether with whole telephone
    numbers."""

    language: str
    zone: ZoneInfo
    whole_numbers: bool

    def heads(self) -> list[str]:
        """The heads of the columns."""
        return [self.said(f"head_{column}") for column in EXPORTED]

    def said(self, key: str) -> str:
        """The sentence of a key."""
        return sentence(self.language, key)

    def local(self, moment: datetime | None) -> datetime | None:
        """A moment in the time zone."""
        return moment.astimezone(self.zone).replace(tzinfo=None) if moment else None


def cells(row: Row, style: Style) -> Mapping[str, Any]:
    """The cells of one attendee, by column.

    Telephone numbers keep their spaces, so that spreadsheets do not read them as numbers.
    """
    number = phones.shown if style.whole_numbers else phones.masked
    wishes = [style.said(f"wish_{wish}") for wish in requests.split(row.wishes)]
    return {
        "name": row.name,
        "reading": row.reading,
        "phone": number(row.phone_number),
        "contact": row.contact or "",
        "code": row.code or "",
        "party": row.registration_id,
        "place": row.place,
        "source": style.said(f"source_{row.source.replace('-', '_')}"),
        "state": style.said(f"state_{row.state}"),
        "wishes": style.said("list_comma").join(wishes),
        "registered_at": style.local(row.created_at),
        "arrived_at": style.local(row.arrived_at),
        "gift_at": style.local(row.gift_at),
    }


def as_csv(people: Iterable[Row], style: Style) -> Iterator[str]:
    """The CSV file in pieces: UTF-8 with a byte order mark, for old spreadsheets.

    ``inert`` puts a ' before formulas, and before texts that begin with '.
    """
    yield "\ufeff" + _csv_row(style.heads())
    for row in people:
        found = cells(row, style)
        yield _csv_row([_text(found[column]) for column in EXPORTED])


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


def as_xlsx(people: Iterable[Row], file: Path, style: Style) -> None:
    """Write the list as a spreadsheet. Each cell has its type, so that no text is a formula."""
    import xlsxwriter  # noqa: PLC0415 - heavy, and only exports need it

    with xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": str(file.parent)}) as book:
        sheet, moment = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for column, (name, head) in enumerate(zip(EXPORTED, style.heads(), strict=True)):
            sheet.set_column(column, column, _WIDTHS.get(name, 10))
            sheet.write_string(0, column, head)
        sheet.freeze_panes(1, 0)
        for line, row in enumerate(people, start=1):
            found = cells(row, style)
            for column, name in enumerate(EXPORTED):
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
