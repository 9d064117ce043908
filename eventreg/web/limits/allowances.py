"""What one address may take of the seats: so many people, and never more by sending them all at
once. Who registers many in a short time from one address is marked, for people to look at
(docs/adr/0012)."""

import secrets
from collections.abc import Callable

from flask import current_app

from eventreg.core.errors import Refusal
from eventreg.core.registration.entries import Made
from eventreg.web.limits import limits
from eventreg.web.limits.limits import TooOften

_MARK_LASTS = 60 * 60
"""Seconds for which an address keeps its mark, from its first registration on."""


class TooManyHere(TooOften):
    """This address has registered as many people as one address may for now."""


def spend(slug: str, number: str, people: int, book: Callable[[str | None], Made]) -> Made:
    """Register with ``book``, which is given the mark of this address, and count the people.

    ``TooManyHere`` and ``TooOften`` where that is too many. What is refused, and a form that was
    here before, costs nothing, so nobody can use up another's number or a shared address by what is
    refused.
    """
    counters, here = limits.limits(), limits.address()
    counters.check("refused", limits.REFUSED, here)
    rates = current_app.extensions["settings"].people_per_address
    try:
        counters.take("people", rates, here, people)
    except TooOften as wait:
        raise TooManyHere(wait.seconds) from wait
    kept = False
    try:
        counters.take("phone", limits.PHONE, f"{slug} {number}")
        try:
            made = book(_mark(here))
            kept = not made.again
            return made
        except Refusal:
            counters.hit("refused", limits.REFUSED, here)
            raise
        finally:
            if not kept:
                counters.give_back("phone", limits.PHONE, f"{slug} {number}")
    finally:
        if not kept:
            counters.give_back("people", rates, here, people)


def _mark(here: str) -> str | None:
    """The random number by which registrations of one address within an hour are told from others.
    It cannot be computed from the address, and which address it belongs to is forgotten with the
    hour."""
    counters = limits.limits()
    if not counters.on:
        return None
    return f"{counters.first(f'mark/{here}', secrets.randbits(62) + 1, _MARK_LASTS):016x}"
