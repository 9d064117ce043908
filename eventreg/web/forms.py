"""The forms. What is typed goes through the core's own parsers; their refusals become sentences at
the fields."""

import re
import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from flask import current_app, g, request
from flask_wtf import FlaskForm
from itsdangerous import BadSignature, URLSafeSerializer
from wtforms import Field, HiddenField, StringField, ValidationError
from wtforms.csrf.core import CSRF, CSRFTokenField

from eventreg.core.errors import FieldRefused
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Source
from eventreg.core.registration.corrections import Notes
from eventreg.core.registration.entries import Entry
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.values import emails, names, phones, requests, whole_numbers
from eventreg.web.language import say_refusal
from eventreg.web.limits import limits

YOUNGEST, OLDEST = 2, 24 * 60 * 60
"""Seconds between showing a public form and sending it: no person is faster, and a day is long
enough."""
SKEW = 60
"""Seconds by which the clocks of two servers behind one address may differ."""
_KEY = re.compile(r"[0-9a-f]{32}")


class FormToken(CSRF):  # type: ignore[misc]
    """The public form's token: signed, bound to the event and to this kind of form, and in need of
    no cookie, since the browsers inside chat apps drop them. It holds the form's key, so nobody
    chooses keys and a form books once."""

    def setup_form(self, form: FlaskForm) -> Any:
        """Remember for which event the form is."""
        self.event = form.meta.csrf_context
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:  # noqa: ARG002
        """Nothing yet: most forms that are sent are never shown again. See ``fresh``."""
        return ""

    def fresh(self) -> str:
        """A new token."""
        return str(
            _signer(current_app.config["SECRET_KEY"]).dumps(
                [self.event, int(g.now.timestamp()), new_key()]
            )
        )

    def validate_csrf_token(self, form: FlaskForm, field: CSRFTokenField) -> None:  # noqa: ARG002
        """Ours, for this event, and neither too young nor too old."""
        shown = self.shown(field.data)
        if shown is None or shown.age < (YOUNGEST if limits.limits().on else 0):
            raise ValidationError("token")

    def shown(self, token: str | None) -> "Shown | None":
        """What a token says of its form; ``None`` where it is forged, another event's, or too
        old."""
        try:
            event, made, key = _signer(current_app.config["SECRET_KEY"]).loads(token or "")
        except (BadSignature, ValueError, TypeError):
            return None
        if event != self.event or not isinstance(made, int) or not _KEY.fullmatch(str(key)):
            return None
        age = int(g.now.timestamp()) - made
        return Shown(age, key) if -SKEW <= age <= OLDEST else None


@dataclass(frozen=True)
class Shown:
    """A form that was shown: how many seconds ago, and with which key."""

    age: int
    key: str


@cache
def _signer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt="registration form")


def new_key() -> str:
    """A key for a form that is about to be shown."""
    return secrets.token_hex(16)


def _by_core(parse: Callable[[str, str], Any]) -> Callable[[FlaskForm, Field], None]:
    """A WTForms validator made of one of the core's parsers; the parsed value is kept at the
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
    """At the desk somebody may have no number; that is said by a tick, not by leaving it out."""
    return (
        phones.NONE
        if request.form.get("no_phone") == "yes" and not typed.strip()
        else phones.parse(typed, area_code)
    )


def _companion(typed: str, field: str) -> Any:
    return names.parse(typed, field) if typed.strip() else None


class RegistrationForm(FlaskForm):  # type: ignore[misc]
    """What guests and the desk fill in alike. ``of`` adds the companions' fields that an event
    allows."""

    name = StringField(validators=[_by_core(names.parse)])
    phone = StringField(validators=[_by_core(phones.parse)])
    area_code: str | None = None

    class Meta:
        """Forms only: a body of JSON, however deep, is not looked into."""

        def wrap_formdata(self, form: FlaskForm, formdata: object) -> Any:  # noqa: ARG002
            """What was sent as a form, if anything was."""
            return request.form if request.method == "POST" else None

    @property
    def companions(self) -> list[Field]:
        """The companions' fields, in order."""
        return [field for field in self if field.name.startswith("companion-")]

    @property
    def problems(self) -> dict[str, str]:
        """The first complaint of each field; the token is no field that a person could mend."""
        return {
            field.name: field.errors[0]
            for field in self
            if field.errors and field.name != "csrf_token"
        }

    @property
    def key(self) -> str:
        """The key of this form: the same form sent again is the same registration."""
        raise NotImplementedError

    def party(self) -> tuple[names.Name, ...]:
        """Everybody named, once the form is valid."""
        found = [self["name"].parsed, *(field.parsed for field in self.companions)]
        readings = ["pinyin", *(f"pinyin-{place}" for place in range(1, len(found)))]
        return tuple(
            names.with_reading(name, request.form.get(reading, ""))
            for name, reading in zip(found, readings, strict=True)
            if name is not None
        )

    @property
    def people(self) -> int:
        """How many are named, also where a name cannot be accepted."""
        return 1 + sum(bool((field.data or "").strip()) for field in self.companions)

    @property
    def wants_waitlist(self) -> bool:
        """Whether waiting places will do."""
        return request.form.get("waitlist") == "yes"

    @property
    def wants_split(self) -> bool:
        """Whether one seat now and waiting places for the others will do."""
        return request.form.get("split") == "one-now" and self.people > 1

    def entry(
        self,
        locale: str,
        source: Source,
        notes: Notes | None = None,
        over: OverReason | None = None,
    ) -> Entry:
        """The valid form as the core takes it, with what the desk noted beside it."""
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
        """Put a refusal of the core at its field."""
        field = self[refusal.field] if refusal.field in self else self["name"]
        field.errors = [*field.errors, say_refusal(refusal)]


