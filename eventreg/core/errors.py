"""The refusals of the core: one class for each, with a code that ``web.site`` makes a page of."""

from datetime import datetime


def first_line(error: BaseException) -> str:
    """The first line of what caused an error, or of the error itself; its class if it is empty."""
    cause = error.__cause__ or error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]


class Refusal(Exception):
    """An act was refused. The caller rolls its transaction back, so that nothing is changed."""

    code = "refused"


class FieldRefused(Refusal):
    """A field was refused. ``reason`` is the key of a sentence, ``values`` fill in its gaps."""

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
    """The party needs more seats than are left. ``left`` may be 0."""

    code = "event_full"

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} seats left")
        self.left = left


class WaitlistFull(Refusal):
    """The waiting list is full, or the event has none. ``left`` seats are free: too few."""

    code = "waitlist_full"

    def __init__(self, left: int) -> None:
        super().__init__("no waiting place")
        self.left = left


class SeatsRaced(Exception):
    """The counter changed after it was read. Not a refusal: roll back and try the act again."""


class Busy(Refusal):
    """Too many are writing, or the database cannot be reached. Nothing was changed."""

    code = "busy"


class RegistrationClosed(Refusal):
    """Registering is not possible now. ``phase``, a value of ``events.Phase``, says why."""

    code = "registration_closed"

    def __init__(self, phase: str) -> None:
        super().__init__(phase)
        self.phase = phase


class AlreadyRegistered(Refusal):
    """A person of this name and number is registered already, in ``registration_id``."""

    code = "already_registered"

    def __init__(self, registration_id: int) -> None:
        super().__init__("already registered")
        self.registration_id = registration_id


class PhoneAtLimit(Refusal):
    """The party would exceed ``max_per_phone``, the most people under one number."""

    code = "phone_at_limit"

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} people under one number")
        self.limit = limit


class FormKeyReused(Refusal):
    """The hidden key of this form was used with other content, or for another event."""

    code = "form_key_reused"


class RegistrationUnknown(Refusal):
    """There is no such registration, or no such ticket."""

    code = "registration_unknown"


class AlreadyCancelled(Refusal):
    """The registration, or each of the people to cancel, is already cancelled."""

    code = "already_cancelled"


class NotWaiting(Refusal):
    """The registration is not on the waiting list: it has its seats, or was cancelled."""

    code = "not_waiting"


class NothingToUndo(Refusal):
    """No cancellation of the registration stands that this person may undo."""

    code = "nothing_to_undo"


class TooLateToUndo(Refusal):
    """The cancellation is too long ago to be undone."""

    code = "too_late_to_undo"


class SeatGivenAway(Refusal):
    """The seat that was given back is not free any more."""

    code = "seat_given_away"


class CheckedInAlready(Refusal):
    """Somebody of the party is checked in, so the ticket page can neither cancel nor change it."""

    code = "checked_in_already"


class TooLateToCancel(Refusal):
    """The event has begun, so the ticket page can no longer cancel."""

    code = "too_late_to_cancel"


class TooLateToChange(Refusal):
    """The event has begun, so the ticket page can no longer change names or number."""

    code = "too_late_to_change"


class ChangedMeanwhile(Refusal):
    """Somebody else changed the registration since the page was opened."""

    code = "changed_meanwhile"


class Contradicted(Refusal):
    """Facts of the event contradict each other, and the organiser did not say that it is meant."""

    code = "contradicted"


class AttendeeUnknown(Refusal):
    """The event has no attendee of that id, or no such check-in."""

    code = "attendee_unknown"


class OfAttendee(Exception):
    """What refusals about one person at the door share. ``attendee`` is the public id."""

    def __init__(self, attendee: str, name: str) -> None:
        super().__init__("about one person")
        self.attendee, self.name = attendee, name


class AttendeeCancelled(OfAttendee, Refusal):
    """The person cancelled at ``cancelled_at``."""

    code = "attendee_cancelled"

    def __init__(self, attendee: str, name: str, cancelled_at: datetime) -> None:
        super().__init__(attendee, name)
        self.cancelled_at = cancelled_at


class AttendeeWaiting(OfAttendee, Refusal):
    """The person is on the waiting list and has no seat."""

    code = "attendee_waiting"


class OutsideCheckInWindow(OfAttendee, Refusal):
    """The person came before check-in opens, at ``opens_at``. The door may do it anyway."""

    code = "outside_check_in_window"

    def __init__(self, attendee: str, name: str, opens_at: datetime) -> None:
        super().__init__(attendee, name)
        self.opens_at = opens_at


class GiftBeforeArrival(OfAttendee, Refusal):
    """The person is not checked in, so no gift is handed out."""

    code = "gift_before_arrival"


class StaffUnknown(Refusal):
    """There is no account of that name or id."""

    code = "staff_unknown"


class UsernameTaken(Refusal):
    """Another account has that name."""

    code = "username_taken"


class SignInFailed(Refusal):
    """User name, password or code is wrong, or the account is disabled. Does not say which."""

    code = "sign_in_failed"


class LinkSpent(Refusal):
    """The one-time link or code is unknown, used, expired, or for a first organiser too many."""

    code = "link_spent"


class ImportUnreadable(Refusal):
    """The file cannot be read as a list. ``reason`` and ``values`` are as in ``FieldRefused``."""

    code = "import_unreadable"

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values


class ColumnsUnclear(Refusal):
    """It is not decided what the columns of a list hold, or not in a way that can be imported."""

    code = "columns_unclear"


class ReadersBusy(Refusal):
    """Too many files are being read or made at the moment. Try again later."""

    code = "readers_busy"


class PdfUnavailable(Refusal):
    """The library that makes PDF files is not installed."""

    code = "pdf_unavailable"


class CodeWrong(Refusal):
    """The code of the second factor is wrong, expired or used."""

    code = "code_wrong"


class ProofWrong(Refusal):
    """Password or second factor is wrong, or the account is disabled. Does not say which."""

    code = "proof_wrong"


class FactorOff(Refusal):
    """The account has no second factor to reset."""

    code = "factor_off"


class LastOrganiser(Refusal):
    """Without this account, no organiser could sign in, so no one could manage accounts."""

    code = "last_organiser"


class SlugTaken(Refusal):
    """Another event has that slug."""

    code = "slug_taken"


class ReleaseTooEarly(Refusal):
    """Before its time, only an organiser may give away the seats of those who have not come."""

    code = "release_too_early"
