"""Pair volunteers' telephones with an event, by a code on a screen instead of a password.

Each telephone gets an account of its own. It may use the door page of one event, from pairing, at
most four days before the start, until twelve hours after the end. It can be disabled without
touching the others. Its place among the doors is ``core.door.devices``.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.core.audit import Actor
from eventreg.core.door_errors import PairingClosed
from eventreg.core.errors import LinkSpent
from eventreg.core.models.event import Event
from eventreg.core.models.staff import Pairing, Role, StaffMember
from eventreg.core.staff import accounts, sessions
from eventreg.core.values import tokens

CODE_LIVES = timedelta(minutes=15)
FIRST = timedelta(days=4)
"""How long before the start of an event telephones can be paired."""


def opens_at(event: Event) -> datetime:
    """From when on telephones can be paired with an event."""
    return event.starts_at - FIRST


def require_time(event: Event, *, now: datetime) -> None:
    """Raise ``PairingClosed`` outside the time in which telephones can be paired."""
    opens, closes = opens_at(event), sessions.paired_until(event)
    if not opens <= now < closes:
        raise PairingClosed(opens, closes)


def offer(session: Session, event: Event, *, by: Actor, now: datetime) -> str:
    """Make a one-time token for a telephone, valid for fifteen minutes. Raises ``PairingClosed``;
    ``ValueError`` if ``by`` is not a staff member."""
    if by.staff_id is None:
        raise ValueError("a staff member pairs telephones")
    require_time(event, now=now)
    token = tokens.new()
    session.add(
        Pairing(
            event_id=event.id,
            token_digest=tokens.digest(token),
            made_by_staff_id=by.staff_id,
            expires_at=now + CODE_LIVES,
        )
    )
    return token


def require_offer(session: Session, token: str, *, now: datetime) -> Pairing:
    """The offer for a token. Raises ``LinkSpent`` if it is unknown, used or expired."""
    found = session.scalar(
        select(Pairing).where(Pairing.token_digest == tokens.digest(token)).with_for_update()
    )
    if found is None or found.used_at is not None or now >= found.expires_at:
        raise LinkSpent
    return found


def used_for(session: Session, token: str) -> int | None:
    """The id of the event with which a telephone was paired by this token; ``None`` if none was."""
    used = (Pairing.token_digest == tokens.digest(token), Pairing.used_at.is_not(None))
    return session.scalar(select(Pairing.event_id).where(*used))


_SLUG_SHOWN = 40


def _name(event: Event, number: int) -> str:
    """The name that staff see for a telephone. A long slug is cut, and the event's id added.

    It does not identify the account: a person may have the same name.
    """
    slug = event.slug if len(event.slug) <= _SLUG_SHOWN else f"{event.slug[:30]}…{event.id}"
    return f"{slug} ☎{number}"


def account(
    session: Session, event: Event, known_id: int | None, *, by: Actor, now: datetime
) -> StaffMember:
    """The account of a telephone that is being paired: ``known_id`` if that is the account of a
    telephone of this event, with its sessions ended; else a new one. The event must be locked, so
    that two telephones paired at the same time get two numbers."""
    known = session.get(StaffMember, known_id) if known_id else None
    if known is not None and known.event_id == event.id:
        accounts.end_sessions(session, known)
        accounts.enable(session, known, by=by, now=now)
        return known
    counted = select(func.count(StaffMember.id)).where(StaffMember.event_id == event.id)
    made = StaffMember(
        username=_name(event, session.execute(counted).scalar_one() + 1),
        username_folded=f"☎{secrets.token_hex(16)}",
        role=Role.DOOR,
        password_hash=None,
        created_at=now,
        event_id=event.id,
    )
    session.add(made)
    session.flush()
    return made
