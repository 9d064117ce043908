"""The pages that answer a registration form. All of them keep what was typed."""

from typing import Any

from flask import g, render_template

from eventreg.core.models.event import Event
from eventreg.core.models.registration import Source
from eventreg.core.registration import waitlist
from eventreg.core.values import phones
from eventreg.web import language
from eventreg.web.event_facts import facts, seats_now
from eventreg.web.public.unfinished import View
from eventreg.web.wire.answers import Answer


def show(event: Event, sent: Any, view: View) -> Answer:
    """The page of a view. The form must have been validated."""
    match view.page:
        case "form":
            page, status = form(event, sent, view.notice, view.status, complain=view.complain)
            return (page, status, {"Retry-After": "5"}) if status == 503 else (page, status)
        case "full":
            return full(event, sent, view.status)
        case "closed":
            return closed(event, sent, view.status)
        case "already-registered":
            return _already_registered(event, sent), view.status
        case "phone-at-limit":
            return _phone_at_limit(event, sent), view.status
    if wait := view.wait:
        return _check(event, sent, view), view.status, {"Retry-After": str(wait.seconds)}
    return _check(event, sent, view), 200


def form(
    event: Event, sent: Any, notice: str = "", status: int = 200, *, complain: bool = True
) -> tuple[str, int]:
    """The form with everything that was typed, and either its errors, a notice, or neither."""
    problems = sent.problems if complain and not notice else {}
    page = render_template(
        "public/registering/register.html",
        form=sent,
        problems=problems,
        notice=notice,
        **facts(event),
    )
    return page, status


def _check(event: Event, sent: Any, view: View) -> str:
    """The check page: everything that was typed, before the seats are taken."""
    left, entry = seats_now(event).left, sent.entry(g.language, Source.ONLINE)
    return render_template(
        "public/registering/check.html",
        form=sent,
        entry=entry,
        shown=phones.shown(entry.phone.number),
        wait=view.wait,
        many_here=view.many_here and view.waits,
        waits=left < len(entry.names),
        splits=sent.wants_split and left > 0,
        **facts(event),
    )


def full(event: Event, sent: Any, status: int) -> tuple[str, int]:
    """The page for too few seats: the next steps, with everything that was typed."""
    counted, people = seats_now(event), sent.people
    page = render_template(
        "public/registering/full.html",
        held=counted.held,
        left=counted.left,
        people=people,
        room=waitlist.has_room(event, counted, people),
        room_beside=counted.left > 0 and waitlist.has_room(event, counted, people - 1),
        **_sent(sent),
        **facts(event),
    )
    return page, status


def closed(event: Event, sent: Any, status: int) -> tuple[str, int]:
    """The page that says why registration is closed, and when it opens."""
    return render_template("public/registering/closed.html", **_sent(sent), **facts(event)), status


def _already_registered(event: Event, sent: Any) -> str:
    return render_template(
        "public/registering/already_registered.html", **_sent(sent), **facts(event)
    )


def _phone_at_limit(event: Event, sent: Any) -> str:
    heading = language.say("phone_at_limit")
    return render_template("public/error.html", heading=heading, **_sent(sent), **facts(event))


def _sent(sent: Any) -> dict[str, Any]:
    """The form, for a page that refuses it. Changing text size or language there keeps what was
    typed."""
    return {"form": sent, "confirmed": sent.was_confirmed}
