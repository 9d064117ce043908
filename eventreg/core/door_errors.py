"""The refusals about door devices, as those of ``errors``."""

from datetime import datetime

from eventreg.core.errors import Refusal


class PairingClosed(Refusal):
    """Telephones can be paired with an event only from ``opens_at`` until ``closes_at``."""

    code = "pairing_closed"

    def __init__(self, opens_at: datetime, closes_at: datetime) -> None:
        super().__init__("outside the time for pairing")
        self.opens_at = opens_at
        self.closes_at = closes_at


class DeviceUnknown(Refusal):
    """The event has no such door device."""

    code = "device_unknown"


class DeviceRevoked(Refusal):
    """The door device was taken away. It has to be paired again."""

    code = "revoked"


class BatchMalformed(Refusal):
    """What a door device uploaded is no JSON, or is nested too deeply."""

    code = "batch_malformed"


class BatchWrong(Refusal):
    """What a door device uploaded is JSON, and not a batch of acts. ``field`` is what is wrong."""

    code = "batch_wrong"

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class BatchTooLarge(Refusal):
    """A door device uploaded too many acts at once."""

    code = "batch_too_large"


class ActUnknown(Refusal):
    """The event has no such act of a door device, or it cannot be settled in this way."""

    code = "act_unknown"
