"""Pair volunteers' telephones with an event, by a code on a screen instead of a password.

Each telephone gets an account of its own. It may use the door page of one event until the next
midnight in its zone, and it can be disabled without touching the others.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import LinkSpent
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.models.staff import Pairing, Role, StaffMember
from eventreg.core.staff import sessions
from eventreg.core.values import tokens

CODE_LIVES = timedelta(minutes=15)


def offer(session: Session, event: Event, *, by: Actor, now: datetime) -> str:
    """Make a one-time token for a telephone, valid for fifteen minutes. ``ValueError`` if ``by`` is
    not a staff member."""
    if by.staff_id is None:
        raise ValueError("a staff member pairs telephones")
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


def _next_midnight(event: Event, now: datetime) -> datetime:
    local = now.astimezone(events.zone(event))
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


_SLUG_SHOWN = 40


def _name(event: Event, number: int) -> str:
    """The name that staff see for a telephone. A long slug is cut, and the event's id added.

    It does not identify the account: a person may have the same name.
    """
    slug = event.slug if len(event.slug) <= _SLUG_SHOWN else f"{event.slug[:30]}…{event.id}"
    return f"{slug} ☎{number}"


def pair(session: Session, token: str, *, device: str, now: datetime) -> str:
    """Pair the telephone that holds ``token`` of an offer: create its account and sign it in.
    Returns the token of its session. Raises ``LinkSpent`` as ``require_offer`` does."""
    offer_made = require_offer(session, token, now=now)
    # Locked, so that two telephones paired at the same time get two numbers.
    event = session.get_one(Event, offer_made.event_id, with_for_update={"key_share": True})
    number = (
        session.execute(
            select(func.count(StaffMember.id)).where(StaffMember.event_id == event.id)
        ).scalar_one()
        + 1
    )
    member = StaffMember(
        username=_name(event, number),
        username_folded=f"☎{secrets.token_hex(16)}",
        role=Role.DOOR,
        password_hash=None,
        created_at=now,
        event_id=event.id,
    )
    session.add(member)
    offer_made.used_at = now
    session.flush()
    audit.record(
        session,
        Action.PHONE_PAIRED,
        Actor("staff", offer_made.made_by_staff_id),
        now=now,
        event_id=event.id,
        staff=member.id,
    )
    return sessions.open_for(
        session, member, now=now, device=device, until=_next_midnight(event, now)
    )


def of_event(session: Session, event: Event) -> Sequence[StaffMember]:
    """The accounts of telephones that were paired with an event and are not disabled, the newest
    first; also those whose session has ended."""
    paired = (StaffMember.event_id == event.id, StaffMember.disabled_at.is_(None))
    return session.scalars(select(StaffMember).where(*paired).order_by(StaffMember.id.desc())).all()
