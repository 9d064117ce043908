"""URLs that several pages link to, and the URL of this page in another language or text size."""

from urllib.parse import quote, urlencode

from flask import current_app, g, request

from eventreg import i18n
from eventreg.core.models.registration import Registration
from eventreg.core.registration import tickets
from eventreg.core.registration.entries import Made

MAIN = "#main"
"""The fragment for redirects from a form that is sent to ``…#errors``. A browser keeps the old
fragment if the redirect has none."""


def ticket(registration: Registration | Made) -> str:
    """The path of a registration's ticket. The token is computed: only its digest is stored."""
    return f"/T/{tickets.token(current_app.config['SECRET_KEY'], registration.ticket_seed)}"


def event_page(slug: str, language: str) -> str:
    """The absolute URL of an event's page, for mails, QR codes and other sites."""
    return f"{current_app.extensions['settings'].public_url}/{language}/events/{slug}"


def to(path: str) -> str:
    """A path as a public page links to it.

    It carries the text size if no cookie keeps it. Between the pages of one ticket it also carries
    the language, if the visitor chose one.
    """
    carried = {}
    if (
        path.startswith("/T/")
        and request.args.get("lang") in i18n.LANGUAGES
        and _path().startswith("/T/")
    ):
        carried["lang"] = g.language
    if g.get("size_is_carried"):
        carried["size"] = g.size
    joined = "&" if "?" in path else "?"
    return f"{path}{joined}{urlencode(carried)}" if carried else path


def _path() -> str:
    """The path of this page; with marks, if the page is to be kept (see ``kept_pages``)."""
    return g.get("path") or request.path


def in_other_language() -> str:
    """The URL of this page in the other language."""
    other = i18n.other(g.language)
    first, _, rest = _path().lstrip("/").partition("/")
    if first in i18n.LANGUAGES:
        return to(f"/{other}/{quote(rest)}")
    size = f"&size={g.size}" if g.get("size_is_carried") else ""
    return f"{quote(_path())}?lang={other}{size}"


def in_size(size: str) -> str:
    """The URL of this page in another text size."""
    lang = request.args.get("lang")
    kept = f"lang={lang}&" if lang in i18n.LANGUAGES else ""
    return f"{quote(_path())}?{kept}size={size}"
