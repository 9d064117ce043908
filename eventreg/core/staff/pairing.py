"""Telephones of volunteers: paired with a code on a screen, so that nobody types a password at the
door. Each is an account of its own that opens the door of one event until midnight, and can be
taken away alone."""

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
    """A token for one telephone, good once and for a quarter of an hour."""
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


def offered(session: Session, token: str, *, now: datetime) -> Pairing:
    """The offer behind a token; ``LinkSpent`` where it is unknown, used or too old."""
    found = session.scalar(
        select(Pairing).where(Pairing.token_digest == tokens.digest(token)).with_for_update()
    )
    if found is None or found.used_at is not None or now >= found.expires_at:
        raise LinkSpent
    return found


def _midnight(event: Event, now: datetime) -> datetime:
    local = now.astimezone(events.zone(event))
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


_SLUG_SHOWN = 40


def _name(event: Event, number: int) -> str:
    """What staff read of a telephone. Slugs that begin alike are told apart by the event's number.

    It is no account's identity: nobody signs in with it, and a person may be called the same.
    """
    slug = event.slug if len(event.slug) <= _SLUG_SHOWN else f"{event.slug[:30]}…{event.id}"
    return f"{slug} ☎{number}"


def pair(session: Session, token: str, *, device: str, now: datetime) -> str:
    """Make the telephone that holds ``token`` a door device; returns the token of its session."""
    offer_made = offered(session, token, now=now)
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
    return sessions.open_for(session, member, now=now, device=device, until=_midnight(event, now))


def of_event(session: Session, event: Event) -> Sequence[StaffMember]:
    """The telephones that were paired for an event and not taken away, the last one first."""
    paired = (StaffMember.event_id == event.id, StaffMember.disabled_at.is_(None))
    return session.scalars(select(StaffMember).where(*paired).order_by(StaffMember.id.desc())).all()
