"""The registration form, for guests and for the desk. The core's parsers check what was typed; if
they refuse a field, the reason is shown beside it."""

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import Field, HiddenField, StringField, ValidationError

from eventreg.core.errors import FieldRefused
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Source
from eventreg.core.registration.corrections import Notes
from eventreg.core.registration.entries import Entry
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.values import names, phones
from eventreg.web.forms.form_token import FormToken, is_key, new_key
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


def _companion(typed: str, field: str) -> Any:
    return names.parse(typed, field) if typed.strip() else None


class RegistrationForm(FlaskForm):  # type: ignore[misc]
    """The fields that the guests' form and the desk's form share. ``of`` adds the companions'
    fields that an event allows."""

    name = StringField(validators=[_by_core(names.parse)])
    phone = StringField(validators=[_by_core(phones.parse)])
    area_code: str | None = None

    class Meta:
        """Read form bodies, and what was kept of them. A JSON body is ignored, however deeply it is
        nested."""

        def wrap_formdata(self, form: FlaskForm, formdata: object) -> Any:  # noqa: ARG002
            """What was kept of an unfinished form, or the fields of a POST; nothing otherwise."""
            if isinstance(formdata, MultiDict):
                return formdata
            return request.form if request.method == "POST" else None

    kept: MultiDict[str, str] | None = None
    """What was typed into an unfinished form, if this request shows it again."""
    unfinished = ""
    """The key of the address of an unfinished form, if this request shows it again."""

    @property
    def sent(self) -> MultiDict[str, str]:
        """All fields that were sent, now or when the form was kept."""
        return request.form if self.kept is None else self.kept

    @property
    def companions(self) -> list[Field]:
        """The companions' fields, in order."""
        return [field for field in self if field.name.startswith("companion-")]

    @property
    def problems(self) -> dict[str, str]:
        """The first error of each field. The token is left out: a person cannot correct it."""
        return {
            field.name: field.errors[0]
            for field in self
            if field.errors and field.name != "csrf_token"
        }

    @property
    def key(self) -> str:
        """The form's key. If the same form is sent again, it is the same registration."""
        raise NotImplementedError

    def party(self) -> tuple[names.Name, ...]:
        """The names of the party, with the readings that were sent. Call it only on a valid
        form."""
        found = [self["name"].parsed, *(field.parsed for field in self.companions)]
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
        return [self["name"].data or "", *(name for name in companions if name.strip())]

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
            self["phone"].parsed,
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
        field = self[refusal.field] if refusal.field in self else self["name"]
        field.errors = [*field.errors, say_refusal(refusal)]


class _DeskForm(RegistrationForm):
    phone = StringField(validators=[_by_core(_phone_or_none)])
    form_key = HiddenField()

    @property
    def key(self) -> str:
        """The hidden key; a new one if it is missing or malformed."""
        sent = self.form_key.data or ""
        return sent if is_key(sent) else new_key()


class _PublicForm(RegistrationForm):
    class Meta(RegistrationForm.Meta):
        """Check the form's own token, which needs no session."""

        csrf_class = FormToken

    website = StringField()
    """Hidden from people, so only a program fills it in."""

    @cached_property
    def token(self) -> str:
        """The token for the page. A token that was sent is kept while it is valid, so that the
        form keeps its age and its key."""
        field = self.csrf_token
        sent: str | None = field.data
        valid = sent if field.csrf_impl.shown(sent) is not None else None
        return valid or field.csrf_impl.fresh()

    @property
    def key(self) -> str:
        """The key inside the token; a new one if the token that was sent is not valid."""
        key: str = self.csrf_token.csrf_impl.shown(self.token).key
        return key

    @property
    def is_confirming(self) -> bool:
        """Whether this request is the press that registers."""
        return self.kept is None and self.was_confirmed and self.shows not in {"form", "check"}

    def start_anew(self) -> None:
        """Drop the token of a used form: what was typed continues under a new token."""
        self.csrf_token.data = ""
        self.__dict__.pop("token", None)

    def typed(self) -> dict[str, str]:
        """All that has to be kept to show the form again."""
        wishes = {"waitlist": "yes"} if self.wants_waitlist else {}
        wishes |= {"split": "one-now"} if self.wants_split else {}
        wishes |= {"confirmed": "yes"} if self.was_confirmed else {}
        fields = (self["name"], self["phone"], *self.companions)
        return {
            **{field.name: field.data or "" for field in fields},
            **wishes,
            "csrf_token": self.token,
        }

    @property
    def token_is_good(self) -> bool:
        """Whether the token is valid and the hidden field is empty. Call it only after
        ``validate``."""
        return not self.csrf_token.errors and not self.website.data


@cache
def _with_companions(form: type[RegistrationForm], companions: int) -> type[RegistrationForm]:
    fields = {
        f"companion-{place}": StringField(validators=[_by_core(_companion)])
        for place in range(1, companions + 1)
    }
    return type(form.__name__, (form,), fields)


def of(
    event: Event, area_code: str | None, *, public: bool, kept: dict[str, str] | None = None
) -> Any:
    """The form for this event, filled with what was sent, or with what was kept of it."""
    kind = _with_companions(_PublicForm if public else _DeskForm, event.max_party - 1)
    meta = {"csrf_context": event.slug}
    if kept is not None:
        typed: MultiDict[str, str] = MultiDict(kept)
        form = kind(typed, meta=meta)
        form.kept = typed
    else:
        form = kind(meta=meta) if public else kind()
    form.area_code = area_code
    if not public and not form.form_key.data:
        form.form_key.data = new_key()
    return form


def _reading_sent(reading: str, name: names.Name) -> str:
    """The reading that was typed for a name. It is dropped if the form came with it for another
    name, which was corrected since: the old reading is not the new name's."""
    typed = request.form.get(reading, "")
    was = request.form.get(f"{reading}-was", "")
    other = request.form.get(f"{reading}-of", name.typed)
    return "" if typed == was and names.fold(other) != name.folded else typed
