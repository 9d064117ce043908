"""The pages that answer a registration form. All of them keep what was typed."""

from typing import Any

from flask import Response, render_template

from eventreg.core.models.event import Event
from eventreg.core.registration import waitlist
from eventreg.web import kept_pages, language
from eventreg.web.event_facts import facts, moment, seats_now
from eventreg.web.forms.guest_form import GuestForm
from eventreg.web.public.registering import check_page
from eventreg.web.public.unfinished import View
from eventreg.web.wire.answers import Answer

_FORM = "public/registering/register.html"


def show(event: Event, sent: GuestForm, view: View) -> Answer:
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
        page = check_page.with_wait(event, sent, wait, many_here=view.many_here)
        return page, view.status, {"Retry-After": str(wait.seconds)}
    return check_page.answer(event, sent), 200


def empty_form(event: Event, sent: GuestForm) -> Response:
    """The form before anything is typed."""

    def made() -> dict[str, object]:
        marked = GuestForm(event, None, sent.counted, {})
        marked.token = kept_pages.mark("token")
        return _of_form(event, marked, {}, "")

    kept = kept_pages.page(_FORM, (event, moment(event)), made)
    return kept_pages.answer(kept, {"token": sent.token})


def form(
    event: Event, sent: GuestForm, notice: str = "", status: int = 200, *, complain: bool = True
) -> tuple[str, int]:
    """The form with everything that was typed, and either its errors, a notice, or neither."""
    problems = sent.problems if complain and not notice else {}
    return render_template(_FORM, **_of_form(event, sent, problems, notice)), status


def _of_form(
    event: Event, sent: GuestForm, problems: dict[str, str], notice: str
) -> dict[str, object]:
    return {"form": sent, "problems": problems, "notice": notice, **facts(event)}


def full(event: Event, sent: GuestForm, status: int) -> tuple[str, int]:
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


def closed(event: Event, sent: GuestForm, status: int) -> tuple[str, int]:
    """The page that says why registration is closed, and when it opens."""
    return render_template("public/registering/closed.html", **_sent(sent), **facts(event)), status


def _already_registered(event: Event, sent: GuestForm) -> str:
    return render_template(
        "public/registering/already_registered.html", **_sent(sent), **facts(event)
    )


def _phone_at_limit(event: Event, sent: GuestForm) -> str:
    heading = language.say("phone_at_limit")
    return render_template("public/error.html", heading=heading, **_sent(sent), **facts(event))


def _sent(sent: GuestForm) -> dict[str, Any]:
    """The form, for a page that refuses it. Changing text size or language there keeps what was
    typed."""
    return {"form": sent, "confirmed": sent.was_confirmed}
