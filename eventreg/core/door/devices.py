"""Door devices: paired telephones, and browsers in which somebody signed in with a password.

A device keeps its random id and its name for one event, also if it is paired again. So its acts
that were not uploaded yet stay its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.door import device_checks
from eventreg.core.door_errors import DeviceRevoked, DeviceUnknown
from eventreg.core.errors import FieldRefused
from eventreg.core.models.door import DoorDevice
from eventreg.core.models.event import Event
from eventreg.core.models.staff import StaffMember, StaffSession
from eventreg.core.staff import accounts, pairing, sessions
from eventreg.core.values import tokens
from eventreg.core.values.normal_form import normalize

LONGEST_NAME = 20
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_DEFAULT_NAME = re.compile(r"([1-9][0-9]{0,5}) 号台")
_SEEN_EVERY = timedelta(seconds=20)
"""How often contact is stored, if it brings no other news."""


def is_well_formed(device: object) -> bool:
    """Whether this may be the id of a device: at most 64 letters, digits and ``._:-``."""
    return isinstance(device, str) and _ID.fullmatch(device) is not None


def default_number(name: str) -> int | None:
    """The number in a name that nobody chose, such as "1 号台", so that a page can say it in its
    language; ``None`` for every other name."""
    found = _DEFAULT_NAME.fullmatch(name)
    return int(found[1]) if found else None


_of_event = (
    select(DoorDevice).where(DoorDevice.event_id == bindparam("event")).order_by(DoorDevice.id)
)


def of_event(session: Session, event: Event) -> Sequence[DoorDevice]:
    """The devices of an event, also the revoked ones, in the order in which they came."""
    return session.scalars(_of_event, {"event": event.id}).all()


def names(session: Session, event: Event) -> Mapping[str, str]:
    """The name of each device of an event, by the device's id."""
    return {one.device: one.name for one in of_event(session, event)}


def find(session: Session, event: Event, device: str) -> DoorDevice | None:
    """The device of this id at the event; ``None`` if it was never in contact."""
    one = select(DoorDevice).where(DoorDevice.event_id == event.id, DoorDevice.device == device)
    return session.scalar(one)


def is_revoked(session: Session, event: Event, device: str) -> bool:
    """Whether this device of the event was taken away."""
    found = find(session, event, device)
    return found is not None and found.revoked_at is not None


@dataclass(frozen=True)
class Contact:
    """What a device says of itself when it is in contact. ``None`` is: not said."""

    session_id: int | None = None
    """The signed-in session it uses."""
    unsent: int | None = None
    """How many acts it has not uploaded yet."""
    clock_ahead: int | None = None
    """How many seconds its clock is ahead of ours."""
    has_roster: bool = False
    """Whether it fetched the list of people."""


_NO_NEWS = Contact()


def touch(
    session: Session,
    event: Event,
    device: str,
    *,
    by: Actor,
    now: datetime,
    contact: Contact = _NO_NEWS,
) -> DoorDevice:
    """Note that a device is in contact; returns its row, which is made at the first contact.

    The account of a paired telephone is one device, whatever id it sends. Raises ``DeviceRevoked``
    if the device was taken away. ``ValueError`` if the id is not well formed, or ``by`` is not a
    staff member.
    """
    if not is_well_formed(device) or by.staff_id is None:
        raise ValueError("a staff member uses a device that has an id")
    found = _in_contact(session, event, device, by.staff_id)
    if found is None:
        found = _added(session, event, device, by.staff_id)
    if found.revoked_at is not None:
        raise DeviceRevoked
    found.staff_id = by.staff_id
    _note(found, contact, now)
    browser = session.get(StaffSession, contact.session_id) if contact.session_id else None
    if browser is not None and browser.staff_id == by.staff_id:
        browser.door_device = found.device
    return found


def _in_contact(session: Session, event: Event, device: str, staff_id: int) -> DoorDevice | None:
    """The device of a paired telephone's account; else the one of that id."""
    member = session.get_one(StaffMember, staff_id)
    if member.event_id is None:
        return find(session, event, device)
    own = select(DoorDevice).where(DoorDevice.event_id == event.id, DoorDevice.staff_id == staff_id)
    return session.scalar(own.order_by(DoorDevice.id).limit(1)) or find(session, event, device)


