"""Read the file of an import: CSV or XLSX in, rows with known columns out.

It imports only the standard library, ``errors`` and openpyxl, so that the process that
``list_reader`` starts for each file is ready quickly.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eventreg.core.errors import ImportUnreadable

LARGEST = 2 * 1024 * 1024
"""Bytes of a file."""
MOST_ROWS = 5_000
"""In one import. Registering so many takes about ten seconds, during which others have to wait."""
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
HEADS = {
    "name": ("name", "姓名", "名字", "参加人", "参加人姓名"),
    "phone": ("phone", "电话", "手机", "手机号", "手机号码", "联系电话", "电话号码"),
    "companion": ("companion", "同行", "同行人", "同来的人"),
    "contact": ("contact", "联系人"),
    "reading": ("reading", "pinyin", "拼音"),
    "wishes": ("wishes", "需要"),
    "state": ("state", "状态"),
}


@dataclass(frozen=True)
class FileRow:
    """A row of the file: its number in the file, and its cells by column (a key of ``HEADS``)."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Listed:
    """The contents of a file: the number of rows, and the first ``MOST_ROWS`` of them.

    Cancelled rows of our own export are left out.
    """

    count: int
    rows: Sequence[FileRow]


def read(content: bytes) -> Listed:
    """The rows of a CSV (UTF-8, GBK, UTF-16, with commas, semicolons or tabs) or XLSX file.

    The first row that is not empty names the columns. Raises ``ImportUnreadable`` if it is another
    kind of file, has no column for the name or two for the same thing, or exceeds a limit of rows,
    columns, characters in a cell or parts. Longer cells are cut to ``LONGEST_READ``. An XLSX file
    can still take any amount of time and memory, so read it through ``list_reader``.
    """
    if content[:8] == _OLD_EXCEL:
        raise ImportUnreadable("import_old_excel")
    rows = _of_xlsx(content) if content[:4] == _ZIP else _of_text(_decoded(content))
    filled = ((number, row) for number, row in _bounded(rows) if any(row))
    head = next(filled, None)
    known = [_head(cell) for cell in head[1]] if head else []
    if "name" not in known or len(set(filter(None, known))) < len(list(filter(None, known))):
        raise ImportUnreadable("import_without_head")
    count, kept = 0, []
    for number, row in filled:
        cells = {key: cell[:LONGEST_READ] for key, cell in zip(known, row, strict=False) if key}
        if cells.get("state") == "cancelled":
            continue
        count += 1
        if count <= MOST_ROWS:
            kept.append(FileRow(number, cells))
    return Listed(count, kept)


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


def _head(cell: str) -> str | None:
    folded = cell.strip().casefold()
    return next((key for key, spellings in HEADS.items() if folded in spellings), None)


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
    first = text.splitlines()[0] if text.strip() else ""
    comma = max(",;\t，", key=first.count)
    number = 1
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=comma):
            yield [_plain(cell.strip()) for cell in row]
            number += 1
    except csv.Error as error:  # a cell of more than 128 Ki characters
        raise ImportUnreadable("import_cell", row=number, most=LONGEST_CELL) from error


def _of_xlsx(content: bytes) -> Iterator[list[str]]:
    import openpyxl  # noqa: PLC0415 - heavy, and only imports need it

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            unpacked = sum(part.file_size for part in parts)
            if len(parts) > _MOST_PARTS or unpacked > _LARGEST_UNPACKED:
                raise ImportUnreadable("import_large")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        if (sheet.max_column or 0) > MOST_COLUMNS:
            raise ImportUnreadable("import_columns", most=MOST_COLUMNS)
        sheet.reset_dimensions()  # or openpyxl pads the rows to the size that the file claims
        for row in sheet.iter_rows(values_only=True):
            yield [_cell(cell) for cell in row]
    except (ImportUnreadable, MemoryError):
        raise
    except Exception as error:  # a broken file can raise anything
        raise ImportUnreadable("import_encoding") from error


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
    """Remove the ' that ``check_in_list.inert`` puts before a formula."""
    return cell[1:] if cell.startswith("'") else cell
