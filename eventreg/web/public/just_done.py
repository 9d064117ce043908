"""What was just done with a ticket. Its page says that first, and offers to undo a cancellation.

Read from the audit trail, and only for ten minutes: so the page says the same after a reload, and
nothing old when the ticket is opened again.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flask import g

from eventreg.core import audit
from eventreg.core.audit import Action
from eventreg.core.desk import attendee_list
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Registration
from eventreg.core.undo import cancelled
from eventreg.core.undo.cancelled import LASTS, Cancellation, Offer
from eventreg.storage.session import reading
from eventreg.web.language import say


class Act(StrEnum):
    """What was done last."""

    GAVE_BACK = "gave-back"
    LEFT = "left"
    CHANGED = "changed"
    CAME_BACK = "came-back"
    NOTHING = ""
    """Nothing but registering, or nothing lately."""


_ACTS = {
    Action.SEATS_TAKEN: Act.NOTHING,
    Action.WAITLIST_JOINED: Act.NOTHING,
    Action.PROMOTED: Act.NOTHING,
    Action.SEATS_RELEASED: Act.GAVE_BACK,
    Action.WAITLIST_LEFT: Act.LEFT,
    Action.REGISTRATION_EDITED: Act.CHANGED,
    Action.CANCELLATION_UNDONE: Act.CAME_BACK,
}


@dataclass(frozen=True)
class Undo:
    """A cancellation that the holder of the ticket made a moment ago, and whether it can be taken
    back. ``waits`` says that the people come back to the waiting list."""

    names: str
    until: datetime
    possible: bool
    waits: bool


@dataclass(frozen=True)
class JustDone:
    """The last act; the names of those who cancelled, and of those who stay. ``waited`` says that
    the last who cancelled were waiting, however long ago that was."""

    act: Act
    waited: bool
    gone: str
    staying: str
    undo: Undo | None


NOTHING_LATELY = JustDone(Act.NOTHING, False, "", "", None)
"""For a ticket that has not changed since its party registered."""


def of(registration: Registration, event: Event) -> JustDone:
    """What was done with this registration within the last ten minutes."""
    last = cancelled.standing(reading(), registration)
    found = last if last and g.now < last.until else None
    people = attendee_list.of_registration(reading(), registration.id)
    left = set(found.people) if found else set()
    gone = [row.name for row in people if row.attendee_id in left]
    staying = [row.name for row in people if row.is_live]
    comma = say("list_comma")
    act = _last(registration)
    return JustDone(
        act if gone or act not in (Act.GAVE_BACK, Act.LEFT) else Act.NOTHING,
        last is not None and last.waited,
        comma.join(gone),
        comma.join(staying),
        _undo(registration, event, found, comma.join(gone)) if found else None,
    )


def _last(registration: Registration) -> Act:
    lately = (
        _ACTS[Action(entry.action)]
        for entry in reversed(audit.history(reading(), registration.id))
        if entry.action in _ACTS and entry.at > g.now - LASTS
    )
    return next(lately, Act.NOTHING)


def _undo(registration: Registration, event: Event, found: Cancellation, names: str) -> Undo | None:
    """``None`` if staff cancelled: then the telephone is the way."""
    if not found.by_registrant:
        return None
    offer = cancelled.offer(reading(), event, registration, found, now=g.now)
    waits = cancelled.waits(registration, found)
    return Undo(names, found.until, offer is Offer.UNDO, waits)
