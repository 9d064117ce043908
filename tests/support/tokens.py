"""Forms as the house hands them out, without asking for each: many people have each opened a page
of their own."""

from itsdangerous import URLSafeSerializer

from eventreg.web.forms.form_token import new_key
from tests.support.factories import SECRET

_signer = URLSafeSerializer(SECRET, salt="registration form")


def token(slug: str, made: int, key: str = "") -> str:
    """A form's token, made at that second; only of a house whose secret key is ``SECRET``."""
    return str(_signer.dumps([slug, made, key or new_key()]))


def another(shown: dict[str, str], number: int | None = None, *, older: int = 0) -> dict[str, str]:
    """The same page as somebody else opened it, ``older`` seconds before; of equal numbers, it is
    one form."""
    slug, made, _ = _signer.loads(shown["csrf_token"])
    key = "" if number is None else f"{number:032x}"
    return {**shown, "csrf_token": token(slug, made - older, key)}
