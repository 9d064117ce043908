"""Keep a form that was sent after its session had ended. The sign-in page carries it and shows it,
and one button sends it again.

Any page on the network can make a browser send a form to us. So a form is kept only if it has the
token that this browser got while signed in, only for the account that was signed in then, and only
for the acts listed here. It is shown before it is sent again, and travels in one signed field.
"""

import re
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request, session, url_for
from flask_wtf.csrf import validate_csrf
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.exceptions import HTTPException
from wtforms import ValidationError

from eventreg import i18n
from eventreg.core.desk import attendee_list
from eventreg.core.errors import EventUnknown
from eventreg.core.event import events
from eventreg.core.models.staff import Role, StaffMember
from eventreg.core.registration import identity
from eventreg.core.staff import permissions
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading
from eventreg.web import access
from eventreg.web.forms.fields import ids_and_marks
from eventreg.web.language import say, words

ACTS = {
    "desk.take": "take_call",
    "desk.edit": "correct_heading",
    "desk.cancel": "cancel_heading",
    "desk.undo_cancel": "undo_cancel",
    "desk.put_first": "put_first",
    "desk.promote": "promote_heading",
    "desk.told": "told_button",
    "desk.bulk": "attendee_list",
    "desk.tell_apart": "different_people",
    "desk.called": "call_desk",
    "desk.enter_sheet": "type_sheet",
    "door.check_in": "check_in",
    "door.undo": "undo",
    "door.open_early": "open_now",
    "door.give_gift": "gift_give",
    "door.undo_gift": "told_gift_undone",
    "door.owe_gift": "gift_owe",
    "owed.settle": "owed_heading",
    "door.walk_in": "walk_in_heading",
    "door.at_the_door": "waiting_heading",
    "door.restore": "restore_button",
    "door.release": "release_heading",
    "desk.settle": "to_settle_heading",
    "organising.draft": "new_event",
    "organising.change": "edit_event",
}
"""The acts whose forms may be kept, and the sentence that names each. Never kept are forms with
accounts, passwords, telephones or files, and forms that erase or ask for the password."""
LASTS = 24 * 60 * 60
"""Seconds for which a form is valid: after it was shown, and again after it was sent."""
LONGEST = 48 * 1024
"""Characters of the signed field. The sign-in form with it must stay below 64 KiB."""
_NOT_SHOWN = {
    "csrf_token",
    "password",
    "code",
    "form_key",
    "version",
    "notes",
    "mark",
    "tries",
    "key",
    "calls",
    "what",
}
"""Fields that are not shown, since they mean nothing to a reader."""
_NOT_SENT_AGAIN = {"csrf_token", "password", "code", "confirmed"}
"""Fields that are dropped. Without ``confirmed``, the question before the act is asked again."""
_LABELS = {
    "name": "name_label",
    "companion": "companion_label",
    "phone": "phone_label",
    "pinyin": "pinyin_label",
    "wish": "wishes_label",
    "name_unsure": "name_unsure_label",
    "no_phone": "no_phone_label",
    "contact": "contact_label",
    "email": "email_label",
    "locale": "ticket_language",
    "source": "source_column",
    "waitlist": "join_waitlist",
    "split": "desk_split",
    "beyond_limit": "beyond_limit_button",
    "over": "over_heading",
    "attendee": "name_column",
    "registration": "which_column",
    "arrived": "came_column",
    "gift": "gift_column",
    "outcome": "calls_made",
    "anyway": "check_in_anyway",
    "act": "what_column",
    "notice": "notice_label",
    "starts_at": "field_starts",
    "ends_at": "field_ends",
}
_VALUES = {
    "wish": "wish_",
    "outcome": "outcome_",
    "source": "source_",
    "over": "over_",
    "act": "act_",
    "picture": "picture_",
}
_BULK = {
    "print": "bulk_print",
    "told": "bulk_told",
    "promote": "bulk_promote",
    "cancel": "bulk_cancel",
}


@dataclass(frozen=True)
class Kept:
    """A kept form: where it was sent and by whom, and its fields in order, with repeated ones."""

    endpoint: str
    places: dict[str, Any]
    staff_id: int
    fields: list[tuple[str, str]]

    @property
    def action(self) -> str:
        """The address to send it to."""
        return url_for(self.endpoint, **self.places)

    def is_for(self, member: StaffMember) -> bool:
        """Whether this account sent it, and may do so now."""
        need = access.need_of(self.endpoint)
        return member.id == self.staff_id and permissions.may(
            Role(member.role), Permission(str(need))
        )


