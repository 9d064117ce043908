"""The status page: is everything well, what comes next, and a backup to take away."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from flask import Blueprint, Flask, Response, current_app, g, redirect, render_template, url_for

from eventreg.core import audit
from eventreg.core.audit import Action
from eventreg.core.backups import names
from eventreg.core.backups.names import Kind
from eventreg.core.errors import CodeWrong, ProofWrong
from eventreg.core.event import events
from eventreg.core.models.staff import StaffMember
from eventreg.core.staff.permissions import Permission
from eventreg.storage import backups
from eventreg.storage.session import Session, reading
from eventreg.watching import alarms, status
from eventreg.web import access, notes
from eventreg.web.access import requires
from eventreg.web.limits import limits
from eventreg.web.staff import proof
from eventreg.web.staff.moments import staff_stamp
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("status", __name__, url_prefix="/staff/status")
_PIECE = 256 * 1024


@blueprint.get("")
@requires(Permission.OPERATE)
def see() -> str:
    """Every point, good or with one act; what is due next; and the self-tests of the days before
    the events to come."""
    return _page()


def _page(problem: str = "") -> str:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    found = status.points(app, now=g.now)
    return render_template(
        "staff/status.html",
        points=found,
        to_do=len(status.bad(found)),
        due=status.coming(now=g.now),
        events=[one for one in events.still_to_come(reading(), g.now) if one.ends_at > g.now],
        define=events.definition,
        member=proof.own_account(),
        tested=notes.take("alarm-test"),
        problem=problem,
        staff_stamp=staff_stamp,
    )


@blueprint.post("/test")
@requires(Permission.OPERATE)
def send_test() -> Answer:
    """Send a test message to everybody who would be told."""
    limits.limits().hit("alarm-test", limits.EXPORT, str(access.actor().staff_id))
    notes.keep("alarm-test", alarms.send_test())
    return redirect(url_for("status.see"), 303)


@blueprint.post("/backup")
@requires(Permission.OPERATE)
def take_backup() -> Answer:
    """A fresh backup to take away, for who gives the password and the code once more. Audited."""
    by, now = access.actor(), g.now

    def record(writing: Session, _member: StaffMember) -> None:
        audit.record(writing, Action.BACKUP_TAKEN, by, now=now)

    limits.limits().hit("backup", limits.EXPORT, str(by.staff_id))
    try:
        proof.with_proof(record)
    except (ProofWrong, CodeWrong):
        return _page(proof.is_wrong()), 422
    return _file(now)


def _file(now: datetime) -> Response:
    """The backup as a file. It is deleted from this machine after it was sent, or if it could not
    be."""
    settings = current_app.extensions["settings"]
    folder = Path(mkdtemp(prefix=".taken-", dir=settings.instance))
    recipient = settings.backup_recipient
    try:
        made = folder / names.name(Kind.SCHEDULED, now, is_encrypted=bool(recipient))
        backups.create(made, recipient)
        answer = Response(_pieces(made), mimetype="application/octet-stream")
    except BaseException:
        rmtree(folder, ignore_errors=True)
        raise
    answer.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    answer.content_length = made.stat().st_size
    answer.call_on_close(lambda: rmtree(folder, ignore_errors=True))
    return answer


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece
