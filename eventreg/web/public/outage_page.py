"""The page for when we are in trouble: made beforehand, kept as a file, shown without asking the
database anything."""

import os
from pathlib import Path

from flask import current_app, g, render_template

from eventreg import i18n
from eventreg.app_clock import current_time
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.storage.session import reading
from eventreg.web.language import weekdays, words

_MOST = 5
"""Numbers on the page: it is to stay small."""


def write() -> None:
    """Make the page anew in both languages, with the telephone numbers of the events to come; for
    the start of a server and for whoever changes an event. A disk that is full stops neither: the
    page then stays as it was."""
    coming = events.still_to_come(reading(), current_time())[:_MOST]
    for language in i18n.LANGUAGES:
        g.language = language
        draft = _kept(language).with_suffix(f".{os.getpid()}")
        try:
            draft.write_text(_made([_to_call(event) for event in coming]), encoding="utf-8")
            draft.replace(_kept(language))
        except OSError as error:
            current_app.logger.warning("the page for trouble was not written: %s", error.strerror)


def page() -> str:
    """The page in the language of the request. Without a number, where none was ever made here."""
    try:
        return _kept(g.language).read_text(encoding="utf-8")
    except OSError:
        return _made([])


def _kept(language: str) -> Path:
    return Path(current_app.instance_path, f"trouble-{language}.html")


def _made(numbers: list[dict[str, str]]) -> str:
    return render_template("public/outage_page.html", numbers=[one for one in numbers if one])


def _to_call(event: Event) -> dict[str, str]:
    """Where to call about an event, and when; nothing where it has no line."""
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
