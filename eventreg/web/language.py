"""Which language a request speaks, and what templates need to speak it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g, request, session

from eventreg import i18n
from eventreg.core.errors import FieldRefused
from eventreg.core.event.field_types import Words
from eventreg.core.values import phones
from eventreg.web import addresses, assets
from eventreg.web.wire import browser


def guess() -> str:
    """The language of the browser; Chinese where unsure."""
    return request.accept_languages.best_match(["zh", "zh-CN", "zh-Hans", "en"], "zh")[:2]


def of_request() -> str:
    """The language in the address; on staff pages, the one chosen there; else what the browser
    prefers."""
    address = request.path.split("/", 2)
    if len(address) > 1 and address[1] in i18n.LANGUAGES:
        return address[1]
    asked = request.args.get("lang")
    staff = len(address) > 1 and address[1] in {"staff", "door"}
    if staff and asked in i18n.LANGUAGES:
        session["language"] = asked
    chosen = session.get("language") if staff else asked
    return chosen if chosen in i18n.LANGUAGES else guess()


def wants_page() -> bool:
    """Whether the answer is to be a page, and not JSON; a page where the request does not say."""
    return (
        request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
        == "text/html"
    )


def say(key: str, **values: object) -> str:
    """The sentence of that key in the language of the request."""
    return i18n.sentence(g.language, key, **values)


def say_refusal(refusal: FieldRefused) -> str:
    """Why a field was refused, in the language of the page."""
    return say(refusal.reason, **refusal.values)


def in_chinese(key: str) -> str:
    """The sentence of that key in Chinese, for paper that is read at the door whatever the page
    speaks."""
    return i18n.sentence("zh", key)


def count(key: str, number: int, **values: object) -> str:
    """The sentence of that key that goes with a number."""
    return i18n.counted(g.language, key, number, **values)


def words(text: Words | None) -> str:
    """One of the organiser's texts in the language of the request; nothing for none."""
    return text.in_(g.language) if text else ""


def day(moment: datetime, zone: ZoneInfo) -> str:
    """The day of a moment, in words, where the event is."""
    return i18n.day(g.language, moment.astimezone(zone).date(), today=g.now.astimezone(zone).date())


def hour(moment: datetime, zone: ZoneInfo) -> str:
    """The time of a moment, where the event is."""
    return i18n.time(moment.astimezone(zone))


def spoken_time(moment: datetime, zone: ZoneInfo) -> str:
    """The time of a moment as it is said aloud, where the event is."""
    return i18n.spoken(g.language, moment.astimezone(zone))


def stamp(moment: datetime, zone: ZoneInfo) -> str:
    """Day and time in figures, for lists: 06-10 8:47, with the year where it is not this one."""
    local = moment.astimezone(zone)
    this_year = local.year == g.now.astimezone(zone).year
    return (
        f"{local:%m-%d}" + f" {i18n.time(local)}"
        if this_year
        else f"{local:%Y-%m-%d} {i18n.time(local)}"
    )


def weekdays(numbers: Sequence[int]) -> str:
    """Monday to Friday where they follow each other, else one by one."""
    names = [i18n.weekday(g.language, number) for number in sorted(numbers)]
    if len(names) > 2 and sorted(numbers) == list(range(min(numbers), max(numbers) + 1)):
        return say("from_to_days", first=names[0], last=names[-1])
    return say("list_comma").join(names)


def soon(moment: datetime, zone: ZoneInfo) -> str:
    """A moment to come, the way people say it: today 9:00, Monday 9:00, and further away with its
    date."""
    local, now = moment.astimezone(zone), g.now.astimezone(zone)
    days = (local.date() - now.date()).days
    if days == 0:
        said = say("today")
    elif days < 7:
        said = i18n.weekday(g.language, local.isoweekday())
    else:
        said = day(moment, zone)
    return f"{said} {i18n.time(local)}"


def date(moment: datetime, zone: ZoneInfo) -> str:
    """The day of a moment and, as Chinese wants it beside a time, the half of the day."""
    half = say(i18n.half_of_day(moment.astimezone(zone)))
    return say("day_and_half", day=day(moment, zone), half=half)


def in_sentences(said: str) -> tuple[str, str]:
    """The first sentence, without its full stop, and the rest."""
    first, _, rest = said.replace("。", "。 ", 1).partition(" " if "。" in said else ". ")
    return first.rstrip("。."), rest


def init_app(app: Flask) -> None:
    """Give the templates their words."""

    @app.context_processor
    def spoken() -> dict[str, Any]:
        speaks = g.get("language", "zh")
        return {
            "language": speaks,
            "tag": i18n.TAGS[speaks],
            "other": i18n.other(speaks),
            "own_names": i18n.OWN_NAMES,
            "tags": i18n.TAGS,
            "size": g.get("size", "standard"),
        }

    app.jinja_env.globals.update(
        t=say,
        n=count,
        words=words,
        day=day,
        hour=hour,
        stamp=stamp,
        clock_time=i18n.time,
        masked_phone=phones.masked,
        whole_phone=phones.shown,
        in_chinese=in_chinese,
        public_css=assets.public_css,
        staff_css=assets.staff_css,
        own_css=assets.own_css,
        public_js=assets.public_js,
        version=assets.version,
        weekdays=weekdays,
        soon=soon,
        date=date,
        spoken_time=spoken_time,
        to=addresses.to,
        event_page=addresses.event_page,
        in_other_language=addresses.in_other_language,
        in_size=addresses.in_size,
        sizes=browser.SIZES,
        in_chat_app=browser.in_chat_app,
        in_sentences=in_sentences,
    )
