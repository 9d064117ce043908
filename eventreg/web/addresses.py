"""Addresses that pages of several audiences lead to, and this page's own in another language or
text size."""

from urllib.parse import quote, urlencode

from flask import current_app, g, request

from eventreg import i18n
from eventreg.core.models.registration import Registration
from eventreg.core.registration import tickets
from eventreg.core.registration.entries import Made

MAIN = "#main"
"""After a redirect from a form that is sent to ``…#errors``: a browser carries a fragment on where
it is given none."""


def ticket(registration: Registration | Made) -> str:
    """The path of a registration's ticket: computed, since only a digest of its token is stored."""
    return f"/T/{tickets.token(current_app.config['SECRET_KEY'], registration.ticket_seed)}"


def event_page(slug: str, language: str) -> str:
    """The whole address of an event's page, as mails, codes and other sites lead to it."""
    return f"{current_app.extensions['settings'].public_url}/{language}/events/{slug}"


def to(path: str) -> str:
    """A path of ours as a public page links to it: with the text size, where no cookie keeps it,
    and between the pages of one ticket with the language, where it is not the registration's
    own."""
    carried = {}
    if (
        path.startswith("/T/")
        and request.args.get("lang") in i18n.LANGUAGES
        and request.path.startswith("/T/")
    ):
        carried["lang"] = g.language
    if g.get("size_is_carried"):
        carried["size"] = g.size
    return f"{path}?{urlencode(carried)}" if carried else path


def in_other_language() -> str:
    """The address of this page in the other language."""
    other = i18n.other(g.language)
    first, _, rest = request.path.lstrip("/").partition("/")
    if first in i18n.LANGUAGES:
        return to(f"/{other}/{quote(rest)}")
    size = f"&size={g.size}" if g.get("size_is_carried") else ""
    return f"{quote(request.path)}?lang={other}{size}"


def in_size(size: str) -> str:
    """The address of this page in another text size."""
    lang = request.args.get("lang")
    kept = f"lang={lang}&" if lang in i18n.LANGUAGES else ""
    return f"{quote(request.path)}?{kept}size={size}"
