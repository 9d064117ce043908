"""The two languages: sentences by key, and dates and times.

`translations/` holds the sentences in Chinese and English. A key that it lacks raises
``LookupError``.
"""

from datetime import date, datetime
from datetime import time as dt_time
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from eventreg.settings.table import ROOT

LANGUAGES = ("zh", "en")
TAGS = {"zh": "zh-Hans", "en": "en"}
"""The value of ``<html lang>``."""
OWN_NAMES = {"zh": "中文", "en": "English"}


class _Missing(NullTranslations):
    """Raises ``LookupError`` for a key that a catalogue lacks."""

    def gettext(self, message: str) -> str:
        raise LookupError(f"no sentence {message!r}")

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:  # noqa: ARG002
        raise LookupError(f"no sentence {msgid1!r}")


@cache
def _catalogue(language: str) -> GNUTranslations:
    path = ROOT / "translations" / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    translations = GNUTranslations(compiled)
    translations.add_fallback(_Missing())
    return translations


def sentence(language: str, key: str, **values: object) -> str:
    """The sentence of a key, with the values filled in."""
    said = _catalogue(language).gettext(key)
    return said.format(**values) if values else said


def beginning(language: str, *stems: str) -> dict[str, str]:
    """All sentences whose keys begin with one of these, by key, with the places for values as they
    stand. The forms for numbers are left out."""
    known: dict[object, str] = _catalogue(language)._catalog  # type: ignore[attr-defined]
    return {
        key: said for key, said in known.items() if isinstance(key, str) and key.startswith(stems)
    }


def counted(language: str, key: str, count: int, **values: object) -> str:
    """The sentence of a key in the form for a number: 1 seat, 3 seats."""
    return _catalogue(language).ngettext(key, key, count).format(count=count, **values)


def other(language: str) -> str:
    """The other of the two languages."""
    return "en" if language == "zh" else "zh"


def day(language: str, on: date, *, today: date) -> str:
    """A day with its weekday, and with its year if that is not the current one."""
    with_year = on.year != today.year
    if language == "zh":
        return format_date(
            on, "y 年 M 月 d 日（EEEE）" if with_year else "M 月 d 日（EEEE）", locale="zh_Hans_CN"
        )
    return format_date(on, "EEEE, MMMM d, y" if with_year else "EEEE, MMMM d", locale="en")


def stamp(language: str, moment: datetime, *, today: date) -> str:
    """A short date and time for lists: 06-10 8:47 in Chinese, 10 Jun, 08:47 in English. With the
    year if it is another one."""
    with_year = moment.year != today.year
    if language == "zh":
        on = moment.date().isoformat()
        return f"{on if with_year else on[5:]} {time(moment)}"
    on = format_date(moment, "d MMM y" if with_year else "d MMM", locale="en")
    return f"{on}, {moment:%H:%M}"


def weekday(language: str, number: int) -> str:
    """The name of a weekday, 1 for Monday."""
    return format_date(
        date(2024, 1, number), "EEEE", locale="zh_Hans_CN" if language == "zh" else "en"
    )


def time(moment: datetime | dt_time) -> str:
    """A time of day as both languages write it: 8:45, 17:00."""
    return f"{moment.hour}:{moment.minute:02}"


def half_of_day(moment: datetime) -> str:
    """The key of the sentence for the half of the day: morning or afternoon."""
    return "morning" if moment.hour < 12 else "afternoon"


def spoken(language: str, moment: datetime) -> str:
    """A time of day as it is said after the half of the day: in Chinese on twelve hours
    (8 点 45 分, 2 点), in English as it is written."""
    hour = (moment.hour - 1) % 12 + 1 if language == "zh" else moment.hour
    return sentence(
        language,
        "o_clock_minutes" if moment.minute else "o_clock",
        hour=hour,
        minutes=moment.minute,
    )
