"""Passwords: check a new one, hash it, verify it."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from eventreg.core.errors import FieldRefused, SignInFailed
from eventreg.core.staff import guessing
from eventreg.core.values.normal_form import normalize

SHORTEST, LONGEST = 15, 256
"""Characters and bytes. NIST SP 800-63B-4 asks for 15 code points if there is no other factor."""

# OWASP's second recommendation for argon2id: 19 MiB, two passes, one lane; about 30 ms.
_hasher = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)


@cache
def _dummy_hash() -> str:
    """The hash to compare with if none is stored, so that the answer takes as long."""
    return _hasher.hash(secrets.token_hex(16))


def _normal(password: str) -> str:
    """NFC: an é is one code point, whichever keyboard typed it."""
    return normalize("NFC", password)


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def check(password: str, *known: str) -> str:
    """The password unchanged. Raises ``FieldRefused`` if it is too short, too long or easy to
    guess.

    ``known`` are words that a guesser would try first, such as the user's name and those of the
    events.
    """
    normal = _normal(password)
    if len(normal) < SHORTEST:
        raise FieldRefused("password", "password_short", shortest=SHORTEST)
    if len(_bytes(normal)) > LONGEST:
        raise FieldRefused("password", "password_long", longest=LONGEST)
    if guessing.is_guessable(normal, known):
        raise FieldRefused("password", "password_guessable")
    return password


def hashed(password: str) -> str:
    """The argon2id hash to be stored."""
    return _hasher.hash(_bytes(_normal(password)))


def verify(password: str, stored: str | None) -> None:
    """Raise ``SignInFailed`` if the password does not match, or if none is stored. Both take the
    same time.

    Older hashes were made of the password as it was typed, so that spelling is tried too.
    """
    spellings = dict.fromkeys((_normal(password), password))
    matches = [_matches(one, stored or _dummy_hash()) for one in spellings]
    if stored is None or not any(matches):
        raise SignInFailed


def _matches(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, _bytes(password)[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
