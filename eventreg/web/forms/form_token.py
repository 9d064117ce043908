"""The token of the public registration form. It is signed and needs no cookie, because the browsers
inside chat apps drop cookies."""

import re
import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import current_app, g
from flask_wtf import FlaskForm
from itsdangerous import BadSignature, URLSafeSerializer
from wtforms import ValidationError
from wtforms.csrf.core import CSRF, CSRFTokenField

from eventreg.web.limits import limits

YOUNGEST, OLDEST = 2, 24 * 60 * 60
"""The least seconds between first showing a form and confirming it: a program is faster. The most
between showing and sending it: this bounds how long used form keys must be kept."""
SKEW = 60
"""Seconds by which the clocks of two servers may differ."""
_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class ShownForm:
    """What a token says about its form: how many seconds ago it was shown, and its key."""

    age: int
    key: str


class FormToken(CSRF):  # type: ignore[misc]
    """Signs the event's slug, the time and the form's key into one token.

    The key comes from us, so a client cannot choose it, and one form registers at most once.
    """

    def setup_form(self, form: FlaskForm) -> Any:
        """Remember the slug of the form's event."""
        self.event = form.meta.csrf_context
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:  # noqa: ARG002
        """Return nothing: most forms that are sent are not shown again, so ``fresh`` signs late."""
        return ""

    def fresh(self) -> str:
        """A new token with a new key."""
        return str(
            _signer(current_app.config["SECRET_KEY"]).dumps(
                [self.event, int(g.now.timestamp()), new_key()]
            )
        )

    def validate_csrf_token(self, form: FlaskForm, field: CSRFTokenField) -> None:
        """Refuse a token that is forged, of another event or too old; and one that is too young, if
        it is to register. If rate limits are off, none is too young."""
        shown, least = self.shown(field.data), YOUNGEST if limits.limits().on else 0
        if shown is None or (form.is_confirming and shown.age < least):
            raise ValidationError("token")

    def shown(self, token: str | None) -> ShownForm | None:
        """Read a token; ``None`` if it is forged, of another event, or too old."""
        try:
            event, made, key = _signer(current_app.config["SECRET_KEY"]).loads(token or "")
        except (BadSignature, ValueError, TypeError):
            return None
        if event != self.event or not isinstance(made, int) or not is_key(str(key)):
            return None
        age = int(g.now.timestamp()) - made
        return ShownForm(age, key) if -SKEW <= age <= OLDEST else None


@cache
def _signer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt="registration form")


def new_key() -> str:
    """A random key for a form that is about to be shown."""
    return secrets.token_hex(16)


def is_key(text: str) -> bool:
    """Whether this text has the shape of a form key."""
    return _KEY.fullmatch(text) is not None
