"""Pages to erase personal data: of one registration on request, or all that is due (see
``core.erasure.Stage``). Another page gives a file with everything kept of one registration."""

from flask import Response, current_app, g, json, redirect, render_template, url_for

from eventreg.core import erasure
from eventreg.core.desk import attendee_list
from eventreg.core.event import events
from eventreg.core.registration import identity, lookup
from eventreg.core.staff.permissions import Permission
from eventreg.operations import forgetting
from eventreg.operations.forgetting import Purged
from eventreg.storage import old_backups
from eventreg.storage.session import reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.desk.registration import event_and_registration
from eventreg.web.event_facts import about
from eventreg.web.forms import fields
from eventreg.web.wire.answers import Answer


@blueprint.get("/registrations/<id:registration_id>/erase")
@requires(Permission.ERASE, password=True)
def ask_erase(slug: str, registration_id: int) -> Answer:
    """Say what erasing means, before it is done. Nothing is asked about people who are erased."""
    event = events.get(reading(), slug)
    found = lookup.of_event(reading(), event, registration_id)
    if found.erased_at is not None:
        return redirect(
            url_for("desk.registration", slug=slug, registration_id=registration_id), 303
        )
    return render_template(
        "desk/registration/erase.html",
        found=found,
        mark=identity.mark(found),
        people=attendee_list.of_registration(reading(), found.id),
        ended=g.now >= event.ends_at,
        backup_days=old_backups.KEPT.days,
        **about(event),
    )


@blueprint.post("/registrations/<id:registration_id>/erase")
@requires(Permission.ERASE, password=True)
def erase(slug: str, registration_id: int) -> Answer:
    """Erase the people of this registration. If the event is not over, this also cancels it, and
    the seats go to the waiting list. Backups keep the data until they are deleted. A second time
    changes nothing. Raises ``RegistrationUnknown`` if the form's mark is that of another
    registration."""
    forgetting.erase(slug, registration_id, fields.mark_sent(), by=access.actor(), now=g.now)
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


@blueprint.get("/registrations/<id:registration_id>/data.json")
@requires(Permission.ERASE, password=True)
def extract(slug: str, registration_id: int) -> Response:
    """A JSON file with all data of one registration, to give to its people. Writes an audit
    entry."""
    by, now = access.actor(), g.now
    found = write(
        lambda session: erasure.extract(
            session, *event_and_registration(session, slug, registration_id), by=by, now=now
        )
    )
    answer = current_app.response_class(
        json.dumps(found, ensure_ascii=False, indent=1), mimetype="application/json"
    )
    name = f"registration-{registration_id}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.get("/forget")
@requires(Permission.ERASE, password=True)
def ask_forget(slug: str) -> str:
    """Show what is due in this event. The button erases what is due in every event."""
    return _forget_page(slug)


def _forget_page(slug: str, done: Purged | None = None) -> str:
    event = events.get(reading(), slug)
    found = erasure.due(reading(), slug, now=g.now)
    return render_template(
        "desk/forget.html",
        found=found,
        done=done or Purged(),
        until=events.kept_until(event),
        **about(event),
    )


@blueprint.post("/forget")
@requires(Permission.ERASE, password=True)
def forget(slug: str) -> Answer:
    """Erase what is due in every event, and delete the overdue automatic backups. A second time
    changes nothing. If anything could not be erased, the page says what and why."""
    by, now, _ = access.actor(), g.now, events.get(reading(), slug)
    done = forgetting.purge(by=by, now=now)
    if done.failed or done.owed:
        return _forget_page(slug, done)
    return redirect(url_for("desk.ask_forget", slug=slug), 303)
