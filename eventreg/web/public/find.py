"""Find a lost ticket by name, telephone number and check-in code."""

from flask import Blueprint, current_app, g, redirect, render_template, request

from eventreg.core.errors import FieldRefused, RegistrationUnknown
from eventreg.core.event import events
from eventreg.core.registration import lookup
from eventreg.core.values import names, phones
from eventreg.core.values.normal_form import normalize
from eventreg.storage.session import reading
from eventreg.web import addresses
from eventreg.web.access import anyone
from eventreg.web.event_facts import area_code, check_language, of_the_next
from eventreg.web.language import say, say_refusal
from eventreg.web.limits import limits
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("find", __name__)


@blueprint.get("/<lang>/find")
@anyone
def form(lang: str) -> str:
    """The form for a lost ticket."""
    check_language(lang)
    return _page({})


@blueprint.post("/<lang>/find")
@anyone
def send(lang: str) -> Answer:
    """Redirect to the ticket if name, number and code all match. The answer does not say which of
    them did not."""
    check_language(lang)
    if request.form.get("show") == "form":
        return _page({})
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
        return _page(problems), 422
    # Count before the look-up, because a code is easy to guess. Count the address first, so that
    # an address over its limit creates no counters for telephone numbers.
    counters.hit("find", limits.FIND, here)
    counters.hit("find-number", limits.FIND_NUMBER, phone.number)
    try:
        found = lookup.find(reading(), name, phone, code)
    except RegistrationUnknown:
        current_app.logger.info("a lost ticket was not found")
        return _page({"name": say("find_nothing")}), 422
    return redirect(addresses.to(addresses.ticket(found)) + addresses.MAIN, 303)


def _area_code() -> str | None:
    coming = events.still_to_come(reading(), g.now)
    return area_code(coming[0]) if coming else None


def _page(problems: dict[str, str]) -> str:
    coming = events.still_to_come(reading(), g.now)
    typed = {field: request.form.get(field, "") for field in ("name", "phone", "code")}
    return render_template(
        "public/ticket/find.html", problems=problems, typed=typed, **of_the_next(coming)
    )
