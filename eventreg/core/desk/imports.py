"""A list of people that was kept elsewhere: read, judged row by row, and taken over as a whole or
not at all."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from eventreg.core.audit import Actor
from eventreg.core.desk.check_in_list import inert
from eventreg.core.desk.import_file import HEADS, MOST_ROWS, Line, Listed
from eventreg.core.errors import AlreadyRegistered, EventFull, FieldRefused, PhoneAtLimit, Refusal
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Source
from eventreg.core.registration import register, seats
from eventreg.core.registration.entries import Entry
from eventreg.core.values import names, phones, requests

MOST_TOLD = 200


@dataclass(frozen=True)
class Fault:
    """Why one row cannot be taken: the key of a sentence and what fills it in."""

    number: int
    reason: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class Report:
    """What a file would do, or has done: so many rows, the faults (all counted, the first ones
    told), how many of those registered wait."""

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


def _entry(event: Event, line: Line, area_code: str | None, waitlist: bool) -> Entry:
    cells = line.cells
    name = names.with_reading(names.parse(cells.get("name", "")), cells.get("reading", ""))
    party = [name]
    if cells.get("companion"):
        party.append(names.parse(cells["companion"], "companion-1"))
    phone = phones.parse(cells["phone"], area_code) if cells.get("phone") else phones.NONE
    # The same row again is the same registration: an import that was sent twice takes nobody twice.
    # Of this event: a list may be taken for the next one too.
    key = sha256(repr((event.slug, name.folded, phone.number, line.number)).encode()).hexdigest()[
        :32
    ]
    contact = cells.get("contact", "")[: names.MOST_CODE_POINTS] or None
    asked = requests.join(cells.get("wishes", "").replace("，", ",").split(","))
    return Entry(
        tuple(party),
        phone,
        "zh",
        Source.PHONE,
        key,
        waitlist=waitlist,
        contact=contact,
        wishes=asked,
    )


def judge(
    event: Event, listed: Listed, *, waitlist: bool
) -> tuple[Report, Sequence[tuple[int, Entry]]]:
    """What can be said of the rows without asking the database; where there are too many, of the
    first ones."""
    line_of = events.definition(event).phone_line
    area_code = line_of.area_code if line_of else None
    faults, good = [], []
    if listed.rows > MOST_ROWS:
        faults.append(Fault(0, "import_too_many", {"rows": listed.rows, "room": MOST_ROWS}))
    for line in listed.lines:
        try:
            good.append((line.number, _entry(event, line, area_code, waitlist)))
        except FieldRefused as refusal:
            faults.append(Fault(line.number, refusal.reason, refusal.values))
    return Report(listed.rows, len(faults), faults[:MOST_TOLD]), good


def take(
    session: Session,
    event: Event,
    listed: Listed,
    *,
    waitlist: bool,
    secret_key: str,
    by: Actor,
    now: datetime,
) -> Report:
    """Register everybody, in the order of the file. Raises ``NotTaken`` with a report where a
    single row cannot be taken: then nothing is to be kept."""
    report, good = judge(event, listed, waitlist=waitlist)
    if not report.rows or report.faulty:
        raise NotTaken(report)
    counted = seats.lock(session, event.id, now=now)
    room = max(0, counted.capacity - counted.taken) + (
        max(0, event.waitlist_size - counted.waiting) if waitlist else 0
    )
    if len(good) > min(MOST_ROWS, room):
        too_many = Fault(0, "import_too_many", {"rows": len(good), "room": min(room, MOST_ROWS)})
        raise NotTaken(Report(report.rows, len(good), [too_many]))
    faults = []
    for number, entry in good:
        try:
            register.register(session, event, entry, secret_key=secret_key, by=by, now=now)
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


def as_text(listed: Listed) -> str:
    """The rows as a CSV that ``import_file.read`` understands: what was tried is what is then
    taken."""
    out = io.StringIO()
    rows = csv.writer(out)
    heads = list(HEADS)
    rows.writerow(heads)
    rows.writerows([inert(line.cells.get(head, "")) for head in heads] for line in listed.lines)
    return out.getvalue()
