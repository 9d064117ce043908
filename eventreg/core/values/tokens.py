"""Make secret tokens, and the digests of them that the database holds."""

import hashlib
import secrets


def new() -> str:
    """A new secret of 256 random bits, for use in an address or a cookie."""
    return secrets.token_urlsafe(32)


def opaque() -> str:
    """A random id of 128 bits, such as the public id of an attendee. It gives no access."""
    return secrets.token_hex(16)


def digest(token: str) -> str:
    """The digest that the database holds. Accepts any text."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
