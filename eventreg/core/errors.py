"""Every way the core can say no. One refusal, one class with a stable code; ``web`` turns the code
into a page, once."""

from datetime import datetime


class Refusal(Exception):
    """Somebody asked for what cannot be given. Nothing was changed; the caller's transaction is to
    be rolled back."""

    code = "refused"


class FieldRefused(Refusal):
    """What was typed in one field cannot be accepted. ``reason`` is the key of the sentence,
    ``values`` fill it in."""

    code = "field_refused"

    def __init__(self, field: str, reason: str, **values: object) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
        self.values = values


class EventUnknown(Refusal):
    """There is no event of that slug."""

    code = "event_unknown"


class EventFull(Refusal):
    """Fewer seats are left than the party needs: ``left`` of them, which may be none."""

    code = "event_full"

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} seats left")
        self.left = left


class WaitlistFull(Refusal):
    """The waiting list is full, or the event has none; ``left`` seats are free, fewer than the
    party needs."""

    code = "waitlist_full"

    def __init__(self, left: int) -> None:
        super().__init__("no waiting place")
        self.left = left


class SeatsRaced(Exception):
    """Somebody took, freed or changed seats between a look and the take. No refusal: the act is to
    be tried again."""


class Busy(Refusal):
    """So many want to write, or the database is away, that waiting longer would help nobody.
    Nothing was changed."""

    code = "busy"


class RegistrationClosed(Refusal):
    """Registering is not possible at this time; ``phase`` says why (a value of
    ``events.Phase``)."""

    code = "registration_closed"

    def __init__(self, phase: str) -> None:
        super().__init__(phase)
        self.phase = phase


class AlreadyRegistered(Refusal):
    """A person of this name is registered under this number. The staff pages may open
    ``registration_id``."""

    code = "already_registered"

    def __init__(self, registration_id: int) -> None:
        super().__init__("already registered")
        self.registration_id = registration_id


class PhoneAtLimit(Refusal):
    """So many people are registered under this number already that the party would pass
    ``max_per_phone``."""

    code = "phone_at_limit"

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} people under one number")
        self.limit = limit


class FormKeyReused(Refusal):
    """The hidden key of this form has already made another registration."""

    code = "form_key_reused"


class RegistrationUnknown(Refusal):
    """There is no such registration, or no such ticket."""

    code = "registration_unknown"


class AlreadyCancelled(Refusal):
    """The registration was cancelled before; there is nothing left to change."""

    code = "already_cancelled"


class NotWaiting(Refusal):
    """The registration does not wait for seats: it has them, or was cancelled."""

    code = "not_waiting"


class CheckedInAlready(Refusal):
    """Somebody of the party is in the room; who has come cannot give the seat back by the ticket
    link."""

    code = "checked_in_already"


class TooLateToCancel(Refusal):
    """The event has begun; a seat can no longer be given back by the ticket link."""

    code = "too_late_to_cancel"


class TooLateToChange(Refusal):
    """The event has begun; names and number can no longer be corrected by the ticket link."""

    code = "too_late_to_change"


class ChangedMeanwhile(Refusal):
    """Somebody else changed the registration since the page was opened."""

    code = "changed_meanwhile"


class AttendeeUnknown(Refusal):
    """Nobody of this event has that id."""

    code = "attendee_unknown"


class AttendeeCancelled(Refusal):
    """The person at the door gave the seat back at ``cancelled_at``."""

    code = "attendee_cancelled"

    def __init__(self, attendee: str, name: str, cancelled_at: datetime) -> None:
        super().__init__("cancelled")
        self.attendee = attendee
        self.name = name
        self.cancelled_at = cancelled_at


class AttendeeWaiting(Refusal):
    """The person at the door is on the waiting list and has no seat."""

    code = "attendee_waiting"

    def __init__(self, attendee: str, name: str) -> None:
        super().__init__("waiting")
        self.attendee = attendee
        self.name = name


class OutsideCheckInWindow(Refusal):
    """Check-in has not opened: it does at ``opens_at``. The door may go on, knowingly."""

    code = "outside_check_in_window"

    def __init__(self, attendee: str, name: str, opens_at: datetime) -> None:
        super().__init__("before the check-in window")
        self.attendee = attendee
        self.name = name
        self.opens_at = opens_at


class StaffUnknown(Refusal):
    """There is no account of that name."""

    code = "staff_unknown"


class UsernameTaken(Refusal):
    """Another account has that name."""

    code = "username_taken"


class SignInFailed(Refusal):
    """Name and password do not go together. Deliberately says no more."""

    code = "sign_in_failed"


class LinkSpent(Refusal):
    """The one-time link is unknown, used or too old."""

    code = "link_spent"


class ImportUnreadable(Refusal):
    """The file is no list that can be read.

    ``reason`` is the key of the sentence that says why, ``values`` fill it in.
    """

    code = "import_unreadable"

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values


class ReadersBusy(Refusal):
    """Other files are being read just now, and no more at once: this one is to be sent again."""

    code = "readers_busy"


class PdfUnavailable(Refusal):
    """This machine has no library that makes PDF files."""

    code = "pdf_unavailable"


class CodeWrong(Refusal):
    """The six digits of the second factor are wrong, too old, or were used before."""

    code = "code_wrong"


class ProofWrong(Refusal):
    """Password, or code, or both do not prove whose account it is. Deliberately says no more."""

    code = "proof_wrong"


class FactorOff(Refusal):
    """The account has no second factor that could be reset."""

    code = "factor_off"


class LastOrganiser(Refusal):
    """Nobody would be left who can manage accounts."""

    code = "last_organiser"


class SlugTaken(Refusal):
    """Another event has that short name in its address."""

    code = "slug_taken"
