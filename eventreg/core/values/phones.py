"""Parse telephone numbers into one spelling, and show them."""

import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from eventreg.core.errors import FieldRefused
from eventreg.core.values.normal_form import normalize

REGION = "CN"
LONGEST = 60
"""In characters, with brackets and spaces."""


@dataclass(frozen=True)
class Phone:
    """A telephone number: ``number`` in E.164, such as ``+8613800138000``, and ``typed`` as the
    person wrote it."""

    number: str
    typed: str

    @property
    def tail(self) -> str:
        """The last four digits, by which staff find a person."""
        return self.number[-4:]


NONE = Phone("", "")
"""For a person without a telephone."""


def _parse(digits: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(digits, REGION)
    except NumberParseException:
        return None
    # parse() also accepts "12345678901". Only the check against the numbering plan refuses it.
    return number if phonenumbers.is_valid_number(number) else None


def _refusal(digits: str) -> FieldRefused:
    only = "".join(c for c in digits if c.isdigit())
    if only.startswith("1") and digits[:1] != "+" and 9 <= len(only) <= 13 and len(only) != 11:
        return FieldRefused("phone", "phone_mobile_length", count=len(only))
    return FieldRefused("phone", "phone_wrong")


def parse(typed: str, area_code: str | None = None) -> Phone:
    """The number in ``typed``: a mobile number, a fixed line with or without ``area_code``, +86, or
    a foreign number with +. Full-width digits are accepted.

    Raises ``FieldRefused`` for ``phone``, and says whether the number is missing, has the wrong
    number of digits, or is wrong.
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
    """Whether a stored number is a Chinese mobile number, which can receive text messages."""
    return number.startswith("+861") and len(number) == len("+8613800138000")


def shown(number: str) -> str:
    """A stored number as people read it: 138 0013 8000, 021 1234 5678, +44 20 7946 0000. Empty if
    there is none."""
    if is_mobile(number):
        return f"{number[3:6]} {number[6:10]} {number[10:]}"
    if not number.startswith("+"):
        return ""
    parsed = phonenumbers.parse(number)
    style = (
        PhoneNumberFormat.NATIONAL if parsed.country_code == 86 else PhoneNumberFormat.INTERNATIONAL
    )
    return " ".join(phonenumbers.format_number(parsed, style).split())


def masked(number: str) -> str:
    """A stored number with only its ends, 138****8000, or only its last four digits if it has not
    11 digits. Empty if there is none."""
    digits = shown(number).replace(" ", "")
    if not digits:
        return ""
    if len(digits) == 11:
        return f"{digits[:3]}****{digits[-4:]}"
    return f"****{digits[-4:]}"


def dial(number: str, area_code: str | None = None) -> str:
    """The number for a ``tel:`` link, from the number as an organiser wrote it. Unchanged if it is
    not a valid number."""
    parsed = _parse(number) or _parse((area_code or "") + number)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164) if parsed else number