class _DeskForm(RegistrationForm):
    phone = StringField(validators=[_by_core(_phone_or_none)])
    form_key = HiddenField()

    @property
    def key(self) -> str:
        """The hidden key; a form that lost it is a new one."""
        sent = self.form_key.data or ""
        return sent if _KEY.fullmatch(sent) else new_key()


class _PublicForm(RegistrationForm):
    class Meta(RegistrationForm.Meta):
        """No session: the token alone."""

        csrf_class = FormToken

    website = StringField()
    """Hidden from people; what fills it in is a program."""

    @cached_property
    def token(self) -> str:
        """The token to put on the page: the one that was sent while it lasts, so that its age is
        that of the form."""
        field = self.csrf_token
        sent: str | None = field.data
        good = sent if field.csrf_impl.shown(sent) is not None else None
        return good or field.csrf_impl.fresh()

    @property
    def key(self) -> str:
        """The key within the token."""
        shown = self.csrf_token.csrf_impl.shown(self.csrf_token.data)
        return shown.key if shown else new_key()

    def start_anew(self) -> None:
        """This form has been used: what was typed goes on as a new one."""
        self.csrf_token.data = ""
        self.__dict__.pop("token", None)

    @property
    def token_is_good(self) -> bool:
        """Whether the form is ours and fresh, and was filled in by a person. Only after
        ``validate``."""
        return not self.csrf_token.errors and not self.website.data


@cache
def _with_companions(form: type[RegistrationForm], companions: int) -> type[RegistrationForm]:
    fields = {
        f"companion-{place}": StringField(validators=[_by_core(_companion)])
        for place in range(1, companions + 1)
    }
    return type(form.__name__, (form,), fields)


def of(event: Event, area_code: str | None, *, public: bool) -> Any:
    """The form of this event, filled with what was sent."""
    kind = _with_companions(_PublicForm if public else _DeskForm, event.max_party - 1)
    form = kind(meta={"csrf_context": event.slug}) if public else kind()
    form.area_code = area_code
    if not public and not form.form_key.data:
        form.form_key.data = new_key()
    return form


def notes_sent() -> Notes:
    """What the desk noted beside names and number; ``FieldRefused`` for a contact or an address
    that cannot be one."""
    contact = request.form.get("contact", "").strip()
    return Notes(
        contact=names.parse(contact, "contact").typed if contact else None,
        wishes=requests.join(request.form.getlist("wish")),
        name_unsure=request.form.get("name_unsure") == "yes",
        email=emails.parse(request.form.get("email", "")),
        beyond_limit=request.form.get("beyond_limit") == "yes",
    )


def registrations_sent() -> dict[int, str]:
    """The registrations that were ticked: each number with the mark that stood beside it, if one
    did. What is no number is left out."""
    sent = (one.partition(".") for one in request.values.getlist("registration"))
    numbered = ((whole_numbers.parse(number), mark) for number, _, mark in sent)
    return {number: mark for number, mark in numbered if number is not None}


def file_sent() -> bytes:
    """The content of the file that was sent; nothing for none."""
    file = request.files.get("file")
    if file is None:
        return b""
    with closing(file):
        content: bytes = file.read()
        return content


def mark_sent() -> str:
    """Which registration the page was about, as ``identity.mark``; nothing for a form that does not
    say."""
    return str(request.form.get("mark", ""))


def version_sent() -> int:
    """The version of the registration that was on the page; 0 where it is missing or no number."""
    return whole_numbers.parse(request.form.get("version", "")) or 0
