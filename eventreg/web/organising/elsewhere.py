"""What other sites and notice boards need to point to an event: links, the poster, the feeds."""

from html import escape

from flask import Blueprint, current_app, render_template

from eventreg.core.event import events
from eventreg.core.staff.permissions import Permission
from eventreg.i18n import LANGUAGES
from eventreg.storage.session import reading
from eventreg.web import addresses
from eventreg.web.access import requires
from eventreg.web.event_facts import about

blueprint = Blueprint("elsewhere", __name__, url_prefix="/staff/events/<slug>")


@blueprint.get("/elsewhere")
@requires(Permission.SEE_EVENT)
def elsewhere(slug: str) -> str:
    """The links to copy, in both languages, and the addresses for programs."""
    event = events.get(reading(), slug)
    title = events.definition(event).title
    pages = {lang: addresses.event_page(event.slug, lang) for lang in LANGUAGES}
    return render_template(
        "organising/elsewhere.html",
        pages=pages,
        anchors={lang: _anchor(page, title.in_(lang)) for lang, page in pages.items()},
        site=current_app.extensions["settings"].public_url,
        **about(event),
    )


def _anchor(page: str, title: str) -> str:
    """A line of HTML for another site."""
    return f'<a href="{escape(page)}">{escape(title)}</a>'
