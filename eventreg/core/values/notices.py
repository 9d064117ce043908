"""What an organiser may tell everyone who is registered or waits."""

from enum import StrEnum


class NoticeKind(StrEnum):
    """The kinds of notice, in the order of the organiser's buttons. Each has two sentences in the
    catalogues: ``notice_…``, the heading that guests read, and ``act_…``, the button."""

    SPEAKER_REPLACED = "speaker-replaced"
    MOVED = "moved"
    PLEASE_NOTE = "please-note"
    CANCELLED = "cancelled"
