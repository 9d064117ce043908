"""What the door's script is told about its event, and the sentences that it shows."""

import hmac
from datetime import datetime
from functools import cache
from typing import Any

from flask import current_app, g, url_for
from flask_wtf.csrf import generate_csrf
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from eventreg import i18n
from eventreg.core.door import devices
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.settings.table import Settings
from eventreg.storage.session import reading
from eventreg.web import access, door_words, language
from eventreg.web.door import door_files

_STEMS = ("scan_", "meet_")
"""The sentences of the scanner and of doors that meet have keys that begin so."""


def version() -> str:
    """The version of the door's script that this server has."""
    settings: Settings = current_app.extensions["settings"]
    return door_files.version(rehearsal=settings.rehearsal)


def facts(event: Event, *, is_shell: bool) -> dict[str, Any]:
    """The facts of an event. Those of the shell, which devices keep, name no person and hold no
    secret."""
    definition = events.definition(event)
    offset = event.starts_at.astimezone(events.zone(event)).utcoffset()
    return {
        "slug": event.slug,
        "title": language.words(definition.title),
        "language": g.language,
        "offset_minutes": int(offset.total_seconds() // 60) if offset else 0,
        "starts_at": _iso(event.starts_at),
        "ends_at": _iso(event.ends_at),
        "check_in_opens_at": _iso(event.check_in_opens_at),
        "check_in_closes_at": _iso(event.check_in_closes_at),
        "check_in_opened_at": _iso(event.check_in_opened_at),
        "release_at": _iso(events.announced_release(event)),
        "released_at": _iso(event.seats_released_at),
        "capacity": definition.capacity,
        "gift": _gift(event),
        "version": version(),
        "store": store(),
        "shell": is_shell,
        "links": _links(event),
        **({} if is_shell else _of_session(event)),
    }


def _of_session(event: Event) -> dict[str, Any]:
    """What only a signed-in browser is told: the token that its posts need, the key of doors that
    meet, and who it is."""
    signed_in = access.current()
    device = (signed_in.door_device if signed_in else None) or ""
    name = devices.names(reading(), event).get(device, "") if device else ""
    return {
        "csrf": generate_csrf(),
        "now": _iso(g.now),
        "meet_key": meet_key(event),
        "device": device if name else "",
        "device_name": name,
        "paired": signed_in is not None and signed_in.event_id is not None,
        "may": {name: access.may(name) for name in ("register", "correct", "release-early")},
    }


def meet_key(event: Event) -> str:
    """The key with which this event's doors believe each other's records, as 64 hex digits."""
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.digest(secret, f"door-meeting:{event.id}:{event.slug}".encode(), "sha256").hex()


def _gift(event: Event) -> dict[str, Any] | None:
    gift = events.definition(event).gift
    if gift is None:
        return None
    return {
        "text": language.words(gift.text),
        "stock": gift.stock,
        "at_check_in": gift.at_check_in,
    }


def store() -> str:
    """The name of the database in the device."""
    settings: Settings = current_app.extensions["settings"]
    rehearsal = settings.rehearsal
    return "eventreg-door-rehearsal" if rehearsal else "eventreg-door"


def _links(event: Event) -> dict[str, str]:
    door = url_for("door.door", slug=event.slug)
    return {
        "door": door,
        "facts": url_for("door.facts_json", slug=event.slug),
        "roster": f"{door}roster.json",
        "sync": f"{door}sync",
        "live": f"{door}live.json",
        "release": f"{door}release",
        "worker": url_for("door.worker"),
        "sign_in": url_for("staff.sign_in", next=door),
    }


def sentences(language: str) -> dict[str, str]:
    """All sentences of the script in a language, by key."""
    screens = {key: i18n.sentence(language, key) for key in door_words.WORDS}
    return {**screens, **i18n.beginning(language, *_STEMS)}


@cache
def _words(language: str) -> Markup:
    """The same as JSON, for the page."""
    return htmlsafe_json_dumps(sentences(language), dumps=current_app.json.dumps)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def application(event: Event, *, is_shell: bool = False) -> dict[str, Any]:
    """What the template of the application needs."""
    return {
        "door_version": version(),
        "door_facts": facts(event, is_shell=is_shell),
        "door_words": _words(g.language),
        "door_scripts": list(door_files.scripts()),
        "is_shell": is_shell,
    }
