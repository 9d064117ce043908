"""The types that a view may return, and the views that answer a script and not a reader."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, request
from werkzeug.wrappers import Response

Answer = str | Response | tuple[str | Response, int] | tuple[str | Response, int, dict[str, str]]
"""A page or a response, optionally with a status, optionally with headers."""
View = TypeVar("View", bound=Callable[..., Any])
Refused = Callable[[str], Response]


def in_json(refused: Refused) -> Callable[[View], View]:
    """Declare that a view answers a script: its errors are JSON, too. If nobody is signed in, or
    the view is not for this browser, ``refused`` gives the answer for that reason."""

    def marked(view: View) -> View:
        view.refused = refused  # type: ignore[attr-defined]
        return view

    return marked


def for_script() -> Refused | None:
    """How the view of this request refuses a script; ``None`` if it answers a reader."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "refused", None)
