"""Limit how many people one network address may register, also if it sends all forms at once.

Registrations that come from one address within an hour share a random mark, so that the desk can
look at them together (docs/adr/0012).
"""

import secrets
from collections.abc import Callable

from flask import current_app

from eventreg.core.errors import Refusal
from eventreg.core.registration.entries import Made
from eventreg.web.limits import limits
from eventreg.web.limits.limits import TooOften

_MARK_LASTS = 60 * 60
"""Seconds for which an address keeps its mark, counted from its first registration."""


class TooManyHere(TooOften):
    """The address has registered as many people as it may for now."""


def spend(slug: str, number: str, people: int, book: Callable[[str | None], Made]) -> Made:
    """Call ``book`` with the mark of this address to register, and count the people.

    Raises ``TooManyHere`` if the address has registered too many, and ``TooOften`` for any other
    limit. The people of a refused form, or of one that was sent before, are not counted: otherwise
    one person could use up the limit of another's number, or of a shared address. A refusal counts
    towards ``REFUSED``.
    """
    counters, here = limits.limits(), limits.address()
    counters.check("refused", limits.REFUSED, here)
    rates = current_app.extensions["settings"].people_per_address
    try:
        counters.add("people", rates, here, people)
    except TooOften as wait:
        raise TooManyHere(wait.seconds) from wait
    kept = False
    try:
        counters.add("phone", limits.PHONE, f"{slug} {number}")
        try:
            made = book(_mark(here))
            kept = not made.again
            return made
        except Refusal:
            counters.hit("refused", limits.REFUSED, here)
            raise
        finally:
            if not kept:
                counters.subtract("phone", limits.PHONE, f"{slug} {number}")
    finally:
        if not kept:
            counters.subtract("people", rates, here, people)


def _mark(here: str) -> str | None:
    """The random mark of an address, kept for an hour; ``None`` if limits are off. It cannot be
    computed from the address, and after the hour no one can tell to which address it belonged."""
    counters = limits.limits()
    if not counters.on:
        return None
    return f"{counters.first(f'mark/{here}', secrets.randbits(62) + 1, _MARK_LASTS):016x}"
