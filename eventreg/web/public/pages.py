"""Show the start page, the event page, and the pages about privacy and accessibility."""

from flask import Blueprint, Response, g, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from eventreg.core.event import events
from eventreg.core.models import personal_data
from eventreg.storage import old_backups
from eventreg.storage.session import reading
from eventreg.web import language
from eventreg.web.access import anyone
from eventreg.web.event_facts import check_language, glance, of_the_next
from eventreg.web.public import event_page

blueprint = Blueprint("public", __name__)


@blueprint.get("/")
@anyone
def root() -> BaseResponse:
    """Redirect to the start page in the language of the browser."""
    answer = redirect(url_for("public.start", lang=language.guess()), 302)
    answer.vary.add("Accept-Language")
    return answer


@blueprint.get("/<lang>/")
@anyone
def start(lang: str) -> str | Response:
    """The page of the one event to come, or a list if there are several or none."""
    check_language(lang)
    coming = events.still_to_come(reading(), g.now)
    if len(coming) == 1:
        return event_page.answer(glance(coming[0].slug), "start")
    return render_template(
        "public/start.html",
        events=coming,
        define=events.definition,
        zone_of=events.zone,
        **of_the_next(coming),
    )


@blueprint.get("/<lang>/events/<slug>")
@anyone
def event(lang: str, slug: str) -> Response:
    """The event page."""
    check_language(lang)
    return event_page.answer(glance(slug), "event")


@blueprint.get("/favicon.ico")
@anyone
def favicon() -> tuple[str, int, dict[str, str]]:
    """There is no icon. A cached 204 keeps browsers from asking again."""
    return "", 204, {"Cache-Control": "public, max-age=86400"}


@blueprint.get("/<lang>/privacy")
@anyone
def privacy(lang: str) -> str:
    """The page that says what happens to names and telephone numbers."""
    check_language(lang)
    coming = events.still_to_come(reading(), g.now)
    days = max((events.definition(event).privacy.keep_days for event in coming), default=30)
    servers = [events.definition(event).privacy.server for event in coming]
    return render_template(
        "public/privacy.html",
        keep_days=days,
        of_guests=personal_data.OF_GUESTS,
        of_staff=personal_data.OF_STAFF,
        server=next(filter(None, servers), None),
        backup_days=old_backups.KEPT.days,
        **of_the_next(coming),
    )


@blueprint.get("/<lang>/accessibility")
@anyone
def accessibility(lang: str) -> str:
    """The page that says what we did for accessibility, and what is missing."""
    check_language(lang)
    return render_template(
        "public/accessibility.html", **of_the_next(events.still_to_come(reading(), g.now))
    )
