"""Passwords: which may be chosen, and how one is kept and checked."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from eventreg.core.errors import FieldRefused, SignInFailed

SHORTEST, LONGEST = 15, 256
"""Bytes of a password (NIST SP 800-63B-4 asks for 15 where it is the only factor)."""

# OWASP's second recommendation for argon2id: 19 MiB, two passes, one lane; about 30 ms.
_hasher = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)


@cache
def _hash_of_nobody() -> str:
    """Checked where the name is unknown, so that the time taken does not tell."""
    return _hasher.hash(secrets.token_hex(16))


_RUNS = ("0123456789", "1234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
_OURS = ("eventreg", "organiser", "organizer", "desk", "door", "password", "passwort", "lecture", "welcome", "qwerty")


def _is_guessable(password: str, username: str) -> bool:
    """What guessing programs try first: one short piece again and again, a run of keys, or our own words with digits."""
    folded = password.casefold()
    if any(folded == (folded[:size] * len(folded))[: len(folded)] for size in range(1, len(folded) // 2 + 1)):
        return True
    if any(folded in run * 30 or folded in run[::-1] * 30 for run in _RUNS):
        return True
    letters = "".join(c for c in folded if c.isalpha())
    ours = {*_OURS, username.casefold()} - {""}
    if not letters or any(not letters.replace(word, "") for word in ours):
        return True
    return _guesses_are_few(password, sorted(ours))


def _guesses_are_few(password: str, ours: list[str]) -> bool:
    """Made of the 30,000 most common passwords, names, dates and runs of keys, with our own words among them (zxcvbn's lists).
    Chinese it does not know: a sentence in Chinese characters passes."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its lists take 20 ms, and only choosing a password needs them

    return password.isascii() and zxcvbn(password[:72], user_inputs=ours)["score"] < 3


def check(password: str, username: str = "") -> str:
    """The password itself if it may be one; else ``FieldRefused``. Exact: nothing is trimmed or changed."""
    size = len(password.encode("utf-8", "surrogatepass"))
    if size < SHORTEST:
        raise FieldRefused("password", "password_short", shortest=SHORTEST)
    if size > LONGEST:
        raise FieldRefused("password", "password_long", longest=LONGEST)
    if _is_guessable(password, username):
        raise FieldRefused("password", "password_guessable")
    return password


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def verify(password: str, stored: str | None) -> None:
    """``SignInFailed`` unless this is the password; takes the same time where nothing is stored."""
    try:
        _hasher.verify(stored or _hash_of_nobody(), password.encode("utf-8", "surrogatepass")[: LONGEST + 1])
    except (VerificationError, InvalidHashError) as wrong:
        raise SignInFailed from wrong
    if stored is None:
        raise SignInFailed
