"""The page before a change of an event: what would change, what contradicts, who is told and how,
what follows, and what can be undone."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, render_template, request

from eventreg import i18n
from eventreg.core import outbox
from eventreg.core.desk import print_history
from eventreg.core.errors import EventUnknown
from eventreg.core.event import event_file, events
from eventreg.core.event.definition import Definition
from eventreg.core.models.event import Event
from eventreg.core.organising import applying, consistency
from eventreg.core.registration import seats
from eventreg.core.registration.seats import SeatCount
from eventreg.storage.session import reading
from eventreg.web.event_facts import about
from eventreg.web.language import count, say, words
from eventreg.web.organising import fact_words
from eventreg.web.wire.answers import Answer

_TELLING = {
    "starts_at",
    "ends_at",
    "place.name.zh",
    "place.name.en",
    "place.address.zh",
    "place.address.en",
}
"""Facts whose change must be told to everyone who is registered or waits."""
_ON_PAPER = ("title.", "starts_at", "check_in.", "place.")
"""Facts that stand on the printed list."""


@dataclass(frozen=True)
class _Change:
    """A proposed change of an event: the event, if there is one, as it is and as it is written."""

    event: Event | None
    before: Definition | None
    written: Definition
    keys: frozenset[str]
    counted: SeatCount | None

    @property
    def people(self) -> int:
        """The number of people who are registered or wait."""
        return self.counted.taken + self.counted.waiting if self.counted else 0

    @property
    def has_new_notice(self) -> bool:
        """Whether saving tells everyone the notice."""
        return self.written.notice is not None and any(
            key.startswith("notice.") for key in self.keys
        )

    @property
    def asks_to_tell(self) -> bool:
        """Whether the page offers to tell everyone, since a time or the place would change."""
        cancelled = self.written.notice is not None and self.written.notice.kind == "cancelled"
        changes = bool(_TELLING & self.keys) and not self.has_new_notice
        return changes and self.people > 0 and not cancelled


def check_page(
    event: Event | None, written: Definition, *, said: str = "", status: int = 409
) -> Answer:
    """Show what would change and what follows. Changes nothing.

    ``event`` is ``None`` for a new event. With ``said``, why it was not saved, the answer has the
    given status.
    """
    if event is None:
        with suppress(EventUnknown):
            event = events.get(reading(), written.slug)
            said = said or say("slug_is_taken")
    before = events.definition(event) if event else None
    differences = applying.differences(event, written)
    change = _Change(
        event,
        before,
        written,
        frozenset(key for key, _, _ in differences),
        seats.count(reading(), event.id, now=g.now) if event else None,
    )
    page = render_template(
        "organising/check.html",
        changes=[_in_words(*one) for one in differences],
        toml=event_file.write(written),
        version=events.state_of(event) if event else "0",
        from_slug=request.form.get("from", ""),
        said=said,
        stays=bool(said) and status == 409,
        **_shown(change),
        **(about(event) if event else {}),
    )
    return (page, status) if said else page


def _shown(change: _Change) -> dict[str, Any]:
    """What the page says about the change."""
    written, counted = change.written, change.counted
    return {
        "known": change.event,
        "written": written,
        "starts": fact_words.value("starts_at", written.starts_at.isoformat()),
        "behind": [fact_words.label(path) for path in _left_behind(change)],
        "clashes": _clashes(change),
        "consequences": _consequences(change) if change.event else [],
        "counted": counted,
        "over": max(0, counted.taken - written.capacity) if counted else 0,
        "tell": change.asks_to_tell,
        "people": change.people,
        "tell_words": _moved_words(written) if change.asks_to_tell else {},
        "warnings": [fact_words.warning(told) for told in event_file.warnings(written, "")],
    }


def _in_words(key: str, before: str, after: str) -> tuple[str, str, str]:
    return fact_words.label(key), fact_words.value(key, before), fact_words.value(key, after)


def _left_behind(change: _Change) -> Sequence[str]:
    return consistency.left_behind(change.before, change.written) if change.before else ()


def _clashes(change: _Change) -> list[tuple[str, str]]:
    """Each contradiction as the name of the fact and a sentence."""
    return [
        (fact_words.label(one.path), say(one.reason, **dict(one.values)))
        for one in consistency.contradictions(change.written, change.before)
    ]


def _consequences(change: _Change) -> list[str]:
    """What follows if the change is saved, one sentence each."""
    return [*_of_seats(change), *_of_registration(change), *_of_telling(change), *_of_paper(change)]


def _of_seats(change: _Change) -> list[str]:
    counted, written = change.counted, change.written
    if counted is None:
        return []
    said = [say("taken_of", taken=counted.taken, capacity=counted.capacity)]
    if counted.waiting:
        said[0] += f" · {count('people_waiting', counted.waiting)}"
    more = written.capacity - counted.capacity
    if more > 0 and counted.waiting:
        said.append(say("waiting_get_seats", seats=min(more, counted.waiting)))
    return said


def _of_registration(change: _Change) -> list[str]:
    if change.event is None:
        return []
    draft = applying.draft(change.written)
    was, will_be = events.phase(change.event, g.now), events.phase(draft, g.now)
    if was == will_be:
        return []
    phase = will_be.value.replace("-", "_")
    return [say(f"becomes_{phase}")]


def _of_telling(change: _Change) -> list[str]:
    """Who is told and by which way, and what cannot be taken back then."""
    if change.event is None or not change.keys:
        return []
    told = outbox.reach(reading(), change.event.id)
    earlier = _of_earlier_notice(change)
    if change.people and (change.has_new_notice or change.asks_to_tell):
        ways = say("told_by", calls=told.calls, mails=told.mails)
        here_only = current_app.jinja_env.globals["opens_here_only"]
        return [
            *earlier,
            say("everybody_is_told", people=change.people)
            if change.has_new_notice
            else say("told_if_ticked", people=change.people),
            ways,
            say("undo_but_told"),
            *([say("opens_here_only", address=here_only)] if here_only and told.mails else []),
        ]
    return [*earlier, say("nobody_is_told"), say("undo_by_editing")]


def _of_earlier_notice(change: _Change) -> list[str]:
    """What becomes of the present notice, and of those who have heard it already."""
    if change.event is None or change.before is None or change.before.notice is None:
        return []
    said = []
    if change.written.notice != change.before.notice:
        said.append(say("notice_goes", words=words(change.before.notice.text)))
    elif change.asks_to_tell:
        said.append(say("notice_goes_if_ticked", words=words(change.before.notice.text)))
    told = outbox.count_told(reading(), change.event.id)
    if told and said:
        said.append(say("told_already", told=told))
    return said


def _of_paper(change: _Change) -> list[str]:
    """Whether a list was printed that would not be right any more."""
    if change.event is None or not any(key.startswith(_ON_PAPER) for key in change.keys):
        return []
    printed = print_history.latest(reading(), change.event).at
    return [say("printed_list_is_old")] if printed else []


def _moved_words(written: Definition) -> dict[str, str]:
    """A draft of the notice about a new time or place, in both languages."""
    today, zone = g.now.date(), written.timezone
    told: dict[str, Any] = {"time": i18n.time(written.starts_at), "zone": zone}
    return {
        lang: i18n.sentence(
            lang,
            "moved_words",
            day=i18n.day(lang, written.starts_at.date(), today=today),
            place=written.place.name.in_(lang),
            **told,
        )
        for lang in i18n.LANGUAGES
    }
