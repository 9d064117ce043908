"""Import a list of people: check each row, then register all of them or none."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from eventreg.core.audit import Actor
from eventreg.core.errors import AlreadyRegistered, EventFull, FieldRefused, PhoneAtLimit, Refusal
from eventreg.core.importing import import_rows, list_columns, register_many
from eventreg.core.importing.import_file import MOST_ROWS, FileRow, Table
from eventreg.core.importing.import_rows import Row
from eventreg.core.importing.list_columns import Listed
from eventreg.core.importing.register_many import Outcome
from eventreg.core.models.event import Event
from eventreg.core.registration import register, seats
from eventreg.core.registration.entries import Entry
from eventreg.core.registration.seats import SeatCount
from eventreg.core.values.cells import inert

MOST_TOLD = 200
"""Faults in a report."""


@dataclass(frozen=True)
class Fault:
    """Why a row cannot be registered: its number, and the key and values of a sentence.

    ``cell`` is what the file has there, or the name. The number is 0 if it is about the whole file.
    """

    number: int
    reason: str
    values: Mapping[str, object]
    cell: str = ""


@dataclass(frozen=True)
class Report:
    """The result of an import, or of a trial: rows, faults, and how many got seats or wait.

    ``rows`` does not count the ``cancelled`` rows, which are not imported. ``faulty`` counts all
    faults, ``faults`` lists the first ones.
    """

    rows: int
    faulty: int
    faults: Sequence[Fault]
    seated: int = 0
    waiting: int = 0
    cancelled: int = 0
    without_phone: int = 0
    """People whom nobody can call."""
    with_email: int = 0
    """Parties that get mails."""
    again: int = 0
    """Parties that an earlier import of the same file registered."""

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
    """The number of a row in the file, and the registration made of it and of its party."""

    number: int
    entry: Entry


def judge(event: Event, listed: Listed, *, waitlist: bool) -> tuple[Report, Sequence[CheckedRow]]:
    """Check the rows without the database; at most the first ``MOST_ROWS``.

    Raises ``ColumnsUnclear`` if it is not decided what each column holds.
    """
    table, columns = listed.table, listed.columns
    if table.count > MOST_ROWS and list_columns.problems(columns):
        return Report(table.count, 1, [_too_many_rows(table)]), []
    decided = list_columns.require_clear(columns)
    rows, cancelled, faults = _live([import_rows.by_column(row, decided) for row in table.rows])
    good = []
    for party in import_rows.in_parties(rows):
        first = party[0]
        try:
            entry = import_rows.entry(event, party, waitlist=waitlist)
            good.append(CheckedRow(first.number, entry))
        except FieldRefused as refusal:
            faults.append(_blame(party, refusal))
    faults.sort(key=lambda fault: fault.number)
    about_all = _about_all(table, cancelled)
    faults = about_all + faults
    report = Report(
        table.count - cancelled,
        len(faults),
        faults[:MOST_TOLD],
        cancelled=cancelled,
        without_phone=sum(len(one.entry.names) for one in good if not one.entry.phone.number),
        with_email=sum(one.entry.email is not None for one in good),
    )
    return report, good


def _live(rows: Sequence[Row]) -> tuple[list[Row], int, list[Fault]]:
    """The rows that are not cancelled, how many are, and those whose state is not known."""
    live, cancelled, faults = [], 0, []
    for row in rows:
        try:
            if import_rows.is_cancelled(row):
                cancelled += 1
            else:
                live.append(row)
        except FieldRefused as refusal:
            faults.append(_blame([row], refusal))
    return live, cancelled, faults


def _blame(party: Sequence[Row], refusal: FieldRefused) -> Fault:
    """The fault of the row of a party that has the refused cell."""
    row = next((row for row in party if row.blamed(refusal)), party[0])
    return Fault(row.number, refusal.reason, refusal.values, row.blamed(refusal))


def _too_many_rows(table: Table) -> Fault:
    return Fault(0, "import_too_many", {"rows": table.count, "room": MOST_ROWS})


def _about_all(table: Table, cancelled: int) -> list[Fault]:
    if table.count > MOST_ROWS:
        return [_too_many_rows(table)]
    if not table.count:
        return [Fault(0, "import_only_heads", {})]
    if table.count == cancelled:
        return [Fault(0, "import_only_cancelled", {"count": cancelled})]
    return []


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
    if not report.is_good:
        raise NotTaken(report)
    counted = seats.lock(session, event.id, now=now)
    room = max(0, counted.capacity - counted.taken) + (
        max(0, event.waitlist_size - counted.waiting) if waitlist else 0
    )
    if len(good) > min(MOST_ROWS, room):
        too_many = Fault(0, "import_too_many", {"rows": len(good), "room": min(room, MOST_ROWS)})
        raise NotTaken(replace(report, faulty=len(good), faults=[too_many]))
    entries = [one.entry for one in good]
    seat = register_many.seat_all if register_many.is_usual(counted, entries) else _one_by_one
    outcome = seat(session, event, entries, counted, secret_key=secret_key, by=by, now=now)
    if outcome.refused:
        faults = [
            Fault(good[place].number, *_why(refusal), entries[place].names[0].typed)
            for place, refusal in outcome.refused
        ]
        raise NotTaken(replace(report, faulty=len(faults), faults=faults[:MOST_TOLD]))
    after = seats.count(session, event.id, now=now)
    return replace(
        report,
        seated=after.taken - counted.taken,
        waiting=after.waiting - counted.waiting,
        again=outcome.again,
    )


def _one_by_one(
    session: Session,
    event: Event,
    entries: Sequence[Entry],
    _: SeatCount,
    *,
    secret_key: str,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Register each entry by itself, because some may have to wait or use seats that are kept."""
    refused, again = [], 0
    for place, entry in enumerate(entries):
        try:
            made = register.register(session, event, entry, secret_key=secret_key, by=by, now=now)
            again += made.again
        except Refusal as refusal:
            refused.append((place, refusal))
    return Outcome(refused, again)


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


def as_text(table: Table) -> str:
    """The table as a CSV for ``import_file.read``, so that the import has the rows of the trial.
    Each row keeps its number."""
    out = io.StringIO()
    out.write("sep=,\r\n")
    writer = csv.writer(out)
    at = 1
    for row in (FileRow(table.head_number, table.heads), *table.rows):
        for _ in range(row.number - at):
            writer.writerow([])
        writer.writerow([inert(cell) for cell in row.cells])
        at = row.number + 1
    return out.getvalue()
