"""What the guests' form and the desk's form of a registration have in common."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from flask import request

from eventreg.core.errors import FieldRefused
from eventreg.core.models.registration import Source
from eventreg.core.registration.corrections import Notes
from eventreg.core.registration.entries import Entry
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.values import names
from eventreg.web.language import say_refusal


class Field(Protocol):
    """A field: what is wrong with it, and what it was parsed to once the form is validated."""

    errors: Sequence[str]
    parsed: Any

    @property
    def data(self) -> str | None:
        """What was typed."""


class PartyForm:
    """A form with the names of a party and its telephone number."""

    @property
    def fields(self) -> Mapping[str, Field]:
        """The fields for ``name``, ``phone`` and each companion, by name, in the order of the
        page."""
        raise NotImplementedError

    @property
    def sent(self) -> Mapping[str, str]:
        """All fields that were sent, now or when the form was kept."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """The form's key. If the same form is sent again, it is the same registration."""
        raise NotImplementedError

    @property
    def companions(self) -> list[Field]:
        """The companions' fields, in order."""
        return [field for name, field in self.fields.items() if name.startswith("companion-")]

    @property
    def problems(self) -> dict[str, str]:
        """The first error of each field."""
        return {name: field.errors[0] for name, field in self.fields.items() if field.errors}

    def party(self) -> tuple[names.Name, ...]:
        """The names of the party, with the readings that were sent. Call it only on a valid
        form."""
        found = [self.fields["name"].parsed, *(field.parsed for field in self.companions)]
        readings = ["pinyin", *(f"pinyin-{place}" for place in range(1, len(found)))]
        return tuple(
            names.with_reading(name, _reading_sent(reading, name))
            for name, reading in zip(found, readings, strict=True)
            if name is not None
        )

    @property
    def typed_names(self) -> list[str]:
        """The names as they were typed, without empty ones but for the first."""
        companions = (field.data or "" for field in self.companions)
        return [self.fields["name"].data or "", *(name for name in companions if name.strip())]

    @property
    def people(self) -> int:
        """How many people are named, including names that cannot be accepted."""
        return 1 + sum(bool((field.data or "").strip()) for field in self.companions)

    @property
    def wants_waitlist(self) -> bool:
        """Whether the guest accepts places on the waiting list."""
        return self.sent.get("waitlist") == "yes"

    @property
    def wants_split(self) -> bool:
        """Whether the guest accepts one seat now and waiting places for the others."""
        return self.sent.get("split") == "one-now" and self.people > 1

    @property
    def was_confirmed(self) -> bool:
        """Whether the button of the check page sent it."""
        return self.sent.get("confirmed") == "yes"

    @property
    def shows(self) -> str:
        """ "form" or "check" if the guest wants to see only that page, as in another text size."""
        return str(self.sent.get("show", ""))

    def entry(
        self,
        locale: str,
        source: Source,
        notes: Notes | None = None,
        over: OverReason | None = None,
    ) -> Entry:
        """The valid form as the core takes it, with the desk's notes."""
        noted = notes or Notes()
        return Entry(
            self.party(),
            self.fields["phone"].parsed,
            locale,
            source,
            self.key,
            waitlist=self.wants_waitlist,
            split=self.wants_split,
            email=noted.email,
            contact=noted.contact,
            wishes=noted.wishes,
            name_unsure=noted.name_unsure,
            beyond_limit=noted.beyond_limit,
            over=over,
        )

    def blame(self, refusal: FieldRefused) -> None:
        """Show a refusal of the core at its field, or at the name if the form lacks the field."""
        field = self.fields.get(refusal.field, self.fields["name"])
        field.errors = [*field.errors, say_refusal(refusal)]


def _reading_sent(reading: str, name: names.Name) -> str:
    """The reading that was typed for a name. It is dropped if the form came with it for another
    name, which was corrected since: the old reading is not the new name's."""
    typed = request.form.get(reading, "")
    was = request.form.get(f"{reading}-was", "")
    other = request.form.get(f"{reading}-of", name.typed)
    return "" if typed == was and names.fold(other) != name.folded else typed
