"""Find a lost ticket by name, telephone number and check-in code."""

from collections.abc import Mapping, Sequence

from flask import Blueprint, g, redirect, render_template, request
from werkzeug.wrappers import Response

from eventreg import log
from eventreg.core.errors import FieldRefused, RegistrationUnknown
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.registration import check_in_codes, lookup, sent_forms
from eventreg.core.values import names, phones
from eventreg.core.values.normal_form import normalize
from eventreg.storage.session import reading
from eventreg.web import addresses
from eventreg.web.access import anyone
from eventreg.web.event_facts import area_code, check_language, of_the_next
from eventreg.web.language import say, say_refusal
from eventreg.web.limits import limits
from eventreg.web.public import unfinished
from eventreg.web.public.unfinished import View
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("find", __name__)
_FIELDS = ("name", "phone", "code")


@blueprint.get("/<lang>/find")
@anyone
def form(lang: str) -> Answer:
    """The form for a lost ticket, or what was typed under this address before."""
    check_language(lang)
    key = request.args.get("form", "")
    found = unfinished.find(key) if key else None
    if found is None or found.typed is None:
        return _page(sent_forms.new_key(), {}, View("form", notice="form_gone" if key else ""))
    typed = found.typed["typed"]
    return _page(found.typed["form_key"], typed, unfinished.view_of(found.typed), came_from=key)


@blueprint.post("/<lang>/find")
@anyone
def send(lang: str) -> Answer:
    """Redirect to the ticket if name, number and code all match. The answer does not say which of
    them did not; it has an address of its own, so that Back and reload show it."""
    check_language(lang)
    form_key = unfinished.form_key_sent()
    answer = _judge(form_key)
    if isinstance(answer, Response):
        return answer
    typed = {field: request.form.get(field, "") for field in _FIELDS}
    kept = unfinished.come_back(f"/{lang}/find", form_key, typed, answer)
    return kept or _page(form_key, typed, answer)


def _judge(form_key: str) -> Response | View:
    """Redirect to the ticket, or say how the form comes back."""
    if request.form.get("show") == "form":
        return View("form", complain=False)
    counters, here = limits.limits(), limits.address()
    counters.check("find", limits.FIND, here)
    problems = {}
    try:
        name = names.parse(request.form.get("name", ""), "name")
    except FieldRefused as refusal:
        problems["name"] = say_refusal(refusal)
    try:
        phone = phones.parse(request.form.get("phone", ""), _area_code())
    except FieldRefused as refusal:
        problems["phone"] = say_refusal(refusal)
    code = "".join(normalize("NFKC", request.form.get("code", "")).split())
    if not (code.isascii() and code.isdigit() and 4 <= len(code) <= 12):
        problems["code"] = say("code_wrong")
    if problems:
        return View("form", 422, problems=problems)
    # Count before the look-up, because a code is easy to guess. Count the address first, so that
    # an address over its limit creates no counters for telephone numbers.
    counters.hit("find", limits.FIND, here)
    counters.hit("find-number", limits.FIND_NUMBER, phone.number)
    try:
        found = lookup.find(reading(), name, phone, code)
    except RegistrationUnknown:
        log.event("ticket-not-found", "a lost ticket was not found")
        return View("form", 422, problems={"name": say("find_nothing")})
    unfinished.forget(form_key)
    return redirect(addresses.to(addresses.ticket(found)) + addresses.MAIN, 303)


def _area_code() -> str | None:
    coming = events.still_to_come(reading(), g.now)
    return area_code(coming[0]) if coming else None


def _page(form_key: str, typed: Mapping[str, str], view: View, *, came_from: str = "") -> Answer:
    coming = events.still_to_come(reading(), g.now)
    page = render_template(
        "public/ticket/find.html",
        problems=view.problems,
        notice=view.notice,
        typed=typed,
        form_key=form_key,
        came_from=came_from,
        digits=_digits(coming),
        **of_the_next(coming),
    )
    return page, view.status


def _digits(coming: Sequence[Event]) -> int:
    """How many digits a check-in code has; 0 if that differs between the events."""
    lengths = {check_in_codes.usual_length(event) for event in coming}
    return lengths.pop() if len(lengths) == 1 else 0
