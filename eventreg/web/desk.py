"""The desk: the event at a glance, the attendee list, registrations taken on the telephone, the printed list."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeVar

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from eventreg import i18n
from eventreg.core import attendees, audit, check_in_list, events, phones, registrations, seats
from eventreg.core.attendees import Asked, Filter, Sort
from eventreg.core.errors import (
    AlreadyCancelled,
    AlreadyRegistered,
    ChangedMeanwhile,
    EventFull,
    FieldRefused,
    FormKeyReused,
    PhoneAtLimit,
    RegistrationClosed,
)
from eventreg.core.models import Event, Registration, Source
from eventreg.core.staff import Permission
from eventreg.db import reading, transaction
from eventreg.web import access, addresses, assets, forms, guard, limits
from eventreg.web.access import requires
from eventreg.web.event_facts import about, area_code
from eventreg.web.language import say

blueprint = Blueprint("desk", __name__, url_prefix="/staff/events/<slug>")
Answer = str | Response | tuple[str, int]
Kind = TypeVar("Kind", bound=StrEnum)
_LATEST = 5
_SOURCES = {Source.PHONE.value: Source.PHONE, Source.WALK_IN.value: Source.WALK_IN}


def _one_of(kind: type[Kind], sent: str, otherwise: Kind) -> Kind:
    """A choice from the address; anything unknown is the usual one."""
    return kind(sent) if sent in list(kind) else otherwise


@blueprint.get("")
@requires(Permission.SEE_EVENT)
def dashboard(slug: str) -> str:
    """How many seats are taken, by which way, and what to do next."""
    event = events.get(reading(), slug)
    return render_template(
        "desk/dashboard.html",
        seats=seats.count(reading(), event.id),
        sources=attendees.by_source(reading(), event),
        latest=attendees.latest(reading(), event, _LATEST),
        public_url=guard.settings().public_url,
        phase=events.phase(event, g.now),
        **about(event),
    )


@blueprint.get("/attendees")
@requires(Permission.SEE_ATTENDEES)
def listed(slug: str) -> str:
    """The attendee list: searched, filtered, sorted."""
    event = events.get(reading(), slug)
    asked = Asked(
        query=request.args.get("q", "").strip(),
        filter=_one_of(Filter, request.args.get("state", ""), Filter.ALL),
        sort=_one_of(Sort, request.args.get("sort", ""), Sort.NAME),
        page=max(1, min(request.args.get("page", 1, type=int), 100_000)),
    )
    if asked.query:
        limits.limits().hit("search", limits.SEARCH, str(access.actor().staff_id))
    found = attendees.found(reading(), event, asked)
    return render_template(
        "desk/attendees.html",
        asked=asked,
        pages=-(-found // attendees.PAGE),
        first=(asked.page - 1) * attendees.PAGE + 1,
        rows=attendees.listed(reading(), event, asked),
        counts=attendees.counts(reading(), event),
        **about(event),
    )


def _form(event: Event) -> Any:
    return forms.of(event, area_code(event), public=False)


@blueprint.get("/registrations/new")
@requires(Permission.REGISTER)
def new(slug: str) -> str:
    """The empty form, for taking a registration on the telephone."""
    event = events.get(reading(), slug)
    return _new(event, _form(event))


def _new(event: Event, form: Any, *, said: str = "", existing: int | None = None) -> str:
    source = request.form.get("source", request.args.get("source", Source.PHONE))
    return render_template(
        "desk/new.html",
        form=form,
        problems=form.problems,
        said=said,
        existing=existing,
        source=source if source in _SOURCES else Source.PHONE,
        locale=_locale(),
        seats=seats.count(reading(), event.id),
        **about(event),
    )


def _locale() -> str:
    """The language in which the caller will see the ticket; Chinese unless said otherwise."""
    return "en" if request.form.get("locale") == "en" else "zh"


@blueprint.post("/registrations/new")
@requires(Permission.REGISTER)
def take(slug: str) -> Answer:
    """Save at once, and go on to the words to read back."""
    event = events.get(reading(), slug)
    form = _form(event)
    if not form.validate():
        return _new(event, form), 422
    entry = form.entry(_locale(), _SOURCES.get(request.form.get("source", ""), Source.PHONE))
    key = current_app.config["SECRET_KEY"]
    try:
        with transaction() as writing:
            event = events.get(writing, slug)
            made = registrations.register(writing, event, entry, secret_key=key, by=access.actor(), now=g.now)
    except FieldRefused as refusal:
        form.blame(refusal)
        return _new(event, form), 422
    except FormKeyReused:
        form.form_key.data = forms.new_key()
        return _new(event, form, said=say("press_again")), 422
    except AlreadyRegistered as known:
        return _new(event, form, said=say("desk_already_registered"), existing=known.registration_id), 409
    except (EventFull, PhoneAtLimit, RegistrationClosed) as refusal:
        return _new(event, form, said=_why_not(refusal)), 409
    return redirect(url_for("desk.registration", slug=slug, registration_id=made.id, read=1), 303)


def _why_not(refusal: EventFull | PhoneAtLimit | RegistrationClosed) -> str:
    if isinstance(refusal, EventFull):
        return say("desk_full_some", left=refusal.left) if refusal.left else say("desk_full")
    if isinstance(refusal, PhoneAtLimit):
        return say("desk_phone_at_limit", limit=refusal.limit)
    return say("desk_closed")


@blueprint.get("/registrations/<int:registration_id>")
@requires(Permission.SEE_ATTENDEES)
def registration(slug: str, registration_id: int) -> str:
    """One registration: who, how to reach them, what happened to it."""
    event = events.get(reading(), slug)
    return _registration(event, registrations.of_event(reading(), event, registration_id))


def _registration(event: Event, found: Registration, *, said: str = "", typed: dict[str, str] | None = None) -> str:
    people = attendees.of_registration(reading(), found.id)
    return render_template(
        "desk/registration.html",
        found=found,
        people=people,
        live=[person for person in people if person.cancelled_at is None],
        phone=phones.shown(found.phone_number),
        history=audit.history(reading(), found.id),
        ticket_path=addresses.ticket(found),
        read_back=request.args.get("read") == "1",
        typed=typed or {},
        said=said,
        **about(event),
    )


@blueprint.post("/registrations/<int:registration_id>/edit")
@requires(Permission.CORRECT)
def edit(slug: str, registration_id: int) -> Answer:
    """Correct names and number."""
    event = events.get(reading(), slug)
    found = registrations.of_event(reading(), event, registration_id)
    form = _form(event)
    if not form.validate():
        return _corrected(event, found, form, "; ".join(form.problems.values())), 422
    try:
        with transaction() as writing:
            event = events.get(writing, slug)
            found = registrations.of_event(writing, event, registration_id)
            corrected = (form.party(), form["phone"].parsed)
            version = forms.version_sent()
            registrations.edit(writing, event, found, corrected, version=version, by=access.actor(), now=g.now)
    except FieldRefused as refusal:
        return _corrected(event, found, form, say(refusal.reason, **refusal.values)), 422
    except AlreadyRegistered:
        return _corrected(event, found, form, say("desk_already_registered")), 409
    except PhoneAtLimit as refusal:
        return _corrected(event, found, form, say("desk_phone_at_limit", limit=refusal.limit)), 409
    except (ChangedMeanwhile, AlreadyCancelled) as refusal:
        return _corrected(event, found, form, say(f"desk_{refusal.code}")), 409
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


def _corrected(event: Event, found: Registration, form: Any, said: str) -> str:
    """The page again, with what was typed and why it was not taken."""
    fresh = registrations.of_event(reading(), event, found.id)
    return _registration(event, fresh, said=said, typed={field.name: field.data or "" for field in form})


@blueprint.post("/registrations/<int:registration_id>/cancel")
@requires(Permission.CORRECT)
def cancel(slug: str, registration_id: int) -> Answer:
    """Give the seats back, at once. Twice is once."""
    try:
        with transaction() as writing:
            event = events.get(writing, slug)
            found = registrations.of_event(writing, event, registration_id)
            registrations.cancel(writing, found, by=access.actor(), now=g.now)
    except AlreadyCancelled:
        pass  # pressed twice, or by two people: the page that follows says so
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


@blueprint.get("/check-in-list")
@requires(Permission.PRINT_LIST)
def printed_list(slug: str) -> str:
    """The list for the door, as paper."""
    event = events.get(reading(), slug)
    return check_in_list_page(event, check_in_list.sides(attendees.confirmed(reading(), event)))


def check_in_list_page(event: Event, sides: Sequence[check_in_list.Side], *, one_file: bool = False) -> str:
    """The check-in list as a page of sections, one a side; the command line prints the same, with its style inside."""
    opens, now = (moment.astimezone(events.zone(event)) for moment in (event.check_in_opens_at, g.now))
    return render_template(
        "print/check_in_list.html",
        style=assets.text("print.css") if one_file else "",
        sides=sides,
        blank_rows=check_in_list.BLANK_ROWS,
        day_zh=i18n.day("zh", opens.date(), today=now.date()),
        printed_at=f"{now:%m-%d} {i18n.time(now)}",
        **about(event),
    )
