"""A list of people that was kept elsewhere: read, judged row by row, and taken over as a whole or not at all."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from eventreg.core import entries, events, names, phones, seats, wishes
from eventreg.core.audit import Actor
from eventreg.core.check_in_list import inert
from eventreg.core.entries import Entry
from eventreg.core.errors import AlreadyRegistered, EventFull, FieldRefused, ImportUnreadable, PhoneAtLimit, Refusal
from eventreg.core.models import Event, Source

MOST_ROWS = 5_000
"""In one go: registering so many takes some ten seconds, in which nobody else can."""
MOST_TOLD = 200
_LARGEST_UNPACKED = 32 * 1024 * 1024
_HEADS = {
    "name": ("name", "姓名", "名字", "参加人", "参加人姓名"),
    "phone": ("phone", "电话", "手机", "手机号", "手机号码", "联系电话", "电话号码"),
    "companion": ("companion", "同行", "同行人", "同来的人"),
    "contact": ("contact", "联系人"),
    "reading": ("reading", "pinyin", "拼音"),
    "wishes": ("wishes", "需要"),
    "state": ("state", "状态"),
}


@dataclass(frozen=True)
class Line:
    """One row of the file, by our own heads; ``number`` is its number in the file."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Fault:
    """Why one row cannot be taken: the key of a sentence and what fills it in."""

    number: int
    reason: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class Report:
    """What a file would do, or has done: so many rows, the faults (all counted, the first ones told), how many of those
    registered wait."""

    rows: int
    faulty: int
    faults: Sequence[Fault]
    seated: int = 0
    waiting: int = 0

    @property
    def is_good(self) -> bool:
        """Whether every row can be taken."""
        return self.rows > 0 and not self.faulty


class NotTaken(Exception):
    """Rows were refused, so that nothing is to be kept; rolls the transaction back."""

    def __init__(self, report: Report) -> None:
        super().__init__("import refused")
        self.report = report


def read(content: bytes) -> Sequence[Line]:
    """The rows of a CSV (UTF-8, GBK, UTF-16, with commas, semicolons or tabs) or XLSX file. ``ImportUnreadable`` for anything
    else, and for one without a head that names a name."""
    rows = _of_xlsx(content) if content[:4] == b"PK\x03\x04" else _of_text(_decoded(content))
    lines = ((number, [cell.strip() for cell in row]) for number, row in enumerate(rows, start=1))
    filled = ((number, row) for number, row in lines if any(row))
    head = next(filled, None)
    known = [_head(cell) for cell in head[1]] if head else []
    if "name" not in known or len(set(filter(None, known))) < len(list(filter(None, known))):
        raise ImportUnreadable("import_without_head")
    return [
        Line(number, {key: cell for key, cell in zip(known, row, strict=False) if key}) for number, row in filled
    ]  # fmt: skip


def _head(cell: str) -> str | None:
    folded = cell.strip().casefold()
    return next((key for key, spellings in _HEADS.items() if folded in spellings), None)


def _decoded(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        tried: tuple[str, ...] = ("utf-16",)
    elif b"\x00" in content:  # UTF-16 without its mark: the halves of its commas that are nothing tell which way round
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
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=comma):
            yield [_plain(cell.strip()) for cell in row]
    except csv.Error as error:
        raise ImportUnreadable("import_encoding") from error


def _of_xlsx(content: bytes) -> Iterator[list[str]]:
    import openpyxl  # noqa: PLC0415 - heavy, and only imports need it

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > _LARGEST_UNPACKED:
                raise ImportUnreadable("import_large")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        for row in book.worksheets[0].iter_rows(values_only=True):
            yield [_cell(cell) for cell in row]
    except ImportUnreadable:
        raise
    except Exception as error:  # whatever a broken file makes of a reader of files
        raise ImportUnreadable("import_encoding") from error


