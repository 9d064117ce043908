"""What doors uploaded and a person has to settle: one list, with buttons that settle it."""

from contextlib import suppress

from flask import current_app, g, redirect, render_template, request, url_for

from eventreg.core.desk import search
from eventreg.core.desk.attendee_list import Selection
from eventreg.core.desk.attendee_rows import Row
from eventreg.core.errors import FieldRefused, Refusal
from eventreg.core.event import events
from eventreg.core.staff.permissions import Permission
from eventreg.core.uploads import settling
from eventreg.core.uploads.settling import Decision, How, Open
from eventreg.storage.session import Session, reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.door import door_names
from eventreg.web.event_facts import about, area_code
from eventreg.web.language import say, say_refusal, say_stored
from eventreg.web.limits import limits
from eventreg.web.wire.answers import Answer

_MOST_FOUND = 8


def _why(one: Open) -> str:
    """Why an act could not take effect, or that somebody sits beyond the capacity; empty if there
    is no more to say."""
    if one.reason.endswith("-over"):
        return say("settle_over")
    if one.reason == "revoked":
        return say("settle_revoked")
    for key in (f"refused_{one.reason}", one.reason):
        with suppress(LookupError):
            return say(key)
    return ""


def _page(slug: str, said: str = "") -> str:
    """The list; with ``key`` and ``q``, the people whom a search finds for one of the acts."""
    event = events.get(reading(), slug)
    key, query = request.values.get("key", ""), request.values.get("q", "").strip()
    found: list[Row] = []
    if key and query:
        limits.limits().hit("search", limits.SEARCH, str(access.actor().staff_id))
        selection = Selection(query=query, area_code=area_code(event))
        answer = search.search(reading(), event, selection)
        found = [row for row in (*answer.rows, *answer.near) if row.is_live][:_MOST_FOUND]
    return render_template(
        "desk/to_settle.html",
        acts=settling.listed(reading(), event),
        door=door_names.shown,
        say_stored=say_stored,
        why=_why,
        key=key,
        query=query,
        found=found,
        said=said,
        **about(event),
    )


@blueprint.get("/to-settle")
@requires(Permission.CORRECT)
def to_settle(slug: str) -> str:
    """The acts that nobody has settled, in the order in which they arrived."""
    return _page(slug)


@blueprint.post("/to-settle")
@requires(Permission.CORRECT)
def settle(slug: str) -> Answer:
    """Settle one act, the ``key``, in the way ``how``. A second time changes nothing."""
    by, now, secret = access.actor(), g.now, current_app.config["SECRET_KEY"]
    sent = request.form
    how = sent.get("how", "")
    decision = Decision(
        sent.get("key", ""),
        How(how) if how in list(How) else How.SEEN,
        sent.get("attendee", ""),
        sent.get("name", ""),
        sent.get("phone", ""),
    )

    def act(session: Session) -> None:
        event = events.get(session, slug)
        settling.settle(session, event, decision, secret_key=secret, by=by, now=now)

    try:
        write(act)
    except FieldRefused as refusal:
        return _page(slug, say_refusal(refusal)), 422
    except Refusal as refusal:
        return _page(slug, say(f"refused_{refusal.code}")), 409
    return redirect(url_for("desk.to_settle", slug=slug), 303)
