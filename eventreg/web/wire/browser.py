"""The visitor's browser, and the text size chosen for public pages.

A cookie keeps the size. Browsers inside chat apps drop cookies, so until one has arrived the
links of each page carry the size.
"""

from flask import Response, current_app, g, request

SIZES = ("standard", "large", "largest")
_A_YEAR = 365 * 24 * 60 * 60


def in_chat_app() -> bool:
    """Whether the browser is WeChat's, which cannot download files."""
    return "MicroMessenger" in request.environ.get("HTTP_USER_AGENT", "")


def has_history() -> bool:
    """Whether a person's browser asks, in which one can go back and reload: browsers ask for HTML
    by name. Other programs do not."""
    return "text/html" in request.environ.get("HTTP_ACCEPT", "")


def takes_gzip() -> bool:
    """Whether the browser takes a compressed answer."""
    accepted = request.environ.get("HTTP_ACCEPT_ENCODING", "")
    if "q=" not in accepted:
        return "gzip" in accepted or "*" in accepted
    return bool(request.accept_encodings["gzip"])


_MACHINES = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "Linux")
_PROGRAMS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)


def machine() -> str:
    """The kind of machine and browser, such as "iPhone · Safari", for its owner to recognise."""
    said = request.environ.get("HTTP_USER_AGENT", "")
    machine = next((one for one in _MACHINES if one in said), "")
    program = next((name for mark, name in _PROGRAMS if mark in said), "")
    return " · ".join(filter(None, (machine.replace("Macintosh", "Mac"), program)))


def text_size() -> tuple[str, bool]:
    """The text size, and whether links must carry it because no cookie holds it yet."""
    kept = request.cookies.get(_cookie(), "") if "HTTP_COOKIE" in request.environ else ""
    wanted = request.args.get("size", "") if request.environ.get("QUERY_STRING") else ""
    kept = kept if kept in SIZES else "standard"
    return (wanted, wanted != kept) if wanted in SIZES else (kept, False)


def remember_size(response: Response) -> None:
    """Set the cookie if a size was chosen in this request; set none otherwise."""
    if g.get("size_is_carried"):
        response.set_cookie(
            _cookie(), g.size, max_age=_A_YEAR, secure=_https(), httponly=True, samesite="Lax"
        )


def _cookie() -> str:
    name: str = current_app.extensions["settings"].cookie("size")
    return name


def _https() -> bool:
    return bool(current_app.config["SESSION_COOKIE_SECURE"])
