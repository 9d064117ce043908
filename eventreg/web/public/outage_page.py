"""The page for a server error or a database outage. It is written to a file in advance, and shown
without the database."""

import os
from pathlib import Path

from flask import current_app, g, render_template

from eventreg import i18n, log
from eventreg.app_clock import current_time
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.storage.session import reading
from eventreg.web.language import weekdays, words
from eventreg.web.wire import request_log

_NUMBER = "{number}"
"""Stands in the file where each answer has its own number."""
_MOST_EVENTS = 5
"""The page stays small: it shows the numbers of this many events at most."""


def write() -> None:
    """Write the page in both languages, with the telephone numbers of the events to come.

    Call it when the server starts and after each change of an event. If the disk is full, the page
    stays as it was, and the log has a warning. Sets ``g.language``.
    """
    coming = events.still_to_come(reading(), current_time())[:_MOST_EVENTS]
    for language in i18n.LANGUAGES:
        g.language = language
        draft = _kept(language).with_suffix(f".{os.getpid()}")
        try:
            draft.write_text(_made([_to_call(event) for event in coming]), encoding="utf-8")
            draft.replace(_kept(language))
        except OSError as error:
            said = f"the page for trouble was not written: {error.strerror}"
            log.event("outage-page-not-written", said)


def page() -> str:
    """The page in the language of the request, with the error's number. Without a file it has no
    telephone numbers."""
    try:
        kept = _kept(g.language).read_text(encoding="utf-8")
    except OSError:
        kept = _made([])
    return kept.replace(_NUMBER, request_log.number())


def _kept(language: str) -> Path:
    return Path(current_app.instance_path, f"trouble-{language}.html")


def _made(numbers: list[dict[str, str]]) -> str:
    shown = [one for one in numbers if one]
    return render_template("public/outage_page.html", numbers=shown, error_number=_NUMBER)


def _to_call(event: Event) -> dict[str, str]:
    """The telephone number of an event and its hours; empty if the event has no line."""
    definition = events.definition(event)
    line = definition.phone_line
    if line is None:
        return {}
    hours = f"{weekdays(line.weekdays)} {i18n.time(line.opens)}–{i18n.time(line.closes)}"
    return {
        "title": words(definition.title),
        "dial": line.dial,
        "shown": line.shown,
        "hours": hours,
    }
