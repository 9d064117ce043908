"""In which order the acts of a batch happened, and when, by the server's clock."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from eventreg.core.models.door import DoorDevice
from eventreg.core.models.event import Event
from eventreg.core.uploads.acts import Act

EARLIEST = timedelta(days=4)
"""How long before the event an act can be: nobody pairs a telephone earlier. An older time comes
from a clock that was changed meanwhile, and says nothing."""


class Clocks:
    """How much the clocks of the devices are off whose acts ``sender`` uploads; ``sent_at`` is what
    its clock said then."""

    def __init__(
        self,
        event: Event,
        doors: Sequence[DoorDevice],
        *,
        sender: str,
        sent_at: datetime | None,
        now: datetime,
    ) -> None:
        self._now, self._earliest = now, event.starts_at - EARLIEST
        self._off = {
            one.device: timedelta(seconds=one.clock_ahead)
            for one in doors
            if one.clock_ahead is not None and one.device != sender
        }
        self._sender_off = None if sent_at is None else sent_at - now

    def acted_at(self, act: Act, device: str) -> datetime:
        """When the act happened, by our clock: what the device's clock said, corrected by how much
        that clock is off. Without a clock that can be used, the moment in which we got it."""
        off = self._off.get(device, self._sender_off)
        if act.at is None or off is None:
            return self._now
        try:
            at = act.at - off
        except OverflowError:
            return self._now
        return at if self._earliest <= at <= self._now else self._now


def in_order(acts: Sequence[Act]) -> Iterator[Act]:
    """The acts with those of each device in the order of its own count, in the places that the
    device has in the batch."""
    by_device: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        by_device[act.device].append(act)
    for own in by_device.values():
        if all(act.seq is not None for act in own):
            own.sort(key=lambda act: act.seq or 0)
    in_turn = {device: iter(own) for device, own in by_device.items()}
    for act in acts:
        yield next(in_turn[act.device])
