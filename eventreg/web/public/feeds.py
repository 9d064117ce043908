"""The public facts of the events to come, for calendars and for the programs of other sites."""

from flask import Blueprint, Response, g, jsonify

from eventreg import i18n
from eventreg.core.event import calendar as calendars
from eventreg.core.event import events, public_facts
from eventreg.core.models.event import Event
from eventreg.storage.session import reading
from eventreg.web import addresses
from eventreg.web.access import anyone
from eventreg.web.event_facts import check_language, glance

blueprint = Blueprint("feeds", __name__)


@blueprint.get("/<lang>/events.ics")
@anyone
def calendar(lang: str) -> Response:
    """The events to come as a calendar that others can subscribe to."""
    check_language(lang)
    feed = calendars.feed(
        events.still_to_come(reading(), g.now),
        lang,
        name=i18n.sentence(lang, "site_name"),
        page_of=lambda event: addresses.event_page(event.slug, lang),
    )
    return _for_everybody(Response(feed, content_type="text/calendar; charset=utf-8"))


@blueprint.get("/<lang>/events.json")
@anyone
def facts(lang: str) -> Response:
    """The events to come with their public facts and the seats that are left."""
    check_language(lang)
    coming = events.still_to_come(reading(), g.now)
    return _for_everybody(jsonify(events=[_facts(event, lang) for event in coming]))


def _facts(event: Event, lang: str) -> dict[str, object]:
    seen = glance(event.slug)
    page = addresses.event_page(event.slug, lang)
    return {
        **public_facts.of(event, lang, seats_left=seen.counted.left, now=g.now),
        "page": page,
        "register": f"{page}/register",
        "calendar": f"{page}/event.ics",
        "poster": f"{page}/poster",
    }


def _for_everybody(answer: Response) -> Response:
    """Let programs of other sites read the answer, and caches keep it for a minute."""
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = "public, max-age=60"
    return answer