def _note(found: DoorDevice, contact: Contact, now: datetime) -> None:
    is_news = contact.has_roster or contact.unsent is not None or contact.clock_ahead is not None
    if is_news or found.seen_at is None or now - found.seen_at >= _SEEN_EVERY:
        found.seen_at = now
    if contact.has_roster:
        found.roster_at = now
    if contact.unsent is not None:
        found.unsent = contact.unsent
    if contact.clock_ahead is not None:
        found.clock_ahead = contact.clock_ahead


def _added(session: Session, event: Event, device: str, staff_id: int) -> DoorDevice:
    """A new row. The event is locked, so that two devices get two names."""
    session.get_one(Event, event.id, with_for_update={"key_share": True}, populate_existing=True)
    made = find(session, event, device)
    if made is not None:  # made by another request while this one waited
        return made
    made = DoorDevice(
        event_id=event.id, device=device, name=_free_name(session, event), staff_id=staff_id
    )
    session.add(made)
    session.flush()
    return made


def _free_name(session: Session, event: Event) -> str:
    """The name with the lowest number that no device of the event has or had."""
    taken = set(names(session, event).values())
    number = next(one for one in range(1, len(taken) + 2) if f"{one} 号台" not in taken)
    return f"{number} 号台"


@dataclass(frozen=True)
class Paired:
    """A telephone that was just paired: the token of its session, and the id of its device."""

    session_token: str
    device: str


def pair(
    session: Session, token: str, *, held: str, machine: str, checks: str, now: datetime
) -> Paired:
    """Pair the telephone that holds the ``token`` of an offer: take up its device or make one, and
    sign it in. Raises ``LinkSpent`` and ``PairingClosed``, as ``pairing`` does.

    ``held`` is the id of the device that the browser still has. It counts only if it is a device of
    this event. ``checks`` is what the browser's self-test found.
    """
    offered = pairing.require_offer(session, token, now=now)
    event = session.get_one(Event, offered.event_id, with_for_update={"key_share": True})
    pairing.require_time(event, now=now)
    by = Actor("staff", offered.made_by_staff_id)
    known = find(session, event, held) if is_well_formed(held) else None
    member = pairing.account(session, event, known.staff_id if known else None, by=by, now=now)
    found = known or _added(session, event, tokens.opaque(), member.id)
    _end_sessions(session, found)
    found.staff_id, found.paired_at, found.revoked_at, found.seen_at = member.id, now, None, now
    found.checks = device_checks.kept(checks)
    offered.used_at = now
    audit.record(
        session,
        Action.PHONE_PAIRED,
        by,
        now=now,
        event_id=event.id,
        staff=member.id,
        door=found.id,
        again=known is not None,
    )
    opened = sessions.open_for(
        session,
        member,
        now=now,
        device=machine,
        until=sessions.paired_until(event),
        door_device=found.device,
    )
    return Paired(opened, found.device)


def _end_sessions(session: Session, found: DoorDevice) -> None:
    session.execute(delete(StaffSession).where(StaffSession.door_device == found.device))


def by_id(session: Session, event: Event, device_id: int) -> DoorDevice:
    """The device of this row at the event. Raises ``DeviceUnknown`` if there is none."""
    found = session.get(DoorDevice, device_id)
    if found is None or found.event_id != event.id:
        raise DeviceUnknown
    return found


def rename(
    session: Session, event: Event, found: DoorDevice, name: str, *, by: Actor, now: datetime
) -> None:
    """Give a door another name. Does nothing if it has that name. Raises ``FieldRefused`` if the
    name is empty, long or not printable, or another door of the event has it."""
    name = " ".join(normalize("NFC", name).split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or "\ufffd" in name:
        raise FieldRefused("name", "door_name_wrong", most=LONGEST_NAME)
    if name == found.name:
        return
    if name in names(session, event).values():
        raise FieldRefused("name", "door_name_taken")
    found.name = name
    audit.record(session, Action.DOOR_RENAMED, by, now=now, event_id=event.id, door=found.id)


def revoke(session: Session, event: Event, found: DoorDevice, *, by: Actor, now: datetime) -> None:
    """Take a door away: its session ends at once, and nothing that it sends is taken any more until
    it is paired again. Does nothing if it was taken away before.

    The account of a paired telephone is disabled; a person's account is not.
    """
    if found.revoked_at is not None:
        return
    found.revoked_at = now
    _end_sessions(session, found)
    member = session.get(StaffMember, found.staff_id) if found.staff_id else None
    if member is not None and member.event_id == event.id and member.disabled_at is None:
        accounts.disable(session, member, by=by, now=now)
    audit.record(session, Action.DOOR_REVOKED, by, now=now, event_id=event.id, door=found.id)
