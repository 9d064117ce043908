"""Export the attendee list as CSV and XLSX, and import a list from a file, after a trial of every
row."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from flask import Response, abort, current_app, g, render_template, request

from eventreg import memory
from eventreg.core import audit
from eventreg.core.audit import Action
from eventreg.core.desk import attendee_counts, attendee_list, exports
from eventreg.core.desk.exports import Style
from eventreg.core.errors import ImportUnreadable
from eventreg.core.event import events
from eventreg.core.importing import import_file, imports, list_columns
from eventreg.core.importing.import_file import Table
from eventreg.core.importing.imports import NotTaken, Report
from eventreg.core.importing.list_columns import Column, Listed
from eventreg.core.models.event import Event
from eventreg.core.staff.permissions import Permission
from eventreg.readers import list_reader
from eventreg.storage.session import Session, apart, db, reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.desk.attendee_list import asked_for
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about
from eventreg.web.forms import fields
from eventreg.web.language import say
from eventreg.web.limits import limits
from eventreg.web.limits.limits import TooOften
from eventreg.web.wire.answers import Answer

_PIECE = 64 * 1024
_SAMPLES = 5
"""Rows of a file that are shown."""
_MOST_UNREAD = 200
_running_exports = BoundedSemaphore(2)


def _record_export(event: Event, kind: str) -> tuple[attendee_list.Selection, Style]:
    """Record an export before its first byte is sent. Returns what is exported and how: only
    organisers get whole telephone numbers."""
    asked, by, now = asked_for(), access.actor(), g.now
    limits.limits().hit("export", limits.EXPORT, str(by.staff_id))
    people, whole = (
        attendee_counts.found(reading(), event, asked),
        access.may(Permission.SEE_NUMBERS),
    )
    details: dict[str, Any] = {
        "kind": kind,
        "people": people,
        "filter": asked.filter,
        "whole_numbers": whole,
    }
    event_id, style = event.id, Style(g.language, events.zone(event), whole)
    write(
        lambda session: audit.record(
            session, Action.EXPORTED, by, now=now, event_id=event_id, **details
        )
    )
    return asked, style


@blueprint.get("/attendees.csv")
@requires(Permission.EXPORT, password=True)
def as_csv(slug: str) -> Response:
    """Everyone whom the list's search and filter find, on all pages, as CSV, sent while it is read.
    Audited. If two exports are running, it is refused with ``TooOften``."""
    turn = _Turn()
    with turn.over_if_refused():
        asked, style = _record_export(events.get(reading(), slug), "csv")
        event, engine = events.get(reading(), slug), db.engine

    def pieces() -> Iterator[str]:
        with apart(engine) as session:
            read = exports.as_csv(attendee_list.each(session, event, asked), style)
            held = next(read)
            for piece in read:
                yield held
                held = piece
        turn.over()  # before the last piece, which may wait for a slow browser
        yield held

    answer = _file(pieces(), slug, "csv", "text/csv")  # Flask adds the charset
    answer.call_on_close(turn.over)  # also if the browser stops reading half-way
    return answer


@blueprint.get("/attendees.xlsx")
@requires(Permission.EXPORT, password=True)
def as_xlsx(slug: str) -> Response:
    """The same as a spreadsheet, written to a temporary file that is deleted after it was sent."""
    turn = _Turn()
    with turn.over_if_refused():
        asked, style = _record_export(events.get(reading(), slug), "xlsx")
        event = events.get(reading(), slug)
    folder = tempfile.TemporaryDirectory(prefix="eventreg-")
    made = Path(folder.name) / "attendees.xlsx"
    try:
        exports.as_xlsx(attendee_list.each(reading(), event, asked), made, style)
    finally:
        turn.over()

    def pieces() -> Iterator[bytes]:
        with folder, made.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    answer = _file(pieces(), slug, "xlsx", kind)
    # A HEAD request, or a browser that has gone away, does not read the pieces to the end.
    answer.call_on_close(folder.cleanup)
    return answer


class _Turn:
    """One of the two exports that may run at a time; a third is refused with ``TooOften``."""

    def __init__(self) -> None:
        self._is_running = _running_exports.acquire(blocking=False)
        if not self._is_running:
            raise TooOften(5)

    @contextmanager
    def over_if_refused(self) -> Iterator[None]:
        """Let the next export begin if this one is refused before it begins."""
        try:
            yield
        except BaseException:
            self.over()
            raise

    def over(self) -> None:
        """Let the next export begin. A second call changes nothing."""
        if self._is_running:
            self._is_running = False
            _running_exports.release()
            memory.give_back()


def _file(pieces: Iterator[str] | Iterator[bytes], slug: str, ending: str, kind: str) -> Response:
    answer = current_app.response_class(pieces, mimetype=kind)
    name = f"{slug}-{g.now.astimezone(events.zone(events.get(reading(), slug))):%Y-%m-%d}.{ending}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.get("/import")
@requires(Permission.IMPORT)
def ask_import(slug: str) -> str:
    """Ask for the file."""
    return _page(events.get(reading(), slug))


@blueprint.post("/import")
@requires(Permission.IMPORT)
def do_import(slug: str) -> Answer:
    """Show what the columns of the file are taken for, and try it. With ``confirmed``, import what
    the trial showed: every row, or none."""
    event, text = events.get(reading(), slug), request.form.get("rows", "")
    content = text.encode() if text else fields.file_sent()
    if not text and len(content) > import_file.LARGEST:
        abort(413)
    try:
        table = list_columns.below_title(list_reader.read(content))
    except ImportUnreadable as refusal:
        return _page(event, said=say(refusal.reason, **refusal.values)), 422
    listed = Listed(table, _columns_sent(table))
    shown = _shown(listed)
    if shown["problems"] and table.is_whole:
        return _page(event, **shown), 422
    # What is imported is what was tried: a choice that was changed since is tried first.
    as_tried = request.form.get("tried") == shown["tried"]
    wanted = request.form.get("confirmed") == "yes"
    report, done = _imported(event, listed, confirmed=wanted and as_tried)
    memory.give_back()
    changed = wanted and not as_tried
    page = _page(events.get(reading(), slug), report=report, done=done, changed=changed, **shown)
    return page, 200 if report.is_good else 422


def _columns_sent(table: Table) -> Sequence[Column | None]:
    """What the clerk chose for each column; for a new file, what the columns are taken for."""
    if "column-0" not in request.form:
        return list_columns.guess(table)
    rest = Column.LEFT_OUT if request.form.get("rest") == Column.LEFT_OUT else None
    sent = [request.form.get(f"column-{place}", "") for place in range(len(table.heads))]
    return [Column(one) if one in list(Column) else rest for one in sent]


def _shown(listed: Listed) -> dict[str, Any]:
    """What the page shows and carries of a file. A file with too many rows is not carried, as the
    rest of its rows would be lost."""
    table, columns = listed.table, listed.columns
    return {
        "columns": [
            (head, column, [row.cells[place : place + 1] for row in table.rows[:_SAMPLES]])
            for place, (head, column) in enumerate(zip(table.heads, columns, strict=True))
        ],
        "numbers": [row.number for row in table.rows[:_SAMPLES]],
        "head_number": table.head_number,
        "problems": list_columns.problems(columns),
        "tried": ",".join([*(column or "" for column in columns), _waitlist_sent()]),
        "rows": imports.as_text(table) if table.is_whole else "",
        "unread": request.form.get("unread", "") or ", ".join(table.unread)[:_MOST_UNREAD],
    }


def _imported(event: Event, listed: Listed, *, confirmed: bool) -> tuple[Report, bool]:
    """Try the import, or do it. Returns its result, and whether it was done."""
    slug, by, now = event.slug, access.actor(), g.now
    waitlist = _waitlist_sent() == "yes"
    secret_key = current_app.config["SECRET_KEY"]

    def act(session: Session) -> Report:
        here = events.get(session, slug)
        report = imports.register_all(
            session, here, listed, waitlist=waitlist, secret_key=secret_key, by=by, now=now
        )
        if not confirmed:
            raise NotTaken(report)  # a trial does everything, and is then rolled back
        details = {"rows": report.rows, "seats": report.seated, "waiting": report.waiting}
        audit.record(session, Action.IMPORTED, by, now=now, event_id=here.id, **details)
        return report

    try:
        return write(act), confirmed
    except NotTaken as refused:
        return refused.report, False


def _waitlist_sent() -> str:
    """``yes`` if people for whom no seat is left may wait."""
    return "yes" if request.form.get("waitlist") == "yes" else ""


def _page(event: Event, **more: object) -> str:
    known = {
        "said": "",
        "report": None,
        "done": False,
        "changed": False,
        "columns": [],
        "rows": "",
        "choices": list(Column),
        "waitlist": _waitlist_sent() == "yes",
    }
    return render_template(
        "desk/import_export.html", **{**known, **more}, most=import_file.MOST_ROWS, **about(event)
    )
