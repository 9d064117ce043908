"""Find names with one wrong letter: another one, one too many, one missing, or two exchanged."""

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee

SHORTEST = 4
"""Shorter names differ in one letter too often."""
_MOST_COMPARED = 5_000
_MOST_FOUND = 50


def people(session: Session, event: Event, word: str) -> list[int]:
    """The ids of attendees of whom a key, or the surname, differs from the word in one letter; at
    most 50."""
    if len(word) < SHORTEST or not word.isalpha():
        return []
    return [
        attendee_id
        for attendee_id, keys, reading in session.execute(_candidates(event, word))
        if any(is_one_off(word, key) for key in (*keys.split(), reading.partition(" ")[0]))
    ][:_MOST_FOUND]


def _candidates(event: Event, word: str) -> Select[int, str, str]:
    """The attendees of whom a key has the first half of the word or the second: one wrong letter
    cannot be in both, unless the letters in the middle are exchanged."""
    middle = len(word) // 2
    exchanged = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
    parts = (f" {word[:middle]}", word[middle:], f" {exchanged}")
    keys = Attendee.search_key
    return (
        select(Attendee.id, keys, Attendee.sort_key)
        .where(
            Attendee.event_id == event.id,
            or_(*(keys.contains(part, autoescape=True) for part in parts)),
        )
        .order_by(Attendee.sort_key, Attendee.id)
        .limit(_MOST_COMPARED)
    )


def is_one_off(typed: str, meant: str) -> bool:
    """Whether two words of at least four letters differ in exactly one."""
    shortest, longest = sorted((len(typed), len(meant)))
    if shortest < SHORTEST or longest - shortest > 1 or typed == meant:
        return False
    pairs = zip(typed, meant, strict=False)
    same = next((place for place, (a, b) in enumerate(pairs) if a != b), shortest)
    a, b = typed[same:], meant[same:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
