"""Every setting: name, default, help. Read once from the environment, checked whole, then frozen.

docs/settings.md lists the same rows; a test compares them.
"""

import ipaddress
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from limits import RateLimitItem

from eventreg import rates
from eventreg.clock import Clock, starting_at, utc_now

ROOT = Path(__file__).resolve().parent.parent
CLOCK_SINCE = "EVENTREG_CLOCK_SINCE"
"""Not a setting: the launcher tells its workers when it read ``EVENTREG_CLOCK``, so that all share one offset."""


class SettingsInvalid(Exception):
    """Some settings are wrong; ``faults`` has one line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Setting:
    """One row of the table of settings; ``read`` makes the value of the text or raises ``ValueError`` in words."""

    name: str
    default: str
    help: str
    read: Callable[[str], Any]


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("must be an ISO date-time with offset, such as 2030-01-31T08:40:00+08:00")
    return moment


def _count(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return read


def _switch(text: str) -> bool:
    if text not in {"on", "off"}:
        raise ValueError("must be on or off")
    return text == "on"


def _web_address(text: str) -> str:
    text = text.rstrip("/")
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query):
        raise ValueError("must be an address such as https://register.example.org, without a path")
    return text


def _scheme(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text and text.partition("://")[0] not in schemes:
            raise ValueError(f"must begin with {' or '.join(scheme + '://' for scheme in schemes)}")
        return text

    return read


def _mail_server(text: str) -> str:
    parts = urlsplit(text)
    try:
        right = parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number
        right = False
    if text and (not right or parts.path.strip("/") or parts.query or parts.fragment):
        raise ValueError("must be like smtp://name:password@host:587, or smtps:// for TLS from the first byte")
    return text


def _mail_address(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+", text):
        raise ValueError("must be a mail address")
    return text


def _mail_host(public_url: str) -> str:
    host = urlsplit(public_url).hostname or ""
    return "localhost" if ":" in host else host


_POSTGRESQL = "postgresql+psycopg://"


def _database(text: str) -> str:
    if text.startswith(("postgresql://", "postgres://")):
        text = _POSTGRESQL + text.partition("://")[2]
    if text and not text.startswith(("sqlite:///", _POSTGRESQL)):
        raise ValueError(f"must begin with sqlite:/// or {_POSTGRESQL}")
    return text


def _secret(text: str) -> str:
    if text and len(text) < 16:
        raise ValueError("must have at least 16 characters")
    return text


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", text):
        raise ValueError("must be a host name or an IP address")
    return text


SETTINGS = (
    Setting("EVENTREG_INSTANCE", "instance", "Folder of everything that is written.", str),
    Setting(
        "EVENTREG_DATABASE_URL", "",
        "Database, such as postgresql+psycopg://name@host/database; without it, an SQLite file in the instance folder.",
        _database,
    ),
    Setting(
        "EVENTREG_SECRET_KEY", "",
        "Key behind ticket links and sessions; without it, one is made once and kept in the instance folder.", _secret,
    ),
    Setting("EVENTREG_PUBLIC_URL", "", "Address for links and QR codes; without it, that of HOST and PORT.", _web_address),
    Setting(
        "EVENTREG_CLOCK", "", "An ISO date-time with offset: the clock starts there and runs on. For rehearsals.", _moment
    ),
    Setting("EVENTREG_RATE_LIMITS", "on", "Limits on registering, signing in and searching: on or off.", _switch),
    Setting(
        "EVENTREG_PEOPLE_PER_ADDRESS", "10/minute, 40/hour", "How many people may be registered online from one address.",
        rates.read,
    ),
    Setting(
        "EVENTREG_REDIS_URL", "", "Rate limits shared by several processes, such as redis://127.0.0.1:6379/0.",
        _scheme("redis", "rediss", "redis+unix"),
    ),
    Setting(
        "EVENTREG_SMTP_URL", "",
        "Mail server for notices, such as smtp://name:password@mail.example.org:587; without it, none are sent.",
        _mail_server,
    ),
    Setting(
        "EVENTREG_MAIL_FROM", "", "Address that mails come from; without it, eventreg at the host of the public address.",
        _mail_address,
    ),
    Setting("EVENTREG_TRUSTED_PROXIES", "0", "How many proxies in front may say who is asking.", _count(0, 10)),
    Setting(
        "EVENTREG_WORKERS", "1",
        "Server processes; more than one needs EVENTREG_REDIS_URL, or EVENTREG_RATE_LIMITS=off.", _count(1, 32),
    ),
    Setting("EVENTREG_THREADS", "8", "Threads of each server process.", _count(1, 64)),
    Setting("HOST", "127.0.0.1", "Where to listen.", _host),
    Setting("PORT", "8000", "Where to listen.", _count(1, 65535)),
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What the environment said, understood and checked."""

    instance: Path
    database_url: str
    secret_key: str
    public_url: str
    clock: datetime | None
    clock_since: datetime | None
    rate_limits: bool
    people_per_address: tuple[RateLimitItem, ...]
    redis_url: str
    smtp_url: str
    mail_from: str
    trusted_proxies: int
    workers: int
    threads: int
    host: str
    port: int

    @property
    def https(self) -> bool:
        """Whether guests reach us by https: cookies are then Secure."""
        return self.public_url.startswith("https://")

    def make_clock(self) -> Clock:
        """The clock that ``EVENTREG_CLOCK`` asks for, or the real one."""
        if self.clock is None:
            return utc_now
        return starting_at(self.clock, self.clock_since or utc_now())

    @cached_property
    def _names(self) -> frozenset[str | None]:
        return frozenset({urlsplit(self.public_url).hostname, self.host.strip("[]"), "127.0.0.1", "localhost", "::1"})

    def is_ours(self, host: str) -> bool:
        """Whether a Host header, without its port, names us."""
        if host.strip("[]").lower() in self._names:
            return True
        everywhere = self.host == "0.0.0.0"  # noqa: S104 - asked whether it is so, not made so
        return everywhere and self.public_url == own_address(self.host, self.port) and _is_ip(host.strip("[]"))


