"""Door devices of a morning, as the tests play them: they record acts and upload batches."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from eventreg.core.door import devices
from eventreg.core.event import events
from eventreg.core.models.door import DoorAct
from eventreg.core.models.registration import Attendee
from eventreg.core.registration.arrivals import presence
from eventreg.core.uploads import acts, sync
from eventreg.storage.session import reading, write
from tests.support.factories import SECRET, House


class Door:
    """One device. Its clock may be wrong by ``ahead``."""

    def __init__(self, house: House, device: str = "", ahead: timedelta = timedelta(0)) -> None:
        self.house, self.device, self.ahead = house, device or uuid4().hex, ahead
        self.seq = 0

    def act(self, act: str, attendee: str = "", **more: Any) -> dict[str, Any]:
        """Record an act now."""
        self.seq += 1
        at = more.pop("at", self.house.now) + self.ahead
        known = {"key": uuid4().hex, "seq": self.seq, "act": act, "at": at.isoformat()}
        return {**known, **({"attendee": attendee} if attendee else {}), **more}

    def body(self, *sent: Any) -> bytes:
        """The body of an upload of these acts."""
        now = self.house.now + self.ahead
        return json.dumps({"device": self.device, "now": now.isoformat(), "acts": sent}).encode()

    def upload(self, *sent: Any) -> list[dict[str, Any]]:
        """Upload these acts. Returns the answers."""
        house, batch = self.house, acts.parse(self.body(*sent))
        done = write(
            lambda session: (
                sync.apply(
                    session,
                    events.get(session, "small"),
                    batch,
                    by=house.dora,
                    secret_key=SECRET,
                    now=house.now,
                ).results
            )
        )
        reading().rollback()
        return list(done)

    def do(self, act: str, attendee: str = "", **more: Any) -> dict[str, Any]:
        """Record one act and upload it at once."""
        return self.upload(self.act(act, attendee, **more))[0]

    @property
    def name(self) -> str:
        """What the server calls this door."""
        return devices.names(reading(), self.house.event())[self.device]


def to_settle(house: House) -> list[str]:
    """The clashes that nobody has settled, in their order."""
    reading().rollback()
    clash = select(DoorAct.clash).where(DoorAct.clash.is_not(None), DoorAct.settled_at.is_(None))
    return [str(one) for one in reading().scalars(clash.order_by(DoorAct.id))]


def arrived(house: House) -> int:
    """How many have arrived."""
    reading().rollback()
    return presence(reading(), house.event()).arrived


def attendee(name: str) -> str:
    """The random id of the person of that name."""
    return str(reading().scalars(select(Attendee.public_id).where(Attendee.name == name)).one())


def hour(text: str) -> datetime:
    """A time on the morning."""
    return datetime.fromisoformat(f"2030-06-10 {text}+08:00")
