"""Read the fields of a sent form that are not part of the registration form itself."""

from collections.abc import Iterable
from contextlib import closing

from flask import request

from eventreg.core.registration.corrections import Notes
from eventreg.core.values import emails, names, requests, whole_numbers
from eventreg.web.wire import sent


def notes_sent() -> Notes:
    """What the desk noted besides names and number.

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
    """The registrations that were ticked, each id with its mark (see ``identity.mark``).

    The mark is empty if none was sent.
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
    """The mark of the registration that the page was about; empty if the form has none."""
    return str(request.form.get("mark", ""))


def version_sent() -> int:
    """The version of the registration that the page showed; 0 if it is missing or not a number."""
    return sent.form_number("version") or 0
