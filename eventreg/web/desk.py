"""The desk: the event at a glance, the attendee list, the printed list."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from eventreg import i18n
from eventreg.core import attendees, check_in_list, events, invariants, outbox, trail
from eventreg.core.attendees import Asked, Filter, Sort
from eventreg.core.models import Event
from eventreg.core.staff import Permission
from eventreg.db import reading
from eventreg.web import access, assets, limits
from eventreg.web.access import requires
from eventreg.web.event_facts import about, seats_now

blueprint = Blueprint("desk", __name__, url_prefix="/staff/events/<slug>")
Answer = str | Response | tuple[str, int]
Kind = TypeVar("Kind", bound=StrEnum)
_LATEST = 5
_LONG_TRAIL = 5_000
"""Entries of the audit trail beyond which telling it again on each visit would be felt."""


def _one_of(kind: type[Kind], sent: str, otherwise: Kind) -> Kind:
    """A choice from the address; anything unknown is the usual one."""
    return kind(sent) if sent in list(kind) else otherwise


@blueprint.get("")
@requires(Permission.SEE_EVENT)
def dashboard(slug: str) -> str:
    """How many seats are taken, by which way, and what to do next."""
    event = events.get(reading(), slug)
    long = trail.length(reading(), event.id) > _LONG_TRAIL and request.args.get("prove") != "all"
    seats_now(event)
    return render_template(
        "desk/dashboard.html",
        sum=invariants.of_event(reading(), event, now=g.now, from_the_trail=not long),
        trail_is_long=long,
        to_call=outbox.to_call(reading(), event),
        sources=attendees.by_source(reading(), event),
        latest=attendees.latest(reading(), event, _LATEST),
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
