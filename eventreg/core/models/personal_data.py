"""What eventreg keeps about people: one list. The privacy page is made from it, and a test compares
it with the columns of all tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Until(StrEnum):
    """How long an item is kept."""

    HALF_AN_HOUR = "half-an-hour"
    A_DAY = "a-day"
    EVENT_ENDS = "event-ends"
    RETENTION_ENDS = "retention-ends"
    STAYS = "stays"
    """It stays after the retention period, when no name or number belongs to it any more."""
    ACCOUNT_ENDS = "account-ends"


@dataclass(frozen=True)
class Kept:
    """One item. Its sentence on the privacy page has the key ``kept_<item>``. The columns are named
    as ``table.column``."""

    item: str
    until: Until
    columns: tuple[str, ...]


def _of(table: str, *columns: str) -> tuple[str, ...]:
    return tuple(f"{table}.{column}" for column in columns)


OF_GUESTS: Sequence[Kept] = (
    Kept(
        "name",
        Until.RETENTION_ENDS,
        (
            *_of("attendees", "name", "name_folded", "sort_key", "search_key", "letter"),
            *_of("attendees", "place", "told_apart_at"),
            *_of("registrations", "name_unsure"),
        ),
    ),
    Kept(
        "phone",
        Until.RETENTION_ENDS,
        (
            *_of("registrations", "phone_number", "phone_typed", "phone_tail"),
            *_of("attendees", "phone_number", "phone_tail"),
        ),
    ),
    Kept("door", Until.RETENTION_ENDS, _of("door_acts", "typed")),
    Kept("email", Until.RETENTION_ENDS, _of("registrations", "email")),
    Kept("contact", Until.RETENTION_ENDS, _of("registrations", "contact")),
    Kept("wishes", Until.EVENT_ENDS, _of("registrations", "wishes")),
    Kept(
        "code",
        Until.RETENTION_ENDS,
        (
            *_of("attendees", "code", "public_id"),
            *_of("registrations", "ticket_seed", "ticket_digest"),
            *_of("form_keys", "key", "fingerprint", "created_at"),
        ),
    ),
    Kept(
        "registration",
        Until.STAYS,
        (
            *_of("registrations", "state", "source", "locale", "created_at", "promoted_at"),
            *_of(
                "registrations",
                "put_first_at",
                "cancelled_at",
                "over_limit",
                "split_from_id",
                "erased_at",
            ),
            *_of("attendees", "cancelled_at", "released_at"),
            *_of("present_parties", "number", "came_at", "calls", "called_at", "left_at"),
        ),
    ),
    Kept(
        "attendance",
        Until.STAYS,
        (
            *_of("check_ins", "arrived_at", "recorded_at", "early", "late", "by_paper"),
            *_of("check_ins", "undone_at", "device"),
            *_of("gifts", "given_at", "undone_at"),
            *_of("owed_gifts", "owed_at", "settled_at"),
            *_of("door_acts", "key", "device", "uploaded_by", "seq", "act", "attendee"),
            *_of("door_acts", "device_at", "acted_at", "received_at", "result", "reason"),
            *_of("door_acts", "late", "clash", "settled_at", "answer"),
        ),
    ),
    Kept(
        "messages",
        Until.STAYS,
        (
            *_of("calls", "reason", "outcome", "called_at", "next_try_at"),
            *_of("outbox_messages", "kind", "channel", "created_at", "settled_at", "attempts"),
            *_of("outbox_messages", "next_try_at", "failed_at", "failure"),
        ),
    ),
    Kept("audit", Until.STAYS, _of("audit_entries", "at", "action", "actor_kind", "details")),
    Kept(
        "unfinished",
        Until.HALF_AN_HOUR,
        _of("unfinished_forms", "key_digest", "form_key", "sealed", "kept_at"),
    ),
    Kept("network", Until.A_DAY, _of("form_keys", "burst")),
)
"""What is kept about guests."""
OF_STAFF: Sequence[Kept] = (
    Kept(
        "account",
        Until.ACCOUNT_ENDS,
        (
            *_of("staff_members", "username", "username_folded", "role", "password_hash"),
            *_of("staff_members", "disabled_at", "created_at", "totp_secret", "totp_step"),
            *_of("staff_members", "recovery_digests", "factor_reset_at", "factor_reset_by"),
            *_of("welcome_links", "token_digest", "expires_at", "used_at", "wrong_codes"),
        ),
    ),
    Kept(
        "browsers",
        Until.ACCOUNT_ENDS,
        (
            *_of("staff_sessions", "token_digest", "created_at", "seen_at", "proved_at"),
            *_of("staff_sessions", "expires_at", "note", "device", "door_device"),
            *_of("known_browsers", "token_digest", "failures", "created_at", "seen_at"),
            *_of("pairings", "token_digest", "expires_at", "used_at"),
            *_of("door_devices", "device", "name", "paired_at", "revoked_at", "seen_at"),
            *_of("door_devices", "roster_at", "unsent", "clock_ahead", "checks"),
        ),
    ),
)
"""What is kept about staff."""
ABOUT_NOBODY = frozenset({"events", "event_seats", "fitting_programs", "operation_runs"})
"""Tables that say nothing about a person."""
