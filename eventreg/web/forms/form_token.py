"""The token of the public registration form. It is signed and needs no cookie, because the browsers
inside chat apps drop cookies."""

import re
import secrets
from dataclasses import dataclass
from functools import cache

from flask import current_app, g
from itsdangerous import BadSignature, URLSafeSerializer

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


def fresh(slug: str) -> str:
    """A new token for the form of that event, with a new key. The key comes from us, so a client
    cannot choose it, and one form registers at most once."""
    made = [slug, int(g.now.timestamp()), new_key()]
    return str(_signer(current_app.config["SECRET_KEY"]).dumps(made))


def read(slug: str, token: str) -> ShownForm | None:
    """What a token says; ``None`` if it is forged, of another event, or too old."""
    try:
        event, made, key = _signer(current_app.config["SECRET_KEY"]).loads(token)
    except (BadSignature, ValueError, TypeError):
        return None
    if event != slug or not isinstance(made, int) or not is_key(str(key)):
        return None
    age = int(g.now.timestamp()) - made
    return ShownForm(age, key) if -SKEW <= age <= OLDEST else None


def is_too_young(shown: ShownForm) -> bool:
    """Whether a person could not have filled it in so fast. If rate limits are off, none is."""
    return limits.limits().on and shown.age < YOUNGEST


@cache
def _signer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt="registration form")


def new_key() -> str:
    """A random key for a form that is about to be shown."""
    return secrets.token_hex(16)


def is_key(text: str) -> bool:
    """Whether this text has the shape of a form key."""
    return _KEY.fullmatch(text) is not None
