"""The desk's form. The core's parsers check what was typed; if they refuse a field, the reason is
shown beside it."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, StringField, ValidationError

from eventreg.core.errors import FieldRefused
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Source
from eventreg.core.values import names, phones
from eventreg.web.forms.form_token import is_key, new_key
from eventreg.web.forms.party_form import PartyForm
from eventreg.web.language import say_refusal


def _by_core(parse: Callable[[str, str], Any]) -> Callable[[FlaskForm, Field], None]:
    """Make a WTForms validator of one of the core's parsers. It keeps the parsed value at the
    field."""

    def validate(form: FlaskForm, field: Field) -> None:
        try:
            field.parsed = parse(
                field.data or "", form.area_code if field.name == "phone" else field.name
            )
        except FieldRefused as refusal:
            raise ValidationError(say_refusal(refusal)) from refusal

    return validate


def _phone_or_none(typed: str, area_code: str) -> phones.Phone:
    """Parse a number at the desk. A walk-in needs none. On the telephone "No telephone" must be
    ticked, and an empty field is refused."""
    needs_none = (
        request.form.get("no_phone") == "yes" or request.form.get("source") == Source.WALK_IN
    )
    return phones.NONE if needs_none and not typed.strip() else phones.parse(typed, area_code)


class DeskForm(PartyForm, FlaskForm):  # type: ignore[misc]
    """The fields of the form. ``of`` adds the companions' fields that an event allows."""

    name = StringField(validators=[_by_core(names.parse)])
    phone = StringField(validators=[_by_core(_phone_or_none)])
    form_key = HiddenField()
    area_code: str | None = None

    class Meta:
        """Read form bodies. A JSON body is ignored, however deeply it is nested."""

        def wrap_formdata(self, form: FlaskForm, formdata: object) -> Any:  # noqa: ARG002
            """The fields of a POST; nothing otherwise."""
            return request.form if request.method == "POST" else None

    @property
    def fields(self) -> Mapping[str, Any]:
        """All fields but the token, which a person cannot correct."""
        return {field.name: field for field in self if field.name != "csrf_token"}

    @property
    def sent(self) -> Mapping[str, str]:
        """All fields that were sent."""
        return request.form

    @property
    def key(self) -> str:
        """The hidden key; a new one if it is missing or malformed."""
        sent = self.form_key.data or ""
        return sent if is_key(sent) else new_key()


@cache
def _with_companions(companions: int) -> type[DeskForm]:
    fields = {
        f"companion-{place}": StringField(validators=[_by_core(names.parse_or_none)])
        for place in range(1, companions + 1)
    }
    return type(DeskForm.__name__, (DeskForm,), fields)


def of(event: Event, area_code: str | None) -> DeskForm:
    """The form for this event, filled with what was sent."""
    form = _with_companions(event.max_party - 1)()
    form.area_code = area_code
    if not form.form_key.data:
        form.form_key.data = new_key()
    return form
