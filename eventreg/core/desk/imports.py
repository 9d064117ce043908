"""Import a list of people: check each row, then register all of them or none."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy.orm import Session

from eventreg.core.audit import Actor
from eventreg.core.desk.check_in_list import inert
from eventreg.core.desk.import_file import HEADS, MOST_ROWS, FileRow, Listed
from eventreg.core.errors import AlreadyRegistered, EventFull, FieldRefused, PhoneAtLimit, Refusal
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Source
from eventreg.core.registration import register, seats
from eventreg.core.registration.entries import Entry
from eventreg.core.values import names, phones, requests

MOST_TOLD = 200
"""Faults in a report."""


@dataclass(frozen=True)
class Fault:
    """Why a row cannot be registered: its number, and the key and values of a sentence."""

    number: int
    reason: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class Report:
    """The result of an import, or of a trial: rows, faults, and how many got seats or wait.

    ``faulty`` counts all faults, ``faults`` lists the first ones.
    """

    rows: int
    faulty: int
    faults: Sequence[Fault]
    seated: int = 0
    waiting: int = 0

    @property
    def is_good(self) -> bool:
        """Whether every row can be registered."""
        return self.rows > 0 and not self.faulty


class NotTaken(Exception):
    """Rolls the transaction back, because there are no rows, some were refused, or it is only a
    trial."""

    def __init__(self, report: Report) -> None:
        super().__init__("import refused")
        self.report = report


class CheckedRow(NamedTuple):
    """The number of a row in the file, and the entry made of it."""

    number: int
    entry: Entry


def _entry(event: Event, row: FileRow, area_code: str | None, waitlist: bool) -> Entry:
    cells = row.cells
    name = names.with_reading(names.parse(cells.get("name", "")), cells.get("reading", ""))
    party = [name]
    if cells.get("companion"):
        party.append(names.parse(cells["companion"], "companion-1"))
    phone = phones.parse(cells["phone"], area_code) if cells.get("phone") else phones.NONE
    # The same row has the same form key, so an import sent twice registers nobody twice. The slug
    # is part of it, as a list may be imported for another event too.
    identity = repr((event.slug, name.folded, phone.number, row.number))
    key = sha256(identity.encode()).hexdigest()[:32]
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


def judge(event: Event, listed: Listed, *, waitlist: bool) -> tuple[Report, Sequence[CheckedRow]]:
    """Check the rows without the database; at most the first ``MOST_ROWS``. Returns the report and
    the rows without a fault. More rows than ``MOST_ROWS`` are a fault, too."""
    phone_line = events.definition(event).phone_line
    area_code = phone_line.area_code if phone_line else None
    faults, good = [], []
    if listed.count > MOST_ROWS:
        faults.append(Fault(0, "import_too_many", {"rows": listed.count, "room": MOST_ROWS}))
    for row in listed.rows:
        try:
            good.append(CheckedRow(row.number, _entry(event, row, area_code, waitlist)))
        except FieldRefused as refusal:
            faults.append(Fault(row.number, refusal.reason, refusal.values))
    return Report(listed.count, len(faults), faults[:MOST_TOLD]), good


def register_all(
    session: Session,
    event: Event,
    listed: Listed,
    *,
    waitlist: bool,
    secret_key: str,
    by: Actor,
    now: datetime,
) -> Report:
    """Register all rows, in the order of the file. Raises ``NotTaken`` if there are no rows, more
    rows than places, or a single one that is refused; ``SeatsRaced`` as ``register.register``."""
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
    """The rows as a CSV for ``import_file.read``, so that the import has the rows of the trial."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADS)
    writer.writerows([inert(row.cells.get(head, "")) for head in HEADS] for row in listed.rows)
    return out.getvalue()
