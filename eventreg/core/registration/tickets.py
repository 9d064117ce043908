"""Ticket tokens: the secret in a ticket's address. Computed when needed, stored only as a digest
(PROMISES 3.5)."""

import hmac
import secrets

from eventreg.core.values import tokens

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26
"""Characters of Crockford base32: 130 bits."""
_MISREAD = str.maketrans("OIL", "011")


def new_seed() -> str:
    """The random id of a new registration, 128 bits as hex."""
    return secrets.token_hex(16)


def token(secret_key: str, seed: str) -> str:
    """The ticket token that belongs to a seed under this secret key; losing the key loses the
    links."""
    number = int.from_bytes(hmac.digest(secret_key.encode(), seed.encode(), "sha256"))
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(251, 251 - 5 * LENGTH, -5))


def digest(typed: str) -> str:
    """What the database keeps of a token. A token copied by hand, with O for 0 or small letters, is
    the same one."""
    return tokens.digest(typed.upper().translate(_MISREAD))