def own_address(host: str, port: int) -> str:
    """The address at which this server answers on this machine."""
    bare = host.strip("[]")
    shown = "127.0.0.1" if bare in {"0.0.0.0", "::"} else f"[{bare}]" if ":" in bare else bare  # noqa: S104
    return f"http://{shown}:{port}"


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment; raises ``SettingsInvalid`` with one line for each fault."""
    values, faults = {}, []
    for setting in SETTINGS:
        text = environment.get(setting.name) or setting.default
        try:
            values[setting.name] = setting.read(text)
        except ValueError as fault:
            shown = re.sub(r"//[^@/]*@", "//…@", text)  # without the password
            faults.append(f"{setting.name}: {fault}, not {shown!r}")
    in_memory = values.get("EVENTREG_RATE_LIMITS") and not values.get("EVENTREG_REDIS_URL")
    if values.get("EVENTREG_WORKERS", 1) > 1 and in_memory:
        faults.append(
            "EVENTREG_WORKERS: more than one process cannot share limits kept in memory; set EVENTREG_REDIS_URL, or "
            "EVENTREG_RATE_LIMITS=off"
        )
    if faults:
        raise SettingsInvalid(faults)
    instance = (ROOT / values["EVENTREG_INSTANCE"]).resolve()
    public_url = values["EVENTREG_PUBLIC_URL"] or own_address(values["HOST"], values["PORT"])
    return Settings(
        instance=instance,
        database_url=values["EVENTREG_DATABASE_URL"] or f"sqlite:///{instance / 'eventreg.sqlite3'}",
        secret_key=values["EVENTREG_SECRET_KEY"],
        public_url=public_url,
        clock=values["EVENTREG_CLOCK"],
        clock_since=_moment(environment.get(CLOCK_SINCE, "")),
        rate_limits=values["EVENTREG_RATE_LIMITS"],
        people_per_address=values["EVENTREG_PEOPLE_PER_ADDRESS"],
        redis_url=values["EVENTREG_REDIS_URL"],
        smtp_url=values["EVENTREG_SMTP_URL"],
        mail_from=values["EVENTREG_MAIL_FROM"] or f"eventreg@{_mail_host(public_url)}",
        trusted_proxies=values["EVENTREG_TRUSTED_PROXIES"],
        workers=values["EVENTREG_WORKERS"],
        threads=values["EVENTREG_THREADS"],
        host=values["HOST"],
        port=values["PORT"],
    )


def make_instance(folder: Path) -> None:
    """Make the instance folder if it is missing; nobody else on the machine may look into it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def kept_secret(folder: Path) -> str:
    """The secret key of this instance, made once. Two processes that start together agree on one."""
    path = folder / "secret-key"
    if not path.exists():
        draft = folder / f".secret-key.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)  # fails where another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
