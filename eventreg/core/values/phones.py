"""Telephone numbers: whatever people type, one number is one spelling here. Kept as typed as
well."""

import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from eventreg.core.errors import FieldRefused
from eventreg.core.values.normal_form import normalize

REGION = "CN"
LONGEST = 60
"""Characters anybody could need for one number, brackets and spaces included."""


@dataclass(frozen=True)
class Phone:
    """A number that can be rung. ``number`` is E.164, ``+8613800138000``; ``typed`` is what the
    person wrote."""

    number: str
    typed: str

    @property
    def tail(self) -> str:
        """The last four digits, by which staff find a person."""
        return self.number[-4:]


NONE = Phone("", "")
"""Somebody whom nobody can ring."""


def _parse(digits: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(digits, REGION)
    except NumberParseException:
        return None
    # parse() also accepts "12345678901"; only the numbering plan knows that nobody can have that
    # number.
    return number if phonenumbers.is_valid_number(number) else None


def _refusal(digits: str) -> FieldRefused:
    only = "".join(c for c in digits if c.isdigit())
    if only.startswith("1") and digits[:1] != "+" and 9 <= len(only) <= 13 and len(only) != 11:
        return FieldRefused("phone", "phone_mobile_length", count=len(only))
    return FieldRefused("phone", "phone_wrong")


def parse(typed: str, area_code: str | None = None) -> Phone:
    """The number meant by ``typed``: mobile, fixed line with or without ``area_code``, +86, foreign
    with +, full-width.

    Raises ``FieldRefused`` for ``phone`` with the sentence that helps: missing, one digit short, or
    wrong.
    """
    typed = typed.strip()
    if not typed:
        raise FieldRefused("phone", "phone_missing")
    if len(typed) > LONGEST or any(unicodedata.category(c) in {"Cc", "Cs"} for c in typed):
        raise FieldRefused("phone", "phone_wrong")
    digits = normalize("NFKC", typed)
    number = _parse(digits)
    if number is None and area_code and digits[:1] not in "+0":
        number = _parse(area_code + digits)
    if number is None:
        raise _refusal(digits)
    return Phone(phonenumbers.format_number(number, PhoneNumberFormat.E164), typed)


def is_mobile(number: str) -> bool:
    """Whether a stored number is a mobile one of this country, which takes text messages."""
    return number.startswith("+861") and len(number) == len("+8613800138000")


def _grouped(number: str) -> list[str]:
    """The digits in the groups in which people say them."""
    if is_mobile(number):
        return [number[3:6], number[6:10], number[10:]]
    parsed = phonenumbers.parse(number)
    style = (
        PhoneNumberFormat.NATIONAL if parsed.country_code == 86 else PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(parsed, style).split()


def shown(number: str) -> str:
    """A stored number as people read it: 138 0013 8000, 021 1234 5678, +44 20 7946 0000. Nothing
    for none."""
    if not number.startswith("+"):
        return ""
    return " ".join(_grouped(number))


def masked(number: str) -> str:
    """A stored number of which only the ends are shown: 138****8000. Nothing for none."""
    digits = shown(number).replace(" ", "")
    if not digits:
        return ""
    if len(digits) == 11:
        return f"{digits[:3]}****{digits[-4:]}"
    return f"****{digits[-4:]}"


def dial(number: str, area_code: str | None = None) -> str:
    """What a ``tel:`` link needs for a number as an organiser wrote it."""
    parsed = _parse(number) or _parse((area_code or "") + number)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164) if parsed else number
