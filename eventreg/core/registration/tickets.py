"""Ticket tokens: the secret part of a ticket's address.

A token is computed when it is needed. The database holds only its digest, so a stolen copy of the
database opens no ticket.
"""

import hmac
import secrets

from eventreg.core.values import tokens

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26
"""Characters of Crockford base32: 130 bits."""
_MISREAD = str.maketrans("OIL", "011")


def new_seed() -> str:
    """A random id for a new registration: 128 bits as hex."""
    return secrets.token_hex(16)


def token(secret_key: str, seed: str) -> str:
    """The ticket token of a seed under this secret key. If the key changes, no earlier link can be
    made again."""
    number = int.from_bytes(hmac.digest(secret_key.encode(), seed.encode(), "sha256"))
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(251, 251 - 5 * LENGTH, -5))


def digest(typed: str) -> str:
    """The digest of a token, as the database keeps it. Small letters, and O, I or L for 0 or 1,
    make no difference, because tokens are sometimes copied by hand."""
    return tokens.digest(typed.upper().translate(_MISREAD))
