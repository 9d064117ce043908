"""Secrets that are handed out and not kept: the database holds only their digests."""

import hashlib
import secrets


def new() -> str:
    """A fresh secret of 256 random bits, fit for an address or a cookie."""
    return secrets.token_urlsafe(32)


def opaque() -> str:
    """A random id of 128 bits, which names a person and opens nothing."""
    return secrets.token_hex(16)


def digest(token: str) -> str:
    """What the database keeps of a token; any text at all has one."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
