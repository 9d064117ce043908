"""Keep what a guest typed under an address of its own, so that Back, reload and "restore pages"
show it (docs/adr/0003)."""

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import g, redirect, request
from werkzeug.wrappers import Response

from eventreg.core.errors import Busy
from eventreg.core.registration import sent_forms
from eventreg.storage.session import Session, reading, write
from eventreg.web import addresses
from eventreg.web.forms.form_token import is_key, new_key
from eventreg.web.limits import limits
from eventreg.web.wire import browser

ERRORS = "#errors"


@dataclass(frozen=True)
class View:
    """The page that answers a sent form: everything but the form itself."""

    page: str
    status: int = 200
    notice: str = ""
    complain: bool = True
    """Whether the form shows its problems: not if the guest only changed text size or language."""
    problems: dict[str, str] = field(default_factory=dict)
    """For each field, what is wrong with it. Empty if the form itself knows."""
    wait_until: str = ""
    """When the limit opens again that refused the form, as an ISO moment."""
    many_here: bool = False
    """Whether that limit counts the people of the address."""

    @property
    def is_told_once(self) -> bool:
        """Whether the same page is shown again later. Other pages are decided anew, since seats and
        times change."""
        told = self.page in {"already-registered", "phone-at-limit"}
        return told or bool(self.notice) or not self.complain or self.waits

    @property
    def waits(self) -> bool:
        """Whether the limit is still reached."""
        return bool(self.wait_until) and datetime.fromisoformat(self.wait_until) > g.now

    @property
    def wait(self) -> limits.TooOften | None:
        """How long the limit is still reached."""
        if not self.waits:
            return None
        left = datetime.fromisoformat(self.wait_until) - g.now
        return limits.TooOften(-int(-left.total_seconds() // 1))


def until(wait: limits.TooOften) -> str:
    """When that limit opens again, as a ``View`` keeps it."""
    return str((g.now + timedelta(seconds=wait.seconds)).isoformat())


def keep(form_key: str, typed: dict[str, str], view: View) -> str:
    """Keep what was typed, and which page answers it. Returns the key of its address.

    Returns "" if it is not kept: for a program without a history, while the database is busy, for
    very long texts, and beyond a number. Then the page itself is the answer.
    """
    if not browser.has_history():
        return ""
    key, now = sent_forms.new_key(), g.now
    content = {"form_key": form_key, "typed": typed, "view": asdict(view)}

    def act(session: Session) -> bool:
        return sent_forms.keep(session, key, form_key, content, now=now)

    try:
        limits.limits().hit("unfinished", limits.UNFINISHED, limits.address())
        return key if write(act) else ""
    except (limits.TooOften, Busy):
        return ""


def form_key_sent() -> str:
    """The hidden key of a form that has no token; a new one if it is missing or malformed."""
    sent = request.form.get("form_key", "")
    return sent if is_key(sent) else new_key()


def forget(form_key: str) -> None:
    """Delete what was typed into a form that has done its work, if any of it was kept."""
    if request.form.get("unfinished"):
        with suppress(Busy):  # otherwise it goes after half an hour
            write(lambda session: sent_forms.finish(session.connection(), form_key, ""))


def find(key: str) -> sent_forms.Unfinished | None:
    """What is kept under the key of an address."""
    return sent_forms.find(reading(), key, now=g.now)


def view_of(kept: dict[str, Any]) -> View:
    """The page that answered it before; without its notice, once the limit it tells of is open."""
    view = View(**kept["view"])
    return View(view.page) if view.wait_until and not view.waits else view


def lead_to(path: str, key: str, fragment: str) -> Response:
    """Redirect to the address of an unfinished form. Without a fragment the browser keeps that of
    the button, such as the field to correct."""
    return redirect(f"{addresses.to(f'{path}?form={key}')}{fragment}", 303)


def come_back(path: str, form_key: str, typed: dict[str, str], view: View) -> Response | None:
    """Redirect to a form that comes back. ``None`` if it cannot be kept."""
    key = keep(form_key, typed, view)
    return lead_to(path, key, ERRORS if view.complain else "") if key else None
