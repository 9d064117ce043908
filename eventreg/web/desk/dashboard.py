"""The desk: the event at a glance, the attendee list and what can be done with several at once."""

from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from flask import Blueprint, g, redirect, render_template, request, url_for

from eventreg.core import audit, audit_replay, invariants, outbox
from eventreg.core.audit import Action, Actor
from eventreg.core.desk import (
    attendee_counts,
    attendee_list,
    bursts,
    call_outcomes,
    calls,
    duplicates,
    print_history,
)
from eventreg.core.desk.attendee_list import Filter, Selection, Sort
from eventreg.core.door import gifts
from eventreg.core.errors import AlreadyCancelled, EventFull, NotWaiting, RegistrationUnknown
from eventreg.core.event import events
from eventreg.core.models.calls import CallOutcome
from eventreg.core.models.event import Event
from eventreg.core.registration import cancellations, identity, waitlist
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import Session, reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.event_facts import about, seats_now
from eventreg.web.forms import fields
from eventreg.web.language import count
from eventreg.web.limits import limits
from eventreg.web.wire import sent
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("desk", __name__, url_prefix="/staff/events/<slug>")
Kind = TypeVar("Kind", bound=StrEnum)
_LATEST = 5
_LONG_TRAIL = 5_000
"""Entries of the audit trail beyond which telling it again on each visit would be felt."""


def _one_of(kind: type[Kind], asked: str, otherwise: Kind) -> Kind:
    """A choice from the address; anything unknown is the usual one."""
    return kind(asked) if asked in list(kind) else otherwise


def looked(
    event: Event, action: Action, *, registration_id: int | None = None, **details: Any
) -> Event:
    """Write down who looks at whole numbers, once an hour; returns the event as it is after
    that."""
    by, now, event_id, slug = access.actor(), g.now, event.id, event.slug
    if not audit.is_first_look(reading(), action, by, registration_id or event_id, now=now):
        return event
    about_whom = {"event_id": event_id, "registration_id": registration_id, **details}
    write(lambda session: audit.record(session, action, by, now=now, **about_whom))
    return events.get(reading(), slug)


@blueprint.get("")
@requires(Permission.SEE_EVENT)
def dashboard(slug: str) -> str:
    """How many seats are taken, by which way, and what to do next."""
    event = events.get(reading(), slug)
    long = (
        audit_replay.length(reading(), event.id) > _LONG_TRAIL
        and request.args.get("prove") != "all"
    )
    seats_now(event)
    prints = print_history.latest(reading(), event)
    return render_template(
        "desk/dashboard/dashboard.html",
        sum=invariants.of_event(reading(), event, now=g.now, from_the_trail=not long),
        trail_is_long=long,
        tasks=calls.tasks(reading(), event, now=g.now),
        same_names=len(duplicates.groups(reading(), event)),
        bursts=bursts.of_event(reading(), event, now=g.now),
        taken_back=sent.number("taken_back", least=0, most=9999) or 0,
        none_taken_back=request.args.get("taken_back") == "none",
        prints=prints,
        outdated=print_history.count_differences(reading(), event, prints),
        gifts=gifts.stock(reading(), event),
        sources=attendee_counts.by_source(reading(), event),
        latest=attendee_list.latest(reading(), event, _LATEST),
        phase=events.phase(event, g.now),
        **about(event),
    )


def asked_for() -> Selection:
    """Which part of the attendee list an address asks for."""
    return Selection(
        query=request.args.get("q", "").strip(),
        filter=_one_of(Filter, request.args.get("state", ""), Filter.ALL),
        sort=_one_of(Sort, request.args.get("sort", ""), Sort.NAME),
        page=sent.number("page", most=100_000) or 1,
    )


