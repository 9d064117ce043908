"""The language of a request, and words, days and times in that language."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from flask import g, request, session

from eventreg import i18n
from eventreg.core.errors import FieldRefused
from eventreg.core.event.definition import Definition
from eventreg.core.event.field_types import Words
from eventreg.web.wire.answers import for_script


def guess() -> str:
    """The language that the browser prefers; Chinese if it names neither of ours."""
    return request.accept_languages.best_match(["zh", "zh-CN", "zh-Hans", "en"], "zh")[:2]


def of_request() -> str:
    """The language of this request: the one in the path, else the one that was chosen with
    ``lang``, else the one that the browser prefers. Staff pages store the choice in the session."""
    address = request.path.split("/", 2)
    if len(address) > 1 and address[1] in i18n.LANGUAGES:
        return address[1]
    wanted = request.args.get("lang")
    for_staff = len(address) > 1 and address[1] in {"staff", "door"}
    if for_staff and wanted in i18n.LANGUAGES:
        session["language"] = wanted
    chosen = session.get("language") if for_staff else wanted
    return chosen if chosen in i18n.LANGUAGES else guess()


def wants_page() -> bool:
    """Whether the client wants a page and not JSON; a page if the request does not say."""
    if for_script() is not None:
        return False
    return (
        request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
        == "text/html"
    )


def say(key: str, **values: object) -> str:
    """The sentence of that key in the language of the request."""
    return i18n.sentence(g.language, key, **values)


def say_stored(prefix: str, value: str) -> str:
    """The sentence for a stored value, such as ``outcome_`` and ``reached``. A value that a newer
    version of this program has stored has no sentence here: it is shown as it is."""
    try:
        return say(prefix + value.replace(":", "_").replace("-", "_"))
    except LookupError:
        return say("stored_by_newer", value=value)


class _Listed(Protocol):
    """A person, as a list has one."""

    @property
    def state(self) -> str: ...
    @property
    def released_at(self) -> datetime | None: ...
    @property
    def arrived_at(self) -> datetime | None: ...


def state_of(person: _Listed, zone: ZoneInfo) -> str:
    """The state of a person in words: whether the seat was given away, and when the person
    arrived."""
    if person.released_at:
        return say("state_released")
    if person.state != "cancelled" and person.arrived_at:
        return say("state_arrived", time=hour(person.arrived_at, zone))
    return say(f"state_{person.state}")


def say_refusal(refusal: FieldRefused) -> str:
    """The reason why a field was refused, in the language of the request."""
    return say(refusal.reason, **refusal.values)


def in_chinese(key: str) -> str:
    """The sentence of that key in Chinese, for printed lists: the door reads Chinese, whatever the
    language of the page."""
    return i18n.sentence("zh", key)


def count(key: str, number: int, **values: object) -> str:
    """The sentence of that key with a number, in its singular or plural form."""
    return i18n.counted(g.language, key, number, **values)


def words(text: Words | None) -> str:
    """One of the organiser's texts in the language of the request; empty if there is none."""
    return text.in_(g.language) if text else ""


def title_parts(definition: Definition) -> list[str]:
    """The parts of the title inside which no line ends; one part if the organiser named no places
    for that. Places that belong to another title, such as an older one, are ignored."""
    whole = words(definition.title)
    parts = words(definition.title_breaks).split("|")
    return parts if "".join(parts) == whole else [whole]


def day(moment: datetime, zone: ZoneInfo) -> str:
    """The day of a moment in words, in the event's time zone."""
    return i18n.day(g.language, moment.astimezone(zone).date(), today=g.now.astimezone(zone).date())


def hour(moment: datetime, zone: ZoneInfo) -> str:
    """The time of a moment, in the event's time zone."""
    return i18n.time(moment.astimezone(zone))


def spoken_time(moment: datetime, zone: ZoneInfo) -> str:
    """The time of a moment as it is said aloud, in the event's time zone."""
    return i18n.spoken(g.language, moment.astimezone(zone))


def stamp(moment: datetime, zone: ZoneInfo) -> str:
    """A short date and time, for lists: 06-10 8:47 in Chinese, 10 Jun, 08:47 in English. With the
    year if it is another one."""
    return i18n.stamp(g.language, moment.astimezone(zone), today=g.now.astimezone(zone).date())


def weekdays(numbers: Sequence[int]) -> str:
    """Weekdays in words: "Monday to Friday" if three or more are consecutive, else one by one."""
    names = [i18n.weekday(g.language, number) for number in sorted(numbers)]
    if len(names) > 2 and sorted(numbers) == list(range(min(numbers), max(numbers) + 1)):
        return say("from_to_days", first=names[0], last=names[-1])
    return say("list_comma").join(names)


def soon(moment: datetime, zone: ZoneInfo) -> str:
    """A coming moment as people say it: 9:00 today, 9:00 on Monday, and after a week with its
    date."""
    local, now = moment.astimezone(zone), g.now.astimezone(zone)
    days = (local.date() - now.date()).days
    if days == 0:
        return say("time_today", time=i18n.time(local))
    on = i18n.weekday(g.language, local.isoweekday()) if days < 7 else day(moment, zone)
    return say("time_on_day", day=on, time=i18n.time(local))


def date(moment: datetime, zone: ZoneInfo) -> str:
    """The day of a moment with its half of the day, which Chinese says before a time."""
    half = say(i18n.half_of_day(moment.astimezone(zone)))
    return say("day_and_half", day=day(moment, zone), half=half)


def in_sentences(said: str) -> tuple[str, str]:
    """The first sentence, without its full stop, and the rest."""
    first, _, rest = said.replace("。", "。 ", 1).partition(" " if "。" in said else ". ")
    return first.rstrip("。."), rest
