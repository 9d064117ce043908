"""What a setting is, and the functions that read its text.

Each function raises ``ValueError`` with a reason for the operator if it cannot use the text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pyrage import RecipientError, x25519

from eventreg.proxies import Network, parse_networks

T = TypeVar("T")


@dataclass(frozen=True)
class Setting:
    """What docs/settings.md says of one setting, and how its text is read."""

    name: str
    default: str
    help: str
    read: Callable[[str], object]
    """Makes the value of the text, or raises ``ValueError`` with a reason for the operator."""


def setting(name: str, default: str, help: str, read: Callable[[str], T]) -> T:  # noqa: A002
    """A field of ``Settings``. For mypy it is of the type that ``read`` returns."""
    made: T = field(metadata={"setting": Setting(name, default, help, read)})
    return made


def folder(text: str) -> Path:
    """The path of a folder."""
    return Path(text)


def folder_or_off(text: str) -> Path | None:
    """The path of a folder; ``None`` for off."""
    return None if text == "off" else Path(text)


def other_folder(text: str) -> Path | None:
    """The whole path of a folder, or nothing."""
    if text and not Path(text).is_absolute():
        raise ValueError("must be a path that begins with /")
    return Path(text) if text else None


def age_recipient(text: str) -> str:
    """A public key of age, or nothing."""
    try:
        return text and str(x25519.Recipient.from_str(text))
    except RecipientError:
        raise ValueError(
            "must be a public key that begins with age1, as age-keygen -y prints it"
        ) from None


def moment(text: str) -> datetime | None:
    """A date-time with offset; ``None`` if the text is empty."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError("must be an ISO date-time with offset, such as 2030-01-31T08:40:00+08:00")
    return found


def count(least: int, most: int) -> Callable[[str], int]:
    """A whole number from ``least`` to ``most``."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return read


def switch(text: str) -> bool:
    """``True`` for on, ``False`` for off."""
    if text not in {"on", "off"}:
        raise ValueError("must be on or off")
    return text == "on"


def web_address(text: str) -> str:
    """An http or https URL without a path, or nothing. A slash at its end is dropped."""
    text = text.rstrip("/")
    parts = urlsplit(text)
    if text and (
        parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query
    ):
        raise ValueError("must be an address such as https://register.example.org, without a path")
    return text


def scheme(*schemes: str) -> Callable[[str], str]:
    """A URL with one of these schemes, or nothing."""

    def read(text: str) -> str:
        if text and text.partition("://")[0] not in schemes:
            raise ValueError(f"must begin with {' or '.join(scheme + '://' for scheme in schemes)}")
        return text

    return read


def mail_server(text: str) -> str:
    """The URL of a mail server, or nothing."""
    parts = urlsplit(text)
    try:
        right = parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number
        right = False
    if text and (not right or parts.path.strip("/") or parts.query or parts.fragment):
        raise ValueError(
            "must be like smtp://name:password@host:587, or smtps:// for TLS from the first byte"
        )
    return text


def mail_address(text: str) -> str:
    """A mail address, or nothing."""
    if text and not re.fullmatch(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+", text):
        raise ValueError("must be a mail address")
    return text


_POSTGRESQL = "postgresql+psycopg://"


def database(text: str) -> str:
    """The URL of an SQLite or PostgreSQL database, with the driver in it; or nothing."""
    if text.startswith(("postgresql://", "postgres://")):
        text = _POSTGRESQL + text.partition("://")[2]
    if text and not text.startswith(("sqlite:///", _POSTGRESQL)):
        raise ValueError(f"must begin with sqlite:/// or {_POSTGRESQL}")
    return text


def secret(text: str) -> str:
    """A key of at least 16 characters, or nothing."""
    if text and len(text) < 16:
        raise ValueError("must have at least 16 characters")
    return text


def host(text: str) -> str:
    """A host name or an IP address."""
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", text):
        raise ValueError("must be a host name or an IP address")
    return text


def networks(text: str) -> tuple[Network, ...]:
    """A list of IP addresses and networks."""
    try:
        return parse_networks(text)
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.5, 192.168.0.0/16") from None
