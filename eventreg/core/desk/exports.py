"""Export the attendee list as CSV or XLSX, row by row, without formulas.

Heads and words are in the language of the reader. An import understands both languages.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from eventreg.core.desk.attendee_rows import Exported
from eventreg.core.importing.list_columns import EXPORTED
from eventreg.core.values import names, phones, requests
from eventreg.core.values.cells import inert
from eventreg.i18n import sentence

Cell = str | int | datetime | None
_ROWS_AT_ONCE = 200
"""Rows in one piece of a CSV."""
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


@cache
def _word(language: str, prefix: str, stored: str) -> str:
    """The word for a stored value, such as ``source_`` and ``walk-in``."""
    return sentence(language, prefix + stored.replace("-", "_"))


@cache
def _wishes(language: str, stored: str) -> str:
    """The words for stored wishes."""
    said = [_word(language, "wish_", wish) for wish in requests.split(stored)]
    return sentence(language, "list_comma").join(said)


def cells(row: Exported, style: Style) -> tuple[Cell, ...]:
    """The cells of one attendee, in the order of ``EXPORTED``.

    Telephone numbers keep their spaces, so that spreadsheets do not read them as numbers.
    """
    number = phones.shown if style.whole_numbers else phones.masked
    return (
        row.name,
        names.reading_shown(row.name, row.sort_key),
        number(row.phone_number),
        row.contact or "",
        row.code or "",
        row.registration_id,
        row.place,
        _word(style.language, "source_", row.source),
        _word(style.language, "state_", row.state),
        _wishes(style.language, row.wishes),
        style.local(row.created_at),
        style.local(row.arrived_at),
        style.local(row.gift_at),
    )


def as_csv(people: Iterable[Exported], style: Style) -> Iterator[str]:
    """The CSV file in pieces of many rows: UTF-8 with a byte order mark, for old spreadsheets.

    ``inert`` puts a ' before formulas, and before texts that begin with '.
    """
    heads: Sequence[Cell] = style.heads()
    rows = chain([heads], (_texts(cells(row, style)) for row in people))
    mark = "\ufeff"
    while piece := _csv(islice(rows, _ROWS_AT_ONCE)):
        yield mark + piece
        mark = ""


def _texts(row: Iterable[Cell]) -> list[Cell]:
    """The cells as texts. Numbers, and cells without a value, stay as they are."""
    return [
        inert(cell)
        if isinstance(cell, str)
        else cell.isoformat(" ", "minutes")
        if isinstance(cell, datetime)
        else cell
        for cell in row
    ]


def _csv(rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def as_xlsx(people: Iterable[Exported], file: Path, style: Style) -> None:
    """Write the list as a spreadsheet. Each cell has its type, so that no text is a formula."""
    import xlsxwriter  # noqa: PLC0415 - heavy, and only exports need it

    with xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": str(file.parent)}) as book:
        sheet, moment = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for column, (name, head) in enumerate(zip(EXPORTED, style.heads(), strict=True)):
            sheet.set_column(column, column, _WIDTHS.get(name, 10))
            sheet.write_string(0, column, head)
        sheet.freeze_panes(1, 0)
        for line, row in enumerate(people, start=1):
            for column, cell in enumerate(cells(row, style)):
                if cell is None or cell == "":
                    continue
                if isinstance(cell, datetime):
                    sheet.write_datetime(line, column, cell, moment)
                elif isinstance(cell, int):
                    sheet.write_number(line, column, cell)
                else:
                    _write_text(sheet, line, column, cell)


_ESCAPE = re.compile("(?=_x[0-9A-Fa-f]{4}_)")
"""The file format's escape for a character. A text that contains it literally is cut inside it."""


def _write_text(sheet: Any, line: int, column: int, cell: str) -> None:
    """Write a text literally, in pieces if it contains an ``_ESCAPE``.

    The format could escape the escape, but some programs do not undo that.
    """
    if "_x" not in cell:
        sheet.write_string(line, column, cell)
        return
    cuts = [
        0,
        *(found.start() + more for found in _ESCAPE.finditer(cell) for more in (2, 4)),
        len(cell),
    ]
    if len(cuts) == 2:
        sheet.write_string(line, column, cell)
    else:
        sheet.write_rich_string(line, column, *(cell[start:end] for start, end in pairwise(cuts)))