@blueprint.get("/attendees")
@requires(Permission.SEE_ATTENDEES)
def listed(slug: str) -> str:
    """The attendee list: searched, filtered, sorted."""
    event, asked = events.get(reading(), slug), asked_for()
    if asked.query:
        limits.limits().hit("search", limits.SEARCH, str(access.actor().staff_id))
    found = attendee_list.count_found(reading(), event, asked)
    return render_template(
        "desk/attendees/attendee_list.html",
        asked=asked,
        pages=-(-found // attendee_list.PAGE),
        first=(asked.page - 1) * attendee_list.PAGE + 1,
        rows=attendee_list.listed(reading(), event, asked),
        near=attendee_list.near(reading(), event, asked) if asked.page == 1 else [],
        counts=attendee_counts.by_filter(reading(), event),
        said=_said_of_bulk(),
        seats=seats_now(event),
        **about(event),
    )


class Bulk(StrEnum):
    """What can be done with several registrations at once."""

    TOLD = "told"
    CANCEL = "cancel"
    PROMOTE = "promote"
    PRINT = "print"


_MOST_AT_ONCE = 500


def _said_of_bulk() -> str:
    done, act = sent.number("done", least=0, most=_MOST_AT_ONCE), request.args.get("act", "")
    return count(f"bulk_{act}_done", done) if act in list(Bulk) and done is not None else ""


@blueprint.post("/attendees")
@requires(Permission.CORRECT)
def bulk(slug: str) -> Answer:
    """Do one thing with all that are ticked; cancelling asks once more. What no longer applies to
    one is left out."""
    event, sent = events.get(reading(), slug), fields.registrations_sent()
    chosen = dict(list(sent.items())[:_MOST_AT_ONCE])
    act = _one_of(Bulk, request.form.get("act", ""), Bulk.PRINT)
    if not chosen:
        return redirect(url_for("desk.listed", slug=slug), 303)
    if act is Bulk.PRINT:
        ticked = [f"{number}.{mark}" for number, mark in chosen.items()]
        return redirect(url_for("desk.printed_list", slug=slug, registration=ticked), 303)
    if act is Bulk.CANCEL and request.form.get("confirmed") != "yes":
        people = attendee_list.of_registrations(reading(), event, chosen, Filter.ALL)
        live = [row for row in people if row.cancelled_at is None]
        return render_template(
            "desk/attendees/bulk_cancel.html", chosen=chosen, people=live, **about(event)
        )
    by, now = access.actor(), g.now
    done = sum(_done(slug, one, act, by, now) for one in chosen.items())
    return redirect(url_for("desk.listed", slug=slug, act=act, done=done), 303)


def _done(slug: str, chosen: tuple[int, str], act: Bulk, by: Actor, now: datetime) -> bool:
    """Whether it could be done with this one. Each is an act of its own: one that cannot be done
    spoils no other."""

    def one(session: Session) -> bool:
        event = events.get(session, slug)
        found = identity.registration(session, event, *chosen)
        if act is Bulk.CANCEL:
            cancellations.cancel(session, event, found, by=by, now=now)
        elif act is Bulk.PROMOTE:
            waitlist.seat(session, event, found, by=by, now=now)
        elif outbox.owed_calls(session, found.id):
            reached = CallOutcome.REACHED
            call_outcomes.record(session, event, found, reached, tries=None, by=by, now=now)
        else:
            return False
        return True

    try:
        return write(one)
    except (AlreadyCancelled, NotWaiting, EventFull, RegistrationUnknown):
        return False


@blueprint.get("/duplicates")
@requires(Permission.CORRECT)
def same_names(slug: str) -> str:
    """People of one name under several numbers, side by side."""
    event = events.get(reading(), slug)
    return render_template(
        "desk/attendees/duplicates.html", groups=duplicates.groups(reading(), event), **about(event)
    )


@blueprint.post("/duplicates")
@requires(Permission.CORRECT)
def tell_apart(slug: str) -> Answer:
    """They are different people."""
    people, by, now = request.form.getlist("attendee"), access.actor(), g.now
    write(
        lambda session: duplicates.tell_apart(
            session, events.get(session, slug), people, by=by, now=now
        )
    )
    return redirect(url_for("desk.same_names", slug=slug), 303)