def _cell(value: Any) -> str:
    """A number typed as a figure is meant as its digits."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _ESCAPED.sub("_", str(value))


_ESCAPED = re.compile("_x005F_(?=x[0-9A-Fa-f]{4}_)")
"""What Excel writes for the _ of a text such as _x0041_, which would otherwise stand for an A."""


def _plain(cell: str) -> str:
    """Without the mark that our own CSV puts before what would be a formula."""
    return cell[1:] if cell.startswith("'") else cell


def _entry(line: Line, area_code: str | None, waitlist: bool) -> Entry:
    cells = line.cells
    name = names.with_reading(names.parse(cells.get("name", "")), cells.get("reading", ""))
    party = [name]
    if cells.get("companion"):
        party.append(names.parse(cells["companion"], "companion-1"))
    phone = phones.parse(cells["phone"], area_code) if cells.get("phone") else phones.NONE
    # The same row again is the same registration: an import that was sent twice takes nobody twice.
    key = sha256(repr((name.folded, phone.number, line.number)).encode()).hexdigest()[:32]
    contact = cells.get("contact", "")[: names.MOST_CODE_POINTS] or None
    asked = wishes.join(cells.get("wishes", "").replace("，", ",").split(","))
    return Entry(
        tuple(party), phone, "zh", Source.PHONE, key, waitlist=waitlist, contact=contact, wishes=asked
    )  # fmt: skip


def _is_cancelled(line: Line) -> bool:
    """A row of our own export that was cancelled is left out, rather than brought back."""
    return line.cells.get("state", "") == "cancelled"


def judge(event: Event, lines: Sequence[Line], *, waitlist: bool) -> tuple[Report, Sequence[tuple[int, Entry]]]:
    """What can be said of the rows without asking the database; where there are too many, of the first ones."""
    line_of = events.definition(event).phone_line
    area_code = line_of.area_code if line_of else None
    faults, good = [], []
    meant = [line for line in lines if not _is_cancelled(line)]
    if len(meant) > MOST_ROWS:
        faults.append(Fault(0, "import_too_many", {"rows": len(meant), "room": MOST_ROWS}))
    for line in meant[:MOST_ROWS]:
        try:
            good.append((line.number, _entry(line, area_code, waitlist)))
        except FieldRefused as refusal:
            faults.append(Fault(line.number, refusal.reason, refusal.values))
    return Report(len(meant), len(faults), faults[:MOST_TOLD]), good


def take(
    session: Session, event: Event, lines: Sequence[Line], *, waitlist: bool, secret_key: str, by: Actor, now: datetime
) -> Report:
    """Register everybody, in the order of the file. Raises ``NotTaken`` with a report where a single row cannot be taken:
    then nothing is to be kept."""
    report, good = judge(event, lines, waitlist=waitlist)
    if not report.rows or report.faulty:
        raise NotTaken(report)
    counted = seats.lock(session, event.id, now=now)
    room = max(0, counted.capacity - counted.taken) + (max(0, event.waitlist_size - counted.waiting) if waitlist else 0)
    if len(good) > min(MOST_ROWS, room):
        too_many = Fault(0, "import_too_many", {"rows": len(good), "room": min(room, MOST_ROWS)})
        raise NotTaken(Report(report.rows, len(good), [too_many]))
    faults = []
    for number, entry in good:
        try:
            entries.register(session, event, entry, secret_key=secret_key, by=by, now=now)
        except Refusal as refusal:
            faults.append(Fault(number, *_why(refusal)))
    if faults:
        raise NotTaken(Report(report.rows, len(faults), faults[:MOST_TOLD]))
    after = seats.count(session, event.id, now=now)
    return Report(report.rows, 0, (), after.taken - counted.taken, after.waiting - counted.waiting)


def _why(refusal: Refusal) -> tuple[str, Mapping[str, object]]:
    match refusal:
        case FieldRefused():
            return refusal.reason, refusal.values
        case AlreadyRegistered():
            return "import_known", {}
        case EventFull():
            return "import_no_seat", {}
        case PhoneAtLimit():
            return "desk_phone_at_limit", {"limit": refusal.limit}
    return f"refused_{refusal.code}", {}


def as_text(lines: Sequence[Line]) -> str:
    """The rows as a CSV that ``read`` understands: what was tried is what is then taken."""
    out = io.StringIO()
    rows = csv.writer(out)
    heads = list(_HEADS)
    rows.writerow(heads)
    rows.writerows([inert(line.cells.get(head, "")) for head in heads] for line in lines)
    return out.getvalue()
