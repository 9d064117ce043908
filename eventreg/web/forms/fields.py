"""Read request fields other than the names and telephone number of a registration."""

from collections.abc import Iterable
from contextlib import closing

from flask import request

from eventreg.core.registration.corrections import Notes
from eventreg.core.values import emails, names, requests, whole_numbers
from eventreg.web.wire import sent


def notes_sent() -> Notes:
    """Contact, wishes, e-mail address and the two ticks (name unsure, beyond the limit) of a desk
    form.

    Raises ``FieldRefused`` if the contact or the e-mail address cannot be accepted.
    """
    contact = request.form.get("contact", "").strip()
    return Notes(
        contact=names.parse(contact, "contact").typed if contact else None,
        wishes=requests.join(request.form.getlist("wish")),
        name_unsure=request.form.get("name_unsure") == "yes",
        email=emails.parse(request.form.get("email", "")),
        beyond_limit=request.form.get("beyond_limit") == "yes",
    )


def registrations_sent() -> dict[int, str]:
    """The ticked registrations, each id with its mark: a short text that proves which registration
    the page showed (see ``identity``).

    The mark is empty if none was sent; then only the id is checked.
    """
    return ids_and_marks(request.values.getlist("registration"))


def ids_and_marks(values: Iterable[str]) -> dict[int, str]:
    """Split values of the form ``id.mark``. Values without a valid id are left out."""
    split = (value.partition(".") for value in values)
    pairs = ((whole_numbers.parse(number), mark) for number, _, mark in split)
    return {number: mark for number, mark in pairs if number is not None}


def file_sent() -> bytes:
    """The content of the uploaded file; empty if there is none."""
    file = request.files.get("file")
    if file is None:
        return b""
    with closing(file):
        content: bytes = file.read()
        return content


def mark_sent() -> str:
    """The mark of the registration on the page; empty if the form has none. Then only the id is
    checked."""
    return str(request.form.get("mark", ""))


def version_sent() -> int:
    """The version of the registration that the page showed; 0 if it is missing or not a number. The
    caller decides what 0 means."""
    return sent.form_number("version") or 0
