"""The guests' form: what one guest sent, read by the core's parsers. It needs no session.

It is no form of WTForms, whose fields take longer to make than the names to read, and every guest
sends it twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import request

from eventreg.core.errors import FieldRefused
from eventreg.core.models.event import Event
from eventreg.core.registration.seats import SeatCount
from eventreg.core.values import names, phones
from eventreg.web.forms import form_token
from eventreg.web.forms.form_token import ShownForm
from eventreg.web.forms.party_form import PartyForm
from eventreg.web.language import say_refusal


@dataclass
class GuestField:
    """One field of the form."""

    name: str
    data: str
    parsed: Any = None
    errors: Sequence[str] = ()


class GuestForm(PartyForm):
    """The form of one event, filled with what was sent, or with what was kept of it."""

    unfinished = ""
    """The key of the address of an unfinished form, if this request shows it again."""

    def __init__(
        self,
        event: Event,
        area_code: str | None,
        counted: SeatCount,
        kept: Mapping[str, str] | None = None,
    ) -> None:
        """``counted`` is the seat counter that was read with the event. With ``kept``, the form
        shows what was kept of it, otherwise what this request sends."""
        self.counted = counted
        self._slug, self._area_code = event.slug, area_code
        self._is_kept = kept is not None
        self._sent = request.form if kept is None else kept
        self.is_trapped = bool(self._sent.get("website"))
        companions = (f"companion-{place}" for place in range(1, event.max_party))
        self._fields = {
            name: GuestField(name, self._sent.get(name, ""))
            for name in ("name", "phone", *companions)
        }

    @property
    def fields(self) -> Mapping[str, GuestField]:
        """The fields, by name."""
        return self._fields

    @property
    def sent(self) -> Mapping[str, str]:
        """All fields that were sent, now or when the form was kept."""
        return self._sent

    @property
    def name(self) -> GuestField:
        """The first person's name."""
        return self._fields["name"]

    @property
    def phone(self) -> GuestField:
        """The telephone number."""
        return self._fields["phone"]

    def validate(self) -> bool:
        """Parse the fields. Returns whether all can be accepted; otherwise they have errors."""
        for one in self._fields.values():
            try:
                one.parsed = self._parsed(one)
            except FieldRefused as refusal:
                one.errors = [say_refusal(refusal)]
        return not any(one.errors for one in self._fields.values())

    def _parsed(self, one: GuestField) -> names.Name | phones.Phone | None:
        if one.name == "phone":
            return phones.parse(one.data, self._area_code)
        return (names.parse if one.name == "name" else names.parse_or_none)(one.data, one.name)

    @cached_property
    def _shown(self) -> ShownForm | None:
        """What the token says that was sent."""
        return form_token.read(self._slug, self._sent.get("csrf_token", ""))

    @property
    def token_is_good(self) -> bool:
        """Whether the token is valid, not too young if this request registers, and the field that
        is hidden from people empty."""
        shown = self._shown
        if shown is None or self.is_trapped:
            return False
        return not (self.is_confirming and form_token.is_too_young(shown))

    @cached_property
    def token(self) -> str:
        """The token for the page. A token that was sent is kept while it is valid, so that the
        form keeps its age and its key."""
        return self._sent["csrf_token"] if self._shown else form_token.fresh(self._slug)

    @property
    def key(self) -> str:
        """The key inside the token; a new one if the token that was sent is not valid."""
        shown = self._shown or form_token.read(self._slug, self.token)
        return shown.key if shown else form_token.new_key()

    @property
    def is_confirming(self) -> bool:
        """Whether this request is the press that registers."""
        return not self._is_kept and self.was_confirmed and self.shows not in {"form", "check"}

    def start_anew(self) -> None:
        """Drop the token of a used form: what was typed continues under a new token."""
        self._shown = None
        self.__dict__.pop("token", None)

    def typed(self) -> dict[str, str]:
        """All that has to be kept to show the form again."""
        wishes = {"waitlist": "yes"} if self.wants_waitlist else {}
        wishes |= {"split": "one-now"} if self.wants_split else {}
        wishes |= {"confirmed": "yes"} if self.was_confirmed else {}
        typed = {name: one.data for name, one in self._fields.items()}
        return {**typed, **wishes, "csrf_token": self.token}
