"""Makes form tokens without opening a page for each, for tests with many guests."""

from itsdangerous import URLSafeSerializer

from eventreg.web.forms.form_token import new_key
from tests.support.factories import SECRET

_signer = URLSafeSerializer(SECRET, salt="registration form")


def token(slug: str, made: int, key: str = "") -> str:
    """A form token made at that second, for apps whose secret key is ``SECRET``."""
    return str(_signer.dumps([slug, made, key or new_key()]))


def another(shown: dict[str, str], number: int | None = None, *, older: int = 0) -> dict[str, str]:
    """The fields of the same form as another guest gets them, ``older`` seconds before. Equal
    numbers give the same form."""
    slug, made, _ = _signer.loads(shown["csrf_token"])
    key = "" if number is None else f"{number:032x}"
    return {**shown, "csrf_token": token(slug, made - older, key)}
