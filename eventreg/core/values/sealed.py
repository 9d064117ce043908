"""Encrypt a text with a secret that is not stored, so that a copy of the database reveals nothing.
Each text has its own nonce, so no pad is used twice."""

import hashlib
import secrets

_NONCE = 16
"""Bytes."""


def seal(secret: str, text: str) -> str:
    """Encrypt a text with a secret of at least 128 random bits."""
    nonce = secrets.token_bytes(_NONCE)
    return (nonce + _encrypted(secret, nonce, text.encode())).hex()


def unseal(secret: str, sealed: str) -> str:
    """The text that ``seal`` encrypted with the same secret."""
    kept = bytes.fromhex(sealed)
    return _encrypted(secret, kept[:_NONCE], kept[_NONCE:]).decode()


def _encrypted(secret: str, nonce: bytes, text: bytes) -> bytes:
    """Encrypt ``text``, or decrypt it: XOR with a pad made of secret and nonce."""
    pad = hashlib.shake_256(b"note" + nonce + secret.encode()).digest(len(text))
    return bytes(one ^ other for one, other in zip(text, pad, strict=True))
