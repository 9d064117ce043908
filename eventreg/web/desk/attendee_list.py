"""The attendee list: search, filter and sort it, and do one thing with several registrations."""

from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from flask import g, redirect, render_template, request, url_for

from eventreg.core import outbox
from eventreg.core.audit import Actor
from eventreg.core.desk import attendee_counts, attendee_list, call_outcomes, search
from eventreg.core.desk.attendee_list import Filter, Selection, Sort
from eventreg.core.errors import AlreadyCancelled, EventFull, NotWaiting, RegistrationUnknown
from eventreg.core.event import events
from eventreg.core.models.calls import CallOutcome
from eventreg.core.registration import cancellations, identity, waitlist
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import Session, reading, write
from eventreg.web import access, notes
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about, seats_now
from eventreg.web.forms import fields
from eventreg.web.language import count, say
from eventreg.web.limits import limits
from eventreg.web.wire import sent
from eventreg.web.wire.answers import Answer

Choice = TypeVar("Choice", bound=StrEnum)
_MOST_AT_ONCE = 500


class Bulk(StrEnum):
    """What can be done with several registrations at once."""

    TOLD = "told"
    CANCEL = "cancel"
    PROMOTE = "promote"
    PRINT = "print"


def _choice(choices: type[Choice], value: str, default: Choice) -> Choice:
    """The choice that was sent, or the default if it is not one of the choices."""
    return choices(value) if value in list(choices) else default


def asked_for() -> Selection:
    """The part of the attendee list that the address asks for."""
    query = request.args.get("q", "").strip()
    return Selection(
        query=query,
        filter=_choice(Filter, request.args.get("state", ""), Filter.ALL),
        sort=_choice(Sort, request.args.get("sort", ""), Sort.FIT if query else Sort.NAME),
        page=sent.number("page", most=100_000) or 1,
    )


@blueprint.get("/attendees")
@requires(Permission.SEE_ATTENDEES)
def listed(slug: str) -> str:
    """One page of the list, and the names that sound like the one searched for."""
    event, asked = events.get(reading(), slug), asked_for()
    if asked.query:
        limits.limits().hit("search", limits.SEARCH, str(access.actor().staff_id))
    found = search.search(reading(), event, asked)
    return render_template(
        "desk/attendees/attendee_list.html",
        asked=asked,
        found=found,
        pages=-(-found.people // attendee_list.PAGE),
        first=(asked.page - 1) * attendee_list.PAGE + 1,
        rows=found.rows,
        near=found.near,
        counts=attendee_counts.by_filter(reading(), event),
        # made once: with 200 rows, making each link took a sixth of the time of the page
        registrations=url_for("desk.registration", slug=slug, registration_id=0)[:-1],
        said=_result_of_bulk(),
        seats=seats_now(event),
        **about(event),
    )


def _result_of_bulk() -> str:
    """How many the last act was done with, and how many it skipped, said once; empty if there was
    none."""
    match notes.take("bulk"):
        case [str(act), int(done), int(skipped)] if act in list(Bulk):
            said = [count(f"bulk_{act}_done", done)]
            if act == Bulk.CANCEL and done:
                said.append(say("bulk_cancel_then"))
            if skipped:
                said.append(count("bulk_skipped", skipped))
            return " ".join(said)
    return ""


@blueprint.post("/attendees")
@requires(Permission.CORRECT)
def bulk(slug: str) -> Answer:
    """Do one thing with every ticked registration. Cancelling asks first. A registration to which
    the act no longer applies is skipped, and counted."""
    event, ticked = events.get(reading(), slug), fields.registrations_sent()
    chosen = dict(list(ticked.items())[:_MOST_AT_ONCE])
    act = _choice(Bulk, request.form.get("act", ""), Bulk.PRINT)
    if not chosen:
        return redirect(url_for("desk.listed", slug=slug), 303)
    if act is Bulk.PRINT:
        named = [f"{number}.{mark}" for number, mark in chosen.items()]
        return redirect(url_for("desk.printed_list", slug=slug, registration=named), 303)
    if act is Bulk.CANCEL and request.form.get("confirmed") != "yes":
        people = attendee_list.of_registrations(reading(), event, chosen, Filter.ALL)
        live = [row for row in people if row.is_live]
        return render_template(
            "desk/attendees/bulk_cancel.html", chosen=chosen, people=live, **about(event)
        )
    by, now = access.actor(), g.now
    done = sum(_do(slug, one, act, by, now) for one in chosen.items())
    notes.keep("bulk", [act, done, len(chosen) - done])
    return redirect(url_for("desk.listed", slug=slug), 303)


def _do(slug: str, chosen: tuple[int, str], act: Bulk, by: Actor, now: datetime) -> bool:
    """Do it with one registration, in a transaction of its own; say whether it could be done."""

    def one(session: Session) -> bool:
        event = events.get(session, slug)
        found = identity.registration(session, event, *chosen)
        if act is Bulk.CANCEL:
            cancellations.cancel(session, event, found, by=by, now=now)
        elif act is Bulk.PROMOTE:
            waitlist.seat(session, event, found, by=by, now=now)
        elif outbox.owed_calls(session, found.id):
            call_outcomes.record(
                session, event, found, CallOutcome.REACHED, tries=None, by=by, now=now
            )
        else:
            return False
        return True

    try:
        return write(one)
    except (AlreadyCancelled, NotWaiting, EventFull, RegistrationUnknown):
        return False
