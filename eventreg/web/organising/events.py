"""Make an event from an older one; edit, close, reopen, move or cancel it; save and send its file.

Every way leads to one page that shows what would change and for whom. Nothing changes before the
button of that page is pressed.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for

from eventreg import i18n
from eventreg.core.errors import ChangedMeanwhile, Contradicted, EventUnknown
from eventreg.core.event import event_file, events
from eventreg.core.event.definition import Definition
from eventreg.core.event.event_file import DefinitionInvalid
from eventreg.core.models.event import Event
from eventreg.core.organising import applying, consistency, drafts
from eventreg.core.staff.permissions import Permission
from eventreg.core.values.notices import NoticeKind
from eventreg.readers import event_reader
from eventreg.storage.session import Session, reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.forms import fields
from eventreg.web.language import say
from eventreg.web.organising import fact_words
from eventreg.web.organising.consequences import check_page
from eventreg.web.public import event_page, outage_page
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("organising", __name__, url_prefix="/staff/events")


def _typed() -> dict[str, str]:
    """The fields of the form that are facts of the event."""
    return {
        name: value
        for name, value in request.form.items()
        if name not in {"csrf_token", "act", "version"}
    }


def _form_page(definition: Definition, typed: Mapping[str, str], **more: Any) -> str:
    known: dict[str, Any] = {
        "event": None,
        "mistakes": [],
        "from_slug": "",
        "slug": definition.slug,
    }
    return render_template(
        "organising/form.html",
        facts=drafts.FACTS,
        lists=drafts.LISTS,
        rows={name: drafts.rows_of(typed, name) for name in drafts.LISTS},
        typed=typed,
        definition=definition,
        notice=definition.notice,
        notice_kinds=tuple(NoticeKind),
        pictures=("neck", "back", "legs", "hands"),
        **{**known, **more},
    )


def _new_page(said: str = "", mistakes: Sequence[str] = ()) -> str:
    """Ask which event to copy or which file to send; with the mistakes of the last one."""
    everything = events.all_events(reading())
    return render_template(
        "organising/new.html",
        events=everything,
        define=events.definition,
        zone_of=events.zone,
        said=said,
        mistakes=mistakes,
    )


@blueprint.get("/new")
@requires(Permission.MANAGE_EVENTS)
def new() -> Answer:
    """Ask which event to copy and to which day. With ``from`` and ``date``, the copy as a form."""
    chosen = request.args.get("from", "")
    try:
        day = dt.date.fromisoformat(request.args.get("date", ""))
        definition = events.definition(events.get(reading(), chosen))
        copied = drafts.copy(definition, drafts.slug_for(definition.slug, day), day)
    except (ValueError, OverflowError, EventUnknown, DefinitionInvalid):
        # An OverflowError is a day so late that the copy would end after the year 9999.
        said = say("date_wrong") if request.args.get("date") else ""
        return (_new_page(said=said), 422) if said else _new_page()
    return _form_page(copied, drafts.values(copied), from_slug=chosen)


@blueprint.post("/new")
@requires(Permission.MANAGE_EVENTS)
def draft() -> Answer:
    """A preview of the copy, or the page that shows what would be made."""
    event = events.get(reading(), request.form.get("from", ""))
    slug = request.form.get("slug", "").strip()
    return _previewed_or_checked(event, {"slug": slug}, {"from_slug": event.slug, "slug": slug})


@blueprint.get("/<slug>/edit")
@requires(Permission.MANAGE_EVENTS)
def edit(slug: str) -> str:
    """The form with every fact and text of the event, both languages side by side."""
    event = events.get(reading(), slug)
    definition = events.definition(event)
    return _form_page(definition, drafts.values(definition), **_state(event))


def _state(event: Event) -> dict[str, Any]:
    """The event as it is now, for the form."""
    phase = events.phase(event, g.now)
    return {"event": event, "phase": phase, "closable": phase is events.Phase.OPEN}


@blueprint.post("/<slug>/edit")
@requires(Permission.MANAGE_EVENTS)
def change(slug: str) -> Answer:
    """Show what one act, or the whole form, would change. Changes nothing."""
    event, act = events.get(reading(), slug), request.form.get("act", "")
    definition = events.definition(event)
    try:
        if act in {*NoticeKind, "no-notice"}:
            words = {
                lang: request.form.get(f"notice.{lang}", "").strip() for lang in i18n.LANGUAGES
            }
            return check_page(event, drafts.with_notice(definition, _notice_kind(act), words))
        if act in {"close", "reopen"}:
            now = g.now.astimezone(events.zone(event))
            return check_page(
                event, drafts.with_registration(definition, now if act == "close" else None)
            )
    except DefinitionInvalid:
        typed = {**drafts.values(definition), **_typed()}
        missing = fact_words.Mistake("notice", say("notice_label"), say("notice_needs_both"))
        return _form_page(definition, typed, mistakes=[missing], **_state(event)), 422
    return _previewed_or_checked(event, {}, _state(event))


def _notice_kind(act: str) -> NoticeKind | None:
    return NoticeKind(act) if act in set(NoticeKind) else None


def _previewed_or_checked(
    event: Event, more: Mapping[str, str], shown: Mapping[str, Any]
) -> Answer:
    """Read the form. Leads to a preview or to the check page; with mistakes, to the form again."""
    definition, act = events.definition(event), request.form.get("act", "")
    try:
        written = event_file.of_raw({**drafts.merged(definition, _typed()), **more})
    except DefinitionInvalid as invalid:
        mistakes = [fact_words.mistake(told) for told in invalid.mistakes]
        return _form_page(definition, _typed(), mistakes=mistakes, **shown), 422
    if act in {"preview-zh", "preview-en"}:
        g.language = act.removeprefix("preview-")
        return event_page.preview(applying.draft(written))
    return check_page(None if more else event, written)


@blueprint.post("/draft")
@requires(Permission.MANAGE_EVENTS)
def rework() -> Answer:
    """Go on with what the check page shows: edit it again, or move its times along with the start.
    Changes nothing."""
    try:
        written = event_reader.parse(request.form.get("toml", ""), "file")
        known = _known(written.slug)
        if known and request.form.get("act") == "move-along":
            moved = consistency.moved_along(events.definition(known), written)
            return check_page(known, moved)
    except DefinitionInvalid as invalid:
        return _new_page(mistakes=invalid.mistakes), 422
    from_slug = request.form.get("from", "")
    shown = _state(known) if known else {"from_slug": from_slug, "slug": written.slug}
    return _form_page(written, drafts.values(written), **shown)


def _known(slug: str) -> Event | None:
    """The event of that slug, if there is one."""
    return next((one for one in events.all_events(reading()) if one.slug == slug), None)


@blueprint.post("/upload")
@requires(Permission.MANAGE_EVENTS)
def upload() -> Answer:
    """Show what a sent event file would make or change."""
    content = fields.file_sent()
    try:
        written = event_reader.parse(content.decode(), "file")
    except (UnicodeDecodeError, DefinitionInvalid) as error:
        mistakes = (
            error.mistakes if isinstance(error, DefinitionInvalid) else [say("import_encoding")]
        )
        return _new_page(mistakes=mistakes), 422
    return check_page(_known(written.slug), written)


@blueprint.post("/apply")
@requires(Permission.MANAGE_EVENTS)
def apply() -> Answer:
    """Apply what the check page showed: waiting parties get seats that come free, and a new notice
    is owed to everyone. 409 if someone else changed the event, or took its slug, since; 422 if
    facts contradict each other and ``meant`` is not ticked."""
    version, tells = request.form.get("version", ""), request.form.get("tell") == "yes"
    try:
        shown = written = event_reader.parse(request.form.get("toml", ""), "file")
    except DefinitionInvalid as invalid:
        return _new_page(mistakes=invalid.mistakes), 422
    try:
        if tells:
            words = {lang: request.form.get(f"tell.{lang}", "").strip() for lang in i18n.LANGUAGES}
            written = drafts.with_notice(written, NoticeKind.MOVED, words)
        _save(written, version)
    except DefinitionInvalid:
        return check_page(_known(shown.slug), shown, said=say("notice_needs_both"), status=422)
    except ChangedMeanwhile:
        return check_page(_known(shown.slug), shown, said=say("event_changed_meanwhile"))
    except Contradicted:
        return check_page(_known(shown.slug), shown, said=say("refused_contradicted"), status=422)
    outage_page.write()
    return redirect(url_for("desk.dashboard", slug=written.slug), 303)


def _save(written: Definition, version: str) -> None:
    """Create the event, or change it if it still has that version. Raises ``Contradicted`` and
    ``ChangedMeanwhile``."""
    by, now, meant = access.actor(), g.now, request.form.get("meant") == "yes"

    def act(session: Session) -> None:
        if version == "0":
            consistency.require_consistent(written, None, meant=meant)
            drafts.create(session, written, by=by, now=now)
            return
        event = events.get(session, written.slug)
        if events.state_of(event) != version:
            raise ChangedMeanwhile
        consistency.require_consistent(written, events.definition(event), meant=meant)
        applying.apply(session, written, by=by, now=now)

    write(act)


@blueprint.get("/<slug>/event.toml")
@requires(Permission.MANAGE_EVENTS)
def file(slug: str) -> Response:
    """The event file, to keep or to edit."""
    event = events.get(reading(), slug)
    answer = current_app.response_class(
        event_file.write(events.definition(event)), mimetype="application/toml"
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="{slug}.toml"'
    return answer
