"""Read the file of an import: CSV or XLSX in, a table out.

It imports only the standard library, ``errors`` and openpyxl, so that the process that
``list_reader`` starts for each file is ready quickly.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from eventreg.core.errors import ImportUnreadable

LARGEST = 2 * 1024 * 1024
"""Bytes of a file."""
MOST_ROWS = 5_000
"""In one import. Registering so many takes about two seconds, during which others have to wait."""
MOST_COLUMNS = 200
LONGEST_CELL = 32_767
"""Characters; a spreadsheet program allows no more."""
LONGEST_READ = 300
"""Characters of a cell that are kept: more than a name, number or contact may have."""
_MOST_WITH_EMPTY = 200_000
"""Rows of the file, empty ones included."""
_LARGEST_UNPACKED = 32 * 1024 * 1024
_MOST_PARTS = 1_000
_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_KEPT = 3_500_000
"""Bytes of all cells. They have to fit into the answer of ``list_reader``, and into a form."""


@dataclass(frozen=True)
class FileRow:
    """A row of the file: its number in the file, and its cells, without the empty ones at its
    end."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True)
class Table:
    """The contents of a file: the heads of its columns with the number of their row, how many rows
    are below, and the first ``MOST_ROWS`` of these.

    There is a head for each cell; it is empty if the file has none. ``unread`` names the sheets
    that were not read: all but the first.
    """

    heads: Sequence[str]
    head_number: int
    count: int
    rows: Sequence[FileRow]
    unread: Sequence[str] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it has every row of the file."""
        return self.count == len(self.rows)


def read(content: bytes) -> Table:
    """The rows of a CSV (UTF-8, GBK, UTF-16, with commas, semicolons or tabs) or XLSX file.

    Raises ``ImportUnreadable`` if it is another kind of file, has no row of heads, or exceeds a
    limit of rows, columns, characters in a cell, parts or bytes. An XLSX file can still take any
    amount of time and memory, so read it through ``list_reader``.
    """
    if content[:8] == _OLD_EXCEL:
        raise ImportUnreadable("import_old_excel")
    unread: list[str] = []
    rows = _of_xlsx(content, unread) if content[:4] == _ZIP else _of_text(_decoded(content))
    filled = ((number, row) for number, row in _bounded(rows) if any(row))
    head_number, heads = next(filled, (0, []))
    if not heads:
        raise ImportUnreadable("import_empty")
    if any(_NUMBER.fullmatch(_GAPS.sub("", head)) for head in heads):
        raise ImportUnreadable("import_without_head", row=head_number)
    count, kept, size = 0, [], 0
    for number, row in filled:
        count += 1
        if count <= MOST_ROWS:
            cells = _trimmed([cell[:LONGEST_READ] for cell in row])
            size += sum(len(cell.encode(errors="replace")) + 4 for cell in cells)
            if size > _MOST_KEPT:
                raise ImportUnreadable("import_wide")
            kept.append(FileRow(number, cells))
    heads = _trimmed([head[:LONGEST_READ] for head in heads])
    widest = max([len(heads), *(len(row.cells) for row in kept)])
    heads += [""] * (widest - len(heads))
    return Table(heads, head_number, count, kept, unread)


def _trimmed(cells: list[str]) -> list[str]:
    """The cells without the empty ones at the end."""
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _bounded(rows: Iterable[Sequence[str]]) -> Iterator[tuple[int, list[str]]]:
    """The rows with their numbers. Raises ``ImportUnreadable`` if a limit is exceeded."""
    for number, row in enumerate(rows, start=1):
        if number > _MOST_WITH_EMPTY:
            raise ImportUnreadable("import_rows", most=_MOST_WITH_EMPTY)
        if len(row) > MOST_COLUMNS:
            raise ImportUnreadable("import_columns", most=MOST_COLUMNS)
        if any(len(cell) > LONGEST_CELL for cell in row):
            raise ImportUnreadable("import_cell", row=number, most=LONGEST_CELL)
        yield number, [cell.strip() for cell in row]


def _decoded(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        tried: tuple[str, ...] = ("utf-16",)
    elif b"\x00" in content:
        # UTF-16 without a byte order mark: the zero bytes of its commas show the byte order.
        tried = ("utf-16-le" if content[1::2].count(0) > content[::2].count(0) else "utf-16-be",)
    else:
        tried = ("utf-8-sig", "gb18030")
    for encoding in tried:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise ImportUnreadable("import_encoding")


def _of_text(text: str) -> Iterator[list[str]]:
    said = _SAYS_COMMA.match(text)
    if said:
        comma, text = said[1], text[said.end() :]
    else:
        first = text.splitlines()[0] if text.strip() else ""
        comma = max(",;\t，", key=first.count)
    number = 1
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=comma):
            yield [_plain(cell.strip()) for cell in row]
            number += 1
    except csv.Error as error:  # a cell of more than 128 Ki characters
        raise ImportUnreadable("import_cell", row=number, most=LONGEST_CELL) from error


def _of_xlsx(content: bytes, unread: list[str]) -> Iterator[list[str]]:
    """The rows of the first sheet. The names of the others are added to ``unread``."""
    import openpyxl  # noqa: PLC0415 - heavy, and only imports need it

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            unpacked = sum(part.file_size for part in parts)
            if len(parts) > _MOST_PARTS or unpacked > _LARGEST_UNPACKED:
                raise ImportUnreadable("import_large")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet, *others = book.worksheets
        unread += [other.title for other in others]
        if (sheet.max_column or 0) > MOST_COLUMNS:
            raise ImportUnreadable("import_columns", most=MOST_COLUMNS)
        sheet.reset_dimensions()  # or openpyxl pads the rows to the size that the file claims
        for row in sheet.iter_rows(values_only=True):
            yield [_cell(cell) for cell in row]
    except (ImportUnreadable, MemoryError):
        raise
    except Exception as error:  # a broken file can raise anything
        raise ImportUnreadable("import_encoding") from error


_SAYS_COMMA = re.compile("sep=([,;\t，])(\r\n|\r|\n)")
"""The first line with which Excel says what stands between two cells."""
_GAPS = re.compile(r"[\s()-]")
_NUMBER = re.compile(r"(\+?86)?(1[3-9]\d{9}|0\d{9,11})")
"""A telephone number. In the first row it means that this row is a person."""


def _cell(value: Any) -> str:
    """The text of a cell; a whole number becomes its digits."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _ESCAPED.sub("_", str(value))


_ESCAPED = re.compile("_x005F_(?=x[0-9A-Fa-f]{4}_)")
"""Excel's escape for the first _ of a literal _x0041_, which would otherwise mean A."""


def _plain(cell: str) -> str:
    """Remove the ' that ``cells.inert`` puts before a formula."""
    return cell[1:] if cell.startswith("'") else cell
