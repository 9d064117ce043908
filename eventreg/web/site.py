"""Register all pages with the app, and turn refusals and errors into pages."""

from flask import Flask, current_app, g, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from eventreg import log
from eventreg.core.errors import Busy, Refusal
from eventreg.core.event import events
from eventreg.server.tally import Tally
from eventreg.settings.table import Settings
from eventreg.storage.session import AWAY, reading
from eventreg.web import access, guard, health, lang_attributes, language, template_globals
from eventreg.web.desk import (
    attendee_list,
    audit,
    bursts,
    calls,
    cancellations,
    check_in_list,
    dashboard,
    duplicates,
    erasure,
    import_export,
    registration,
    report,
    settling,
    sheet_entry,
)
from eventreg.web.desk import register as desk_register
from eventreg.web.door import (
    check_in,
    gifts,
    live,
    offline,
    owed,
    pairing,
    release,
    waiting,
    walk_ins,
)
from eventreg.web.door import sync as door_sync
from eventreg.web.event_facts import of_the_next
from eventreg.web.limits import hashing, limits
from eventreg.web.limits.limits import TooOften
from eventreg.web.organising import elsewhere, ready
from eventreg.web.organising import events as organising_events
from eventreg.web.public import cancel, correct, downloads, feeds, find, outage_page, ticket, undo
from eventreg.web.public import pages as public_pages
from eventreg.web.public.registering import register as public_register
from eventreg.web.staff import accounts, me, sign_in, status
from eventreg.web.wire import request_log, sent
from eventreg.web.wire.answers import Answer
from eventreg.web.wire.forwarded import Forwarded

STATUS = {
    "refused": 409,
    "field_refused": 422,
    "event_unknown": 404,
    "event_full": 409,
    "waitlist_full": 409,
    "busy": 503,
    "registration_closed": 409,
    "already_registered": 409,
    "phone_at_limit": 409,
    "form_key_reused": 422,
    "registration_unknown": 404,
    "already_cancelled": 409,
    "not_waiting": 409,
    "nothing_to_undo": 409,
    "too_late_to_undo": 409,
    "seat_given_away": 409,
    "checked_in_already": 409,
    "too_late_to_cancel": 409,
    "too_late_to_change": 409,
    "changed_meanwhile": 409,
    "attendee_unknown": 404,
    "attendee_cancelled": 409,
    "attendee_waiting": 409,
    "outside_check_in_window": 409,
    "gift_before_arrival": 409,
    "staff_unknown": 404,
    "username_taken": 422,
    "sign_in_failed": 422,
    "link_spent": 404,
    "import_unreadable": 422,
    "columns_unclear": 422,
    "readers_busy": 429,
    "pdf_unavailable": 409,
    "code_wrong": 422,
    "proof_wrong": 422,
    "factor_off": 409,
    "last_organiser": 409,
    "slug_taken": 409,
    "contradicted": 422,
    "act_unknown": 404,
    "batch_malformed": 400,
    "batch_wrong": 422,
    "batch_too_large": 413,
    "pairing_closed": 409,
    "device_unknown": 404,
    "revoked": 403,
    "release_too_early": 403,
}
"""The HTTP status of each refusal. Its sentence is ``refused_<code>`` in the catalogue. A test
checks that both are complete."""

_DESK = (
    dashboard,
    attendee_list,
    duplicates,
    desk_register,
    registration,
    cancellations,
    erasure,
    bursts,
    calls,
    import_export,
    report,
    audit,
    check_in_list,
    sheet_entry,
    settling,
)
"""All of these share one blueprint."""
_WITHOUT_SESSION = (
    public_pages,
    downloads,
    feeds,
    public_register,
    ticket,
    correct,
    cancel,
    undo,
    find,
)
"""Pages of guests, whose forms need no session, so they carry no session token."""
_PAGES = (
    *_WITHOUT_SESSION,
    sign_in,
    accounts,
    me,
    status,
    organising_events,
    elsewhere,
    *_DESK,
    check_in,
    offline,
    gifts,
    live,
    owed,
    walk_ins,
    waiting,
    release,
    pairing,
    door_sync,
    ready,
)
_WORDED = {400, 403, 404, 405, 413, 414, 429}
"""HTTP errors with a sentence of their own; the others have one for 4xx and one for 5xx."""


