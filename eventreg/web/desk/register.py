"""Register a party at the desk, by telephone or as a walk-in; and hints while the form is typed."""

from typing import Any

from flask import Response, current_app, g, jsonify, redirect, render_template, request, url_for

from eventreg.core.desk import attendee_list
from eventreg.core.errors import (
    AlreadyRegistered,
    EventFull,
    FieldRefused,
    FormKeyReused,
    PhoneAtLimit,
    RegistrationClosed,
    WaitlistFull,
)
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Source
from eventreg.core.registration import register, waitlist
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.staff.permissions import Permission
from eventreg.core.values import names, phones
from eventreg.core.values.requests import Wish
from eventreg.storage.session import reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about, area_code, seats_now
from eventreg.web.forms import desk_form, fields, form_token
from eventreg.web.forms.desk_form import DeskForm
from eventreg.web.language import say, say_refusal
from eventreg.web.limits import limits
from eventreg.web.wire.answers import Answer

_SOURCES = {Source.PHONE.value: Source.PHONE, Source.WALK_IN.value: Source.WALK_IN}


def form_of(event: Event) -> DeskForm:
    """The desk's form, with what was sent."""
    return desk_form.of(event, area_code(event))


@blueprint.get("/registrations/new")
@requires(Permission.REGISTER)
def new(slug: str) -> str:
    """The empty form."""
    event = events.get(reading(), slug)
    return _form_page(event, form_of(event))


def _form_page(
    event: Event,
    form: DeskForm,
    *,
    said: str = "",
    existing: int | None = None,
    full: bool = False,
    at_limit: bool = False,
) -> str:
    """The form, with why it was refused. If the event is ``full`` or the number ``at_limit``, also
    with what can be done then."""
    counted, ended = seats_now(event), g.now >= event.ends_at
    source = request.form.get("source", request.args.get("source", Source.PHONE))
    return render_template(
        "desk/register.html",
        form=form,
        problems=form.problems,
        said=said,
        existing=existing,
        source=source if source in _SOURCES else Source.PHONE,
        locale=_locale(),
        typed=request.form,
        wished=request.form.getlist("wish"),
        wishes=list(Wish),
        seats=counted,
        room=full and not ended and waitlist.has_room(event, counted, form.people),
        room_beside=full
        and not ended
        and form.people > 1
        and counted.capacity > counted.taken
        and waitlist.has_room(event, counted, form.people - 1),
        full=full,
        at_limit=at_limit,
        reasons=list(OverReason),
        **about(event),
    )


def _locale() -> str:
    """The language of the ticket; Chinese by default."""
    return "en" if request.form.get("locale") == "en" else "zh"


@blueprint.post("/registrations/new")
@requires(Permission.REGISTER)
def take(slug: str) -> Answer:
    """Register the party, and lead to the page with the words to read back."""
    event = events.get(reading(), slug)
    form = form_of(event)
    if not form.validate():
        return _form_page(event, form), 422
    key, now, by = current_app.config["SECRET_KEY"], g.now, access.actor()
    source = _SOURCES.get(request.form.get("source", ""), Source.PHONE)
    try:
        entry = form.entry(_locale(), source, fields.notes_sent(), over_sent())
        made = write(
            lambda session: register.register(
                session, events.get(session, slug), entry, secret_key=key, by=by, now=now
            )
        )
    except FieldRefused as refusal:
        if refusal.field in {"email", "contact", "pinyin"}:
            return _form_page(event, form, said=say_refusal(refusal)), 422
        form.blame(refusal)
        return _form_page(event, form), 422
    except FormKeyReused:
        form.form_key.data = form_token.new_key()
        return _form_page(event, form, said=say("press_again")), 422
    except AlreadyRegistered as known:
        return _form_page(
            event, form, said=say("desk_already_registered"), existing=known.registration_id
        ), 409
    except (EventFull, PhoneAtLimit, RegistrationClosed, WaitlistFull) as refusal:
        full, at_limit = (
            isinstance(refusal, EventFull | WaitlistFull),
            isinstance(refusal, PhoneAtLimit),
        )
        return _form_page(event, form, said=_why_not(refusal), full=full, at_limit=at_limit), 409
    return redirect(url_for("desk.registration", slug=slug, registration_id=made.id, read=1), 303)


def over_sent() -> OverReason | None:
    """The reason for which an organiser goes over the cap; ``None`` for every other role, and if
    the form names no reason."""
    sent = request.form.get("over", "")
    return OverReason(sent) if sent in list(OverReason) and access.may(Permission.GO_OVER) else None


def _why_not(refusal: EventFull | PhoneAtLimit | RegistrationClosed | WaitlistFull) -> str:
    """The refusal in words for the clerk."""
    match refusal:
        case EventFull():
            return say("desk_full_some", left=refusal.left) if refusal.left else say("desk_full")
        case PhoneAtLimit():
            return say("desk_phone_at_limit", limit=refusal.limit)
        case WaitlistFull():
            return say("desk_waitlist_full")
    return say("desk_closed")


@blueprint.post("/registrations/hint")
@requires(Permission.REGISTER)
def hint(slug: str) -> Response:
    """Who is registered under this number, and how this name is read, as JSON. A POST, because URLs
    may be logged."""
    event = events.get(reading(), slug)
    limits.limits().hit("search", limits.SEARCH, str(access.actor().staff_id))
    answer: dict[str, Any] = {"known": [], "reading": ""}
    try:
        number = phones.parse(request.form.get("phone", ""), area_code(event)).number
        answer["known"] = [
            {
                "name": row.name,
                "address": url_for(
                    "desk.registration", slug=slug, registration_id=row.registration_id
                ),
            }
            for row in attendee_list.under_number(reading(), event, number)
        ]
    except FieldRefused:
        pass  # the number is not complete yet
    try:
        name = names.parse(request.form.get("name", ""))
        answer["reading"] = names.reading_of(name.sort_key) if names.has_han(name.typed) else ""
    except FieldRefused:
        pass  # no name yet
    return jsonify(answer)
