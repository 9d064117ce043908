"""The functions and values that every template may use."""

from typing import Any

from flask import Flask, g

from eventreg import i18n
from eventreg.core.values import phones
from eventreg.web import addresses, assets, language
from eventreg.web.wire import browser

_TEXT = {
    "t": language.say,
    "n": language.count,
    "stored": language.say_stored,
    "state_of": language.state_of,
    "words": language.words,
    "title_parts": language.title_parts,
    "in_chinese": language.in_chinese,
    "in_sentences": language.in_sentences,
    "masked_phone": phones.masked,
    "whole_phone": phones.shown,
}
_TIME = {
    "day": language.day,
    "hour": language.hour,
    "stamp": language.stamp,
    "soon": language.soon,
    "date": language.date,
    "weekdays": language.weekdays,
    "spoken_time": language.spoken_time,
    "clock_time": i18n.time,
}
_FILES = {
    "public_css": assets.public_css,
    "staff_css": assets.staff_css,
    "own_css": assets.own_css,
    "door_css": assets.door_css,
    "public_js": assets.public_js,
    "version": assets.version,
}
_LINKS = {
    "to": addresses.to,
    "event_page": addresses.event_page,
    "in_other_language": addresses.in_other_language,
    "in_size": addresses.in_size,
    "sizes": browser.SIZES,
    "in_chat_app": browser.in_chat_app,
}


def init_app(app: Flask) -> None:
    """Add these functions and values to the app's templates."""
    app.jinja_env.globals.update(_TEXT, **_TIME, **_FILES, **_LINKS)
    app.jinja_env.globals["rehearsal"] = app.extensions["settings"].rehearsal
    app.context_processor(_of_request)


def _of_request() -> dict[str, Any]:
    """The language and the text size of this request."""
    current = g.get("language", "zh")
    return {
        "language": current,
        "tag": i18n.TAGS[current],
        "other": i18n.other(current),
        "own_names": i18n.OWN_NAMES,
        "tags": i18n.TAGS,
        "size": g.get("size", "standard"),
    }
