"""Register people who walk in: a name is enough. Without a free seat they get a number."""

from dataclasses import dataclass

from flask import current_app, g, redirect, render_template, request, url_for

from eventreg.core.door import present, walk_ins
from eventreg.core.door.walk_ins import Newcomer
from eventreg.core.errors import (
    AlreadyRegistered,
    FieldRefused,
    FormKeyReused,
    PhoneAtLimit,
    Refusal,
    RegistrationClosed,
)
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.registration import arrivals
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.door.check_in import Told, blueprint, page
from eventreg.web.event_facts import about, seats_now
from eventreg.web.forms import form_token
from eventreg.web.language import say, say_refusal
from eventreg.web.wire.answers import Answer


@dataclass(frozen=True)
class Room:
    """The seats as the door sees them: ``free`` + ``arrived`` + ``expected`` = ``capacity``, unless
    the event is over its capacity."""

    capacity: int
    arrived: int
    expected: int
    """Seats of people who have not come yet."""
    free: int


def room(event: Event) -> Room:
    """The seats now. Seats held for callers are free for who stands at the door."""
    counted, presence = seats_now(event), arrivals.presence(reading(), event)
    return Room(
        counted.capacity,
        presence.arrived,
        presence.expected - presence.arrived,
        max(0, counted.capacity - counted.taken),
    )


@blueprint.get("/<slug>/walk-ins")
@requires(Permission.CHECK_IN)
def walk_in_form(slug: str) -> str:
    """The form. With ``got``, the random id of a walk-in, also what that person got."""
    event = events.get(reading(), slug)
    got = request.args.get("got", "")
    return _form_page(event, told=present.of(reading(), event, got) if got else None)


def _form_page(event: Event, *, problems: dict[str, str] | None = None, **values: object) -> str:
    return render_template(
        "door/walk_in.html",
        room=room(event),
        problems=problems or {},
        typed=request.form,
        key=form_token.new_key(),
        with_companion=min(walk_ins.MOST, event.max_party) > 1,
        **{"told": None, "said": "", **values},
        **about(event),
    )


@blueprint.post("/<slug>/walk-ins")
@requires(Permission.CHECK_IN)
def walk_in(slug: str) -> Answer:
    """Register ``name``, and ``companion-1`` if given. ``phone`` may be empty. An organiser may add
    a chair with ``over`` = ``chair``."""
    key, now, by = current_app.config["SECRET_KEY"], g.now, access.actor()
    newcomer = _newcomer()
    try:
        got = write(
            lambda session: walk_ins.walk_in(
                session, events.get(session, slug), newcomer, secret_key=key, by=by, now=now
            )
        )
    except AlreadyRegistered as known:
        event = events.get(reading(), slug)
        return page(event, registration_id=known.registration_id, told=Told("on-the-list")), 409
    except (FieldRefused, FormKeyReused, PhoneAtLimit, RegistrationClosed) as refusal:
        return _refused(slug, refusal)
    return redirect(url_for("door.walk_in_form", slug=slug, got=got.attendee), 303)


def _newcomer() -> Newcomer:
    """Who walked in, as it was typed."""
    sent = request.form.get("key", "")
    chair = request.form.get("over") == OverReason.CHAIR and access.may(Permission.GO_OVER)
    return Newcomer(
        name=request.form.get("name", ""),
        phone=request.form.get("phone", ""),
        at=g.now,
        key=sent if form_token.is_key(sent) else form_token.new_key(),
        companion=request.form.get("companion-1", ""),
        over=OverReason.CHAIR if chair else None,
    )


def _refused(slug: str, refusal: Refusal) -> tuple[str, int]:
    """The form again, with what was typed and what is wrong."""
    event = events.get(reading(), slug)
    match refusal:
        case FieldRefused():
            return _form_page(event, problems={refusal.field: say_refusal(refusal)}), 422
        case FormKeyReused():
            return _form_page(event, said=say("press_again")), 422
        case PhoneAtLimit():
            return _form_page(event, said=say("walk_in_number", limit=refusal.limit)), 409
    return _form_page(event, said=say("desk_closed")), 409
