"""Hostile files: small to send, and very large, deep or slow to read."""

import io
import zipfile
import zlib
from collections.abc import Callable, Mapping

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0"?>'
_TYPES = f"""{_XML}<Types xmlns="{_PACKAGE}/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/xl/workbook.xml" ContentType="{_OFFICE}.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_OFFICE}.worksheet+xml"/>
<Override PartName="/xl/sharedStrings.xml" ContentType="{_OFFICE}.sharedStrings+xml"/></Types>"""
_ROOT_LINKS = f"""{_XML}<Relationships xmlns="{_PACKAGE}/relationships">
<Relationship Id="rId1" Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/>
</Relationships>"""
_LINKS = f"""{_XML}<Relationships xmlns="{_PACKAGE}/relationships">
<Relationship Id="rId1" Type="{_RELATED}/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="rId2" Type="{_RELATED}/sharedStrings" Target="sharedStrings.xml"/>
</Relationships>"""
_SHEETS = '<sheet name="a" sheetId="1" r:id="rId1"/>'


def _cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


HEAD = f"<row>{_cell('name')}{_cell('phone')}</row>"
_PERSON = _cell("Anna") + _cell("13800138000")


def xlsx(
    rows: str = f"{HEAD}<row>{_PERSON}</row>",
    *,
    before: str = "",
    declared: str = "",
    strings: str = "",
    sheets: str = _SHEETS,
    more: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """A spreadsheet with these rows.

    ``before`` is put before them, and ``declared`` before the root of each part.
    """
    rows = f"<sheetData>{rows}</sheetData>"
    sheet = f'{_XML}{declared}<worksheet xmlns="{MAIN}">{before}{rows}</worksheet>'
    names = f'xmlns="{MAIN}" xmlns:r="{_RELATED}"'
    book = f"{_XML}<workbook {names}><sheets>{sheets}</sheets></workbook>"
    shared = f'{_XML}{declared}<sst xmlns="{MAIN}">{strings}</sst>'
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _ROOT_LINKS,
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": _LINKS,
        "xl/sharedStrings.xml": shared,
        "xl/worksheets/sheet1.xml": sheet,
        **(more or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
    return out.getvalue()


def _bomb(said: int) -> bytes:
    """100 MB of zeros in 100 kB. The zip's directory says that the part has ``said`` bytes."""
    out = io.BytesIO(xlsx())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as packed:
        with packed.open("xl/theme/theme1.xml", "w") as part:
            for _ in range(100):
                part.write(bytes(1024 * 1024))
        packed.getinfo("xl/theme/theme1.xml").file_size = said
    return out.getvalue()


def _dictionary() -> bytes:
    """A part whose decompression asks for 4 GB before the first byte."""
    out = io.BytesIO(xlsx())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_LZMA) as packed:
        packed.writestr("xl/theme/theme1.xml", b"a")
    begins = b"\x09\x04\x05\x00\x5d"
    return out.getvalue().replace(begins + b"\x00\x00\x80\x00", begins + b"\xff" * 4)


def _overlapping() -> bytes:
    """10 GB in 60 kB: many parts share the same bytes, as in David Fifield's zip bomb."""
    inner = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = inner.compress(bytes(10 * 1024 * 1024)) + inner.flush()
    checked = zlib.crc32(bytes(10 * 1024 * 1024))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        kept = zipfile.ZipInfo("0")
        kept.compress_type = zipfile.ZIP_STORED
        made.writestr(kept, packed)
        for number in range(1_000):
            again = zipfile.ZipInfo(f"xl/{number}")
            again.compress_type, again.CRC = zipfile.ZIP_DEFLATED, checked
            again.compress_size, again.file_size = len(packed), 10 * 1024 * 1024
            again.header_offset = 0
            made.filelist.append(again)
            made.NameToInfo[again.filename] = again
    return out.getvalue()


def _parts(number: int) -> bytes:
    out = io.BytesIO(xlsx())
    with zipfile.ZipFile(out, "a") as packed:
        for place in range(number):
            again = zipfile.ZipInfo(f"{place:x}")
            again.CRC = again.compress_size = again.file_size = again.header_offset = 0
            packed.filelist.append(again)
        packed._didModify = True  # type: ignore[attr-defined]
    return out.getvalue()


def _laughs(base: str, levels: int, width: int) -> str:
    entities = f'<!ENTITY e0 "{base}">' + "".join(
        f'<!ENTITY e{level + 1} "{f"&e{level};" * width}">' for level in range(levels)
    )
    return f"<!DOCTYPE x [{entities}]>"


def _in_strings(text: str) -> str:
    return f"<si><t>{text}</t></si>"


def _wide(column: str) -> str:
    last = "".join(f'<row>{_cell("A")}<c r="{column}{row}"/></row>' for row in range(2, 20_002))
    return HEAD + last


def _nest(begin: str, end: str, inside: str = "", times: int = 20_000) -> str:
    return begin * times + inside + end * times


SPREADSHEETS: Mapping[str, Callable[[], bytes]] = {
    "a dimension of 17 milliard cells": lambda: xlsx(before='<dimension ref="A1:XFD1048576"/>'),
    "a row of the number 99999999999": lambda: xlsx(f'{HEAD}<row r="99999999999">{_PERSON}</row>'),
    "20,000 rows with a cell in the last column": lambda: xlsx(_wide("XFD")),
    "a cell far beyond the last column": lambda: xlsx(f'{HEAD}<row><c r="ZZZZZZZ2"/></row>'),
    "1,000,000 empty rows": lambda: xlsx(HEAD + "<row/>" * 1_000_000),
    "a cell of 30 million characters": lambda: xlsx(f"{HEAD}<row>{_cell('a' * 30_000_000)}</row>"),
    "a number of 5,000 digits": lambda: xlsx(f"{HEAD}<row><c><v>{'9' * 5_000}</v></c></row>"),
    "a string that is not there": lambda: xlsx(f'{HEAD}<row><c t="s"><v>{2**31}</v></c></row>'),
    "two million shared strings": lambda: xlsx(strings="<si><t/></si>" * 2_000_000),
    "elements inside each other": lambda: xlsx(before=_nest("<a>", "</a>")),
    "elements inside each other in a string": lambda: xlsx(
        strings=_in_strings(_nest("<r>", "</r>"))
    ),
    "100,000 sheets": lambda: xlsx(sheets=_SHEETS * 100_000),
    "a bomb": lambda: _bomb(100 * 1024 * 1024),
    "a bomb that says it is small": lambda: _bomb(100),
    "a part that asks for 4 GB": _dictionary,
    "a bomb of overlapping parts": _overlapping,
    "40,000 parts": lambda: _parts(40_000),
    "a milliard of laughs": lambda: xlsx(
        declared=_laughs("ha", 30, 10), strings=_in_strings("&e30;")
    ),
    "an entity of 100 kB 20,000 times": lambda: xlsx(
        declared=_laughs("a" * 100_000, 0, 0), strings=_in_strings("&e0;" * 20_000)
    ),
    "a file of the machine": lambda: xlsx(
        declared='<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
        rows=f'{HEAD}<row><c t="inlineStr"><is><t>&f;</t></is></c></row>',
    ),
    "a spreadsheet with a password": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4_000),
    "half a zip": lambda: xlsx()[:900],
}
"""The spreadsheets by name, with the function that makes each."""
TEXTS: Mapping[str, Callable[[], bytes]] = {
    "16,384 columns": lambda: b"name,phone" + b",x" * 16_382 + b"\nAnna,1\n",
    "one field of 2 MiB": lambda: b"name,phone\n" + b"a" * (2 * 1024 * 1024 - 20),
    "a quotation mark that is never closed": lambda: (
        b'name,phone\n"Anna\n' + b"Berta,2\n" * 200_000
    ),
    "two million empty rows": lambda: b"\n" * (2 * 1024 * 1024),
    "a million rows": lambda: b"name\n" + b"a\n" * 1_000_000,
    "nothing but NUL": lambda: bytes(1024 * 1024),
    "a NUL in a name": lambda: b"name,phone\nAn\x00na,1\n",
    "nothing but quotation marks": lambda: b'name,"' + b'"' * 2_000_000,
}
_TABLE = 'slug = "x"\n'
EVENT_FILES: Mapping[str, Callable[[], str]] = {
    "a key of 10,000 dots": lambda: _TABLE + "a" + ".a" * 9_999 + " = 1\n",
    "a key of 100,000 dots": lambda: _TABLE + "a" + ".a" * 99_999 + " = 1\n",
    "a table of 10,000 dots": lambda: _TABLE + "[a" + ".a" * 9_999 + "]\n",
    "lists of tables below each other": lambda: "".join(f"[[a{'.a' * at}]]\n" for at in range(400)),
    "20,000 lists inside each other": lambda: _TABLE + "a = " + _nest("[", "]"),
    "lists that are never closed": lambda: _TABLE + "a = " + "[" * 100_000,
    "20,000 tables inside each other": lambda: _TABLE + "a = " + _nest("{a=", "}", "1"),
    "20,000 keys": lambda: "".join(f"a{number} = 1\n" for number in range(20_000)),
    "more than fits": lambda: "# \n" * 100_000,
    "a number of 100,000 digits": lambda: _TABLE + "capacity = " + "9" * 100_000 + "\n",
    "100,000 hexadecimal digits": lambda: _TABLE + "capacity = 0x" + "f" * 100_000 + "\n",
    "a year of 100,000 digits": lambda: _TABLE + "starts_at = " + "9" * 100_000 + "-01-01\n",
    "a string that is never closed": lambda: _TABLE + 'title = """' + "a\n" * 100_000,
    "100,000 quotation marks": lambda: _TABLE + "title = " + '"' * 100_000 + "\n",
    "one list of 100,000": lambda: _TABLE + "agenda = [" + "1," * 100_000 + "]\n",
    "100,000 items": lambda: "[[bring]]\n" * 25_000,
    "nothing but NUL": lambda: "\x00" * 1_000,
}
