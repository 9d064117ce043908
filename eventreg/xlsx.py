"""Write one sheet as an XLSX file, row by row, so that a long list takes no more memory than a
short one.

Each cell has a type, so no text is a formula. The file has only the parts that a spreadsheet
program needs (ECMA-376).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice, pairwise
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

Cell = str | int | datetime | None
"""A text, a whole number, a moment without a time zone, or nothing."""

_ROWS_AT_ONCE = 200
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - spreadsheets know no time zones
_DAY = 24 * 60 * 60
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_IN_FILE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET = "xl/worksheets/sheet1.xml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType='
    '"application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
    f'<Override PartName="/{_SHEET}" ContentType="{_KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_IN_FILE}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>",
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_IN_FILE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_IN_FILE}/styles" Target="styles.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_IN_FILE}">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy-mm-dd hh:mm"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/>'
    "</cellStyles></styleSheet>",
}
"""Every part but the sheet. The second style, of number 1, is that of a moment."""
_ABOVE_ROWS = (
    f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView tabSelected="1" workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    '<selection pane="bottomLeft"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>'
)
_NEEDS_CARE = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_|^\\s|\\s$")
_ESCAPE = re.compile("(?=_x[0-9A-Fa-f]{4}_)")
"""The file format's escape for a character. A text that contains it literally is cut inside it."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")


def write(
    file: Path, heads: Sequence[str], widths: Sequence[int], rows: Iterable[Sequence[Cell]]
) -> None:
    """Write the file: a row of heads, which stays in sight, and the rows below it. ``widths`` are
    those of the columns, in characters. There may be at most 26 columns."""
    columns = [chr(ord("A") + place) for place in range(len(heads))]
    lines = (_line(number, columns, row) for number, row in enumerate(chain([heads], rows), 1))
    with ZipFile(file, "w", ZIP_DEFLATED) as packed:
        for name, part in _PARTS.items():
            packed.writestr(_entry(name), _XML + part)
        with packed.open(_entry(_SHEET), "w") as sheet:
            sheet.write((_XML + _ABOVE_ROWS + _widths(widths) + "<sheetData>").encode())
            for some in _in_pieces(lines):
                sheet.write(some.encode())
            sheet.write(b"</sheetData></worksheet>")


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    return entry


def _in_pieces(lines: Iterator[str]) -> Iterator[str]:
    while piece := "".join(islice(lines, _ROWS_AT_ONCE)):
        yield piece


def _widths(widths: Sequence[int]) -> str:
    cols = (
        f'<col min="{place}" max="{place}" width="{width + 0.7109375}" customWidth="1"/>'
        for place, width in enumerate(widths, start=1)
    )
    return f"<cols>{''.join(cols)}</cols>"


def _line(number: int, columns: Sequence[str], row: Sequence[Cell]) -> str:
    """One row. An empty cell is left out."""
    made = [f'<row r="{number}">']
    for column, cell in zip(columns, row, strict=True):
        if cell is None or cell == "":
            continue
        if isinstance(cell, str):
            text = f"<t>{cell}</t>" if not _NEEDS_CARE.search(cell) else _with_care(cell)
            made.append(f'<c r="{column}{number}" t="inlineStr"><is>{text}</is></c>')
        elif isinstance(cell, datetime):
            made.append(f'<c r="{column}{number}" s="1"><v>{_serial(cell):.16g}</v></c>')
        else:
            made.append(f'<c r="{column}{number}"><v>{cell}</v></c>')
    made.append("</row>")
    return "".join(made)


def _serial(moment: datetime) -> float:
    """The days since the epoch of spreadsheets."""
    since = moment - _EPOCH
    return since.days + (since.seconds + since.microseconds / 1e6) / _DAY


def _with_care(cell: str) -> str:
    """A text literally, in pieces if it contains an ``_ESCAPE``.

    The format could escape the escape, but some programs do not undo that.
    """
    cuts = [
        0,
        *(found.start() + more for found in _ESCAPE.finditer(cell) for more in (2, 4)),
        len(cell),
    ]
    if len(cuts) == 2:
        return _text(cell)
    return "".join(f"<r>{_text(cell[start:end])}</r>" for start, end in pairwise(cuts))


def _text(text: str) -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = _NOT_IN_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", safe)
    space = ' xml:space="preserve"' if text != text.strip() else ""
    return f"<t{space}>{safe}</t>"
