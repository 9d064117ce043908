"""Type the ticked check-in sheet back in, after a morning with paper."""

from flask import g, redirect, render_template, request, url_for

from eventreg.core.desk import print_history, sheet_entry
from eventreg.core.event import events
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about
from eventreg.web.wire.answers import Answer


@blueprint.get("/paper")
@requires(Permission.TYPE_SHEET)
def sheet_entry_form(slug: str) -> str:
    """All names in the order of the printed list, to be ticked as on paper."""
    event = events.get(reading(), slug)
    return render_template(
        "desk/sheet_entry.html", lines=print_history.paper_rows(reading(), event), **about(event)
    )


@blueprint.post("/paper")
@requires(Permission.TYPE_SHEET)
def enter_sheet(slug: str) -> Answer:
    """Show what would change; with ``confirmed``, save it. A second time changes nothing."""
    event = events.get(reading(), slug)
    arrived, given = request.form.getlist("arrived"), request.form.getlist("gift")
    if request.form.get("confirmed") != "yes":
        found = sheet_entry.compare(reading(), event, arrived, given)
        ticked = {"arrived": arrived, "given": given}
        return render_template("desk/sheet_entry_check.html", found=found, **ticked, **about(event))
    by, now = access.actor(), g.now
    write(
        lambda session: sheet_entry.save(
            session, events.get(session, slug), arrived, given, by=by, now=now
        )
    )
    return redirect(url_for("desk.report", slug=slug), 303)
