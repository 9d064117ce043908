"""Passwords: which may be chosen, and how one is kept and checked."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from eventreg.core.errors import FieldRefused, SignInFailed
from eventreg.core.staff import guessing
from eventreg.core.values.normal_form import normalize

SHORTEST, LONGEST = 15, 256
"""Characters (code points, as NIST SP 800-63B-4 counts them where a password is the only factor),
and bytes."""

# OWASP's second recommendation for argon2id: 19 MiB, two passes, one lane; about 30 ms.
_hasher = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)


@cache
def _hash_of_nobody() -> str:
    """Checked where the name is unknown, so that the time taken does not tell."""
    return _hasher.hash(secrets.token_hex(16))


def _normal(password: str) -> str:
    """The same characters in the same code points, whichever keyboard typed them: é is one, not an
    e and an accent."""
    return normalize("NFC", password)


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def check(password: str, *known: str) -> str:
    """The password itself if it may be one; else ``FieldRefused``. Nothing is trimmed. ``known``:
    what a guesser knows besides, such as the user's name and those of the events."""
    normal = _normal(password)
    if len(normal) < SHORTEST:
        raise FieldRefused("password", "password_short", shortest=SHORTEST)
    if len(_bytes(normal)) > LONGEST:
        raise FieldRefused("password", "password_long", longest=LONGEST)
    if guessing.is_guessable(normal, known):
        raise FieldRefused("password", "password_guessable")
    return password


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _hasher.hash(_bytes(_normal(password)))


def verify(password: str, stored: str | None) -> None:
    """``SignInFailed`` unless this is the password; takes the same time where nothing is stored. A
    password of earlier days was kept as it was typed: it still opens."""
    spellings = dict.fromkeys((_normal(password), password))
    fits = [_fits(one, stored or _hash_of_nobody()) for one in spellings]
    if stored is None or not any(fits):
        raise SignInFailed


def _fits(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, _bytes(password)[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