def init_app(app: Flask) -> None:
    """Set up the pages, the checks around each request, and the error pages."""
    settings: Settings = app.extensions["settings"]
    app.wsgi_app = Forwarded(app.wsgi_app, settings.proxies)  # type: ignore[method-assign]
    health.init_app(app)
    sent.init_app(app)
    limits.init_app(app, settings.rate_limits, settings.redis_url)
    hashing.init_app(app, settings.threads)
    template_globals.init_app(app)
    lang_attributes.init_app(app)
    guard.init_app(app)
    for pages in _WITHOUT_SESSION:
        guard.csrf.exempt(pages.blueprint)
    app.jinja_env.globals.update(
        may=access.may,
        factor_reset=me.factor_reset,
        opens_here_only=settings.public_url if settings.on_this_machine_only else "",
    )
    for blueprint in dict.fromkeys(pages.blueprint for pages in _PAGES):
        app.register_blueprint(blueprint)
    app.register_error_handler(Refusal, _refused)
    for away in AWAY:
        app.register_error_handler(away, _away)
    app.register_error_handler(TooOften, _too_often)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)
    app.extensions["tally"] = Tally(app.view_functions, settings.workers)


def _refused(refusal: Refusal) -> Answer:
    """The page for a refusal that the view did not handle itself."""
    said = language.say(f"refused_{refusal.code}")
    page, status = _page(STATUS[refusal.code], said, refusal.code)
    return page, status, {"Retry-After": "5"} if status in {429, 503} else {}


def _away(error: Exception) -> Answer:
    """The database did not answer. The log says why; the visitor is told when to come back."""
    what = type(error.__cause__ or error).__name__
    log.event("database-away", f"database: {what} in {request.endpoint}")
    return _refused(Busy())


def _too_often(wait: TooOften) -> Answer:
    page, status = _page(429, language.count("too_often", wait.minutes), "too_often")
    return page, status, {"Retry-After": str(wait.seconds)}


def _http(error: HTTPException) -> Answer | HTTPException:
    """The page, with a sentence, for an HTTP error raised by Flask."""
    if error.response is not None or (error.code or 500) < 400:
        return error  # a redirect, such as one for a missing slash
    if isinstance(error, CSRFError):
        return _page(400, language.say("form_expired"), "form_expired")
    code = error.code or 500
    if code == 401 and language.wants_page():
        return sign_in.signed_out_page(), 401
    kept = {name: value for name, value in error.get_headers() if name == "Allow"}
    said = language.say(
        "signed_out"
        if code == 401
        else f"http_{code}"
        if code in _WORDED
        else f"http_{code // 100}00"
    )
    page, status = _page(code, said, f"http_{code}")
    return page, status, kept


def _broken(error: Exception) -> Answer:
    """The page for an error in our code. The log says where it happened, never what was sent."""
    log.event("unhandled", f"{type(error).__name__} in {request.endpoint}", error=error)
    if current_app.testing:
        raise error
    return _page(500, language.say("http_500"), "http_500")


def _page(status: int, said: str, code: str) -> tuple[str | Response, int]:
    """A page with one sentence and a link onwards, or the same as JSON. From 500 on, the page is
    that of an outage, without the sentence."""
    if not language.wants_page():
        return jsonify(error=code, message=said), status
    if status >= 500:
        return outage_page.page(), status  # the database itself may be broken
    known = of_the_next(events.still_to_come(reading(), g.now))
    known["error_number"] = request_log.number()
    return render_template("public/error.html", heading=said, **known), status
