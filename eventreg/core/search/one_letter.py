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
    """The ids of attendees of whom a key differs from the word in one letter, at most 50."""
    if len(word) < SHORTEST or not word.isalpha():
        return []
    return [
        attendee_id
        for attendee_id, keys in session.execute(_candidates(event, word))
        if any(is_one_off(word, key) for key in keys.split())
    ][:_MOST_FOUND]


def _candidates(event: Event, word: str) -> Select[int, str]:
    """The attendees of whom a key has the first half of the word or the second: one wrong letter
    cannot be in both, unless the letters in the middle are exchanged."""
    middle = len(word) // 2
    exchanged = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
    parts = (f" {word[:middle]}", word[middle:], f" {exchanged}")
    keys = Attendee.search_key
    return (
        select(Attendee.id, keys)
        .where(
            Attendee.event_id == event.id,
            or_(*(keys.contains(part, autoescape=True) for part in parts)),
        )
        .order_by(Attendee.sort_key, Attendee.id)
        .limit(_MOST_COMPARED)
    )


def is_one_off(typed: str, meant: str) -> bool:
    """Whether two words of at least four letters differ in exactly one."""
    if abs(len(typed) - len(meant)) > 1 or len(meant) < SHORTEST or typed == meant:
        return False
    pairs = zip(typed, meant, strict=False)
    same = next(
        (place for place, (a, b) in enumerate(pairs) if a != b), min(len(typed), len(meant))
    )
    a, b = typed[same:], meant[same:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
