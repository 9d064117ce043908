"""Times of an event that must fit its start and its end: which of them to move along, and which
contradict each other."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eventreg.core.errors import Contradicted
from eventreg.core.event import event_file
from eventreg.core.event.definition import Definition
from eventreg.core.event.key_paths import put, value_at

_ALONG = (
    "ends_at",
    "check_in.opens_at",
    "check_in.closes_at",
    "check_in.release_at",
    "day_phone.from",
    "day_phone.until",
)
"""The times that belong to the start, besides those of the agenda."""
_GAP = dt.timedelta(minutes=30)
_NOT_ABOUT_TIME = ("notice.", "slug", "site.", "hosts.", "timezone", "phone_line.", "day_phone.")


@dataclass(frozen=True)
class Contradiction:
    """Two facts of an event that do not fit. ``path`` is the fact to correct, ``reason`` the key of
    the sentence that says what is wrong, and ``values`` are the times in that sentence, by name."""

    path: str
    reason: str
    values: tuple[tuple[str, str], ...]


def _clock(moment: dt.datetime) -> str:
    return f"{moment.hour}:{moment.minute:02}"


def left_behind(before: Definition, written: Definition) -> Sequence[str]:
    """The paths of the times that belong to the start and stayed, although the start moved."""
    if written.starts_at == before.starts_at:
        return ()
    old, new = event_file.raw_of(before), event_file.raw_of(written)
    agenda = (
        f"agenda.{place}.{key}" for place in range(len(written.agenda)) for key in ("at", "until")
    )
    by_hours = _hours_between(before, written)
    return [
        path
        for path in (*_ALONG, *agenda)
        if (value := value_at(new, path)) is not None
        and value == value_at(old, path)
        and (by_hours or isinstance(value, dt.datetime))
    ]


def _hours_between(before: Definition, written: Definition) -> dt.timedelta:
    """By how much the time of day of the start moved."""
    on_the_new_day = dt.datetime.combine(written.starts_at.date(), before.starts_at.time())
    return written.starts_at - on_the_new_day


def moved_along(before: Definition, written: Definition) -> Definition:
    """The written event with the times that were left behind moved as the start was.

    A bare time is on the day of the event, so it moves by hours only. Raises
    ``DefinitionInvalid`` if a time would leave the years of event files.
    """
    raw = event_file.raw_of(written)
    hours, whole = _hours_between(before, written), written.starts_at - before.starts_at
    for path in left_behind(before, written):
        value = value_at(raw, path)
        if isinstance(value, dt.datetime):
            put(raw, path, value + whole)
            continue
        moved = written.local(value) + hours
        same_day = moved.date() == written.starts_at.date() or path.startswith("day_phone.")
        put(raw, path, moved.time() if same_day else moved)
    return event_file.of_raw(raw)


def contradictions(
    written: Definition, before: Definition | None = None
) -> Sequence[Contradiction]:
    """What does not fit in the written event, in the order of the form.

    With ``before``, also what fitted the event's old times and was not moved along. What
    contradicted itself in ``before`` already, and was saved on purpose, is not told again.
    """
    known = set(_within(before)) if before else set()
    found = [one for one in _within(written) if one not in known]
    if before:
        found += _against(before, written)
    return list({one.path: one for one in reversed(found)}.values())[::-1]


def require_consistent(
    written: Definition, before: Definition | None, *, meant: bool = False
) -> None:
    """Raise ``Contradicted`` if facts contradict each other, unless the organiser meant it."""
    if not meant and contradictions(written, before):
        raise Contradicted


def _within(written: Definition) -> Iterator[Contradiction]:
    """The contradictions that can be seen without the event as it was."""
    start, end = written.starts_at, written.local(written.ends_at)
    opens, closes = written.check_in_opens, written.check_in_closes
    if opens >= start:
        yield _clash("check_in.opens_at", "clash_check_in_opens", time=opens, start=start)
    elif closes + _GAP <= start or closes > end:
        yield _clash("check_in.closes_at", "clash_check_in_closes", time=closes, start=start)
    release = written.local(written.check_in.release_at)
    if release and not closes <= release <= end:
        yield _clash("check_in.release_at", "clash_release", time=release, start=start)
    registration = written.local(written.registration.closes_at)
    if registration and registration > end:
        yield _clash("registration.closes_at", "clash_registration", end=end)
    yield from _in_agenda(written, opens, start, end)
    phone = written.day_phone
    if phone and phone.until and written.local(phone.until) <= opens:
        yield _clash("day_phone.until", "clash_day_phone", time=written.local(phone.until))
    if phone and phone.from_ and written.local(phone.from_) >= start:
        yield _clash("day_phone.from", "clash_day_phone", time=written.local(phone.from_))


def _in_agenda(
    written: Definition, opens: dt.datetime, start: dt.datetime, end: dt.datetime
) -> Iterator[Contradiction]:
    begins = [written.local(item.at) for item in written.agenda]
    for place, (item, at) in enumerate(zip(written.agenda, begins, strict=True)):
        last = written.local(item.until) or at
        if at < opens or last > end:
            wrong = at if at < opens else last
            yield _clash(f"agenda.{place}.at", "clash_agenda", time=wrong, opens=opens, end=end)
    if begins and start not in begins:
        yield _clash("agenda", "clash_agenda_start", start=start)


def _clash(path: str, reason: str, **times: dt.datetime) -> Contradiction:
    return Contradiction(path, reason, tuple((name, _clock(one)) for name, one in times.items()))


def _against(before: Definition, written: Definition) -> Iterator[Contradiction]:
    """What still says the event's old times."""
    yield from _in_notice(before, written)
    pairs = (
        (before.starts_at, written.starts_at),
        (before.local(before.ends_at), written.local(written.ends_at)),
    )
    if before.check_in_closes == before.starts_at and written.check_in_closes < written.starts_at:
        yield _clash(
            "check_in.closes_at",
            "clash_check_in_closes",
            time=written.check_in_closes,
            start=written.starts_at,
        )
    early = written.local(written.check_in.release_at)
    if early and early < written.starts_at and not _releases_early(before):
        yield _clash("check_in.release_at", "clash_release", time=early, start=written.starts_at)
    for old, new in pairs:
        if old.time() == new.time():
            continue
        for place, item in enumerate(written.agenda):
            is_old = written.local(item.at).time() == old.time()
            if is_old and place < len(before.agenda) and before.agenda[place].at == item.at:
                yield _clash(f"agenda.{place}.at", "clash_agenda_old", time=old, new=new)
        yield from _in_words(written, old, new)