def note_whose(member: StaffMember) -> None:
    """Write into the browser's signed cookie who is signed in. ``keep`` needs it when the session's
    row is already deleted."""
    session["whose"] = member.id


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="kept form")


def keep() -> str:
    """The form of this request, signed; empty if it may not be kept."""
    whose, endpoint = session.get("whose"), request.endpoint
    if endpoint not in ACTS or not isinstance(whose, int):
        return ""
    try:
        validate_csrf(request.form.get("csrf_token", ""), time_limit=LASTS)
        sent = list(request.form.items(multi=True))
    except (ValidationError, HTTPException):  # forged, too old, or too large to be read
        return ""
    fields = [(name, value) for name, value in sent if name not in _NOT_SENT_AGAIN]
    made = int(g.now.timestamp())
    signed = str(_signer().dumps([made, endpoint, request.view_args or {}, whose, fields]))
    return signed if len(signed) <= LONGEST else ""


def read(signed: str) -> Kept | None:
    """The form in a signed field; ``None`` if the signature is wrong or more than a day old, or the
    act is not in ``ACTS``."""
    if not signed:
        return None
    try:
        made, endpoint, places, whose, fields = _signer().loads(signed)
    except (BadSignature, ValueError, TypeError):
        return None
    if not 0 <= int(g.now.timestamp()) - made <= LASTS or endpoint not in ACTS:
        return None
    return Kept(endpoint, places, whose, [(name, value) for name, value in fields])


@dataclass(frozen=True)
class KeptField:
    """One field in words."""

    label: str
    values: list[str]


def about(kept: Kept) -> str:
    """The event of the form and the people of its registration, in one line; empty if the event is
    unknown."""
    try:
        event = events.get(reading(), str(kept.places.get("slug", "")))
    except EventUnknown:
        return ""
    said = [words(events.definition(event).title)]
    if isinstance(kept.places.get("registration_id"), int):
        registration_id = kept.places["registration_id"]
        said += attendee_list.names_of(reading(), event, registrations=[registration_id])
    return " · ".join(said)


def in_words(kept: Kept) -> list[KeptField]:
    """The fields of the form in words."""
    found: dict[str, list[str]] = {}
    for name, value in kept.fields:
        if name not in _NOT_SHOWN and value:
            found.setdefault(name, []).append(value)
    return [KeptField(_label(name), _values(kept, name, values)) for name, values in found.items()]


def _label(name: str) -> str:
    """A field's name in words. Fields of an event have the names of its file, such as
    ``agenda.1.text.zh``."""
    plain = re.sub(r"\.(zh|en)$", "", name)
    parts = [part for part in re.split(r"[.-]", plain) if not part.isnumeric()]
    for key in (_LABELS.get(parts[0] if parts else ""), f"field_{'_'.join(parts)}"):
        said = _sentence(key)
        if said:
            return said
    return name


def _sentence(key: str | None) -> str | None:
    try:
        return say(key) if key else None
    except LookupError:
        return None


def _values(kept: Kept, name: str, values: list[str]) -> list[str]:
    """The values of a field in words: people by name, choices as on their buttons."""
    if name in {"attendee", "absent", "arrived", "gift", "registration"}:
        return _people(kept, name, values)
    if name == "locale":
        return [i18n.OWN_NAMES.get(value, value) for value in values]
    if kept.endpoint == "desk.bulk" and name == "act":
        return [_sentence(_BULK.get(value)) or value for value in values]
    ending = name.rpartition(".")[2]
    said = [
        _sentence(f"{_VALUES[ending]}{value.replace('-', '_')}") if ending in _VALUES else None
        for value in values
    ]
    return [
        word or ("✓" if value == "yes" else value) for word, value in zip(said, values, strict=True)
    ]


def _people(kept: Kept, name: str, values: list[str]) -> list[str]:
    """The names of the people whose ids the form has; the ids themselves if none is found."""
    try:
        event = events.get(reading(), str(kept.places.get("slug", "")))
    except EventUnknown:
        return values
    if name == "registration":  # the number, and after a full stop the mark
        found = attendee_list.names_of(reading(), event, registrations=list(ids_and_marks(values)))
    else:
        people = identity.known(reading(), event, values).values()
        found = attendee_list.names_of(reading(), event, people=people)
    return found or values