def _when_and_where(one: Definition) -> tuple[object, ...]:
    return one.starts_at, one.ends_at, one.place.name, one.place.address


def _in_notice(before: Definition, written: Definition) -> Iterator[Contradiction]:
    """A notice that says something else than the event does now. Everybody who is called hears its
    words, and every guest reads them."""
    if written.notice is None or before.notice is None:
        return
    same_words = written.notice.text == before.notice.text
    moved = _when_and_where(written) != _when_and_where(before)
    if same_words and written.notice.kind != before.notice.kind:
        yield Contradiction("notice", "clash_notice_words", ())
    elif same_words and moved:
        yield Contradiction("notice", "clash_notice_old", ())


def _releases_early(before: Definition) -> bool:
    """Whether seats were already to be given away before the start."""
    release = before.local(before.check_in.release_at)
    return release is not None and bool(release < before.starts_at)


def _in_words(written: Definition, old: dt.datetime, new: dt.datetime) -> Iterator[Contradiction]:
    """The texts in which guests read the old time."""
    minutes = f"[:：点]\\s*{old.minute:02}" if old.minute else r"(?:[:：]\s*00|\s*点(?!\s*\d|半))"
    says = re.compile(rf"(?<!\d)0?{old.hour}\s*{minutes}(?!\d)")
    for path, text in written.texts():
        if not path.startswith(_NOT_ABOUT_TIME) and says.search(text):
            yield _clash(path, "clash_words", time=old, new=new)
