"""The settings. They are read from the environment once, checked together, and then frozen.

Each setting is one row of ``Settings``. docs/settings.md lists the same rows; a test compares them.
"""

# ruff: noqa: RUF009 - `setting` makes a field, as `dataclasses.field` does

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from limits import RateLimitItem

from eventreg import rates, setting_types
from eventreg.clock import Clock, starting_at, utc_now
from eventreg.proxies import Network, Proxies
from eventreg.setting_types import Setting, setting

ROOT = Path(__file__).resolve().parent.parent
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared, never listened on by default


class SettingsInvalid(Exception):
    """Some settings are wrong. ``faults`` has one line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Settings:
    """The settings. Each row is a field, its environment variable, its default, its help, and the
    function that reads it."""

    instance: Path = setting(
        "EVENTREG_INSTANCE",
        "instance",
        "Folder of everything that is written.",
        setting_types.folder,
    )
    database_url: str = setting(
        "EVENTREG_DATABASE_URL",
        "",
        "Database, such as postgresql+psycopg://name@host/database; without it, an SQLite file "
        "in the instance folder.",
        setting_types.database,
    )
    backups: Path | None = setting(
        "EVENTREG_BACKUPS",
        "backups",
        "Folder of the backups by schedule, beginning in the instance folder; or off.",
        setting_types.folder_or_off,
    )
    backup_copy: Path | None = setting(
        "EVENTREG_BACKUP_COPY",
        "",
        "Second place of these backups: a folder of another disk that is mounted.",
        setting_types.other_folder,
    )
    backup_recipient: str = setting(
        "EVENTREG_BACKUP_RECIPIENT",
        "",
        "Public key of age for which these backups are encrypted, such as age1…; without it, "
        "they are not.",
        setting_types.age_recipient,
    )
    secret_key: str = setting(
        "EVENTREG_SECRET_KEY",
        "",
        "Key behind ticket links and sessions; without it, one is made once and kept in the "
        "instance folder.",
        setting_types.secret,
    )
    public_url: str = setting(
        "EVENTREG_PUBLIC_URL",
        "",
        "Address for links and QR codes; without it, that of HOST and PORT.",
        setting_types.web_address,
    )
    clock: datetime | None = setting(
        "EVENTREG_CLOCK",
        "",
        "An ISO date-time with offset: the clock starts there and runs on. For rehearsals.",
        setting_types.moment,
    )
    rehearsal: bool = setting(
        "EVENTREG_REHEARSAL",
        "off",
        "Say on every page that this is a rehearsal: on or off. make rehearse sets it.",
        setting_types.switch,
    )
    rate_limits: bool = setting(
        "EVENTREG_RATE_LIMITS",
        "on",
        "Limits on registering, signing in and searching: on or off.",
        setting_types.switch,
    )
    people_per_address: tuple[RateLimitItem, ...] = setting(
        "EVENTREG_PEOPLE_PER_ADDRESS",
        "10/minute, 40/hour",
        "How many people may be registered online from one address.",
        rates.read,
    )
    redis_url: str = setting(
        "EVENTREG_REDIS_URL",
        "",
        "Rate limits shared by several processes, such as redis://127.0.0.1:6379/0.",
        setting_types.scheme("redis", "rediss", "redis+unix"),
    )
    smtp_url: str = setting(
        "EVENTREG_SMTP_URL",
        "",
        "Mail server for notices, such as smtp://name:password@mail.example.org:587; without it, "
        "none are sent.",
        setting_types.mail_server,
    )
    mail_from: str = setting(
        "EVENTREG_MAIL_FROM",
        "",
        "Address that mails come from; without it, eventreg at the host of the public address.",
        setting_types.mail_address,
    )
    trusted_proxies: int = setting(
        "EVENTREG_TRUSTED_PROXIES",
        "0",
        "How many proxies stand in front, one behind the other; with 0, what a proxy says of the "
        "guest is ignored.",
        setting_types.count(0, 10),
    )
    proxy_addresses: tuple[Network, ...] = setting(
        "EVENTREG_PROXY_ADDRESSES",
        "127.0.0.0/8, ::1",
        "Addresses and networks of these proxies: what anybody else says of the guest counts for "
        "nothing.",
        setting_types.networks,
    )
    metrics_token: str = setting(
        "EVENTREG_METRICS_TOKEN",
        "",
        "Word with which a monitor on another machine may read /readyz and /metrics; without it, "
        "only programs on this machine may.",
        setting_types.secret,
    )
    workers: int = setting(
        "EVENTREG_WORKERS",
        "1",
        "Server processes; more than one needs EVENTREG_REDIS_URL, or EVENTREG_RATE_LIMITS=off.",
        setting_types.count(1, 32),
    )
    threads: int = setting(
        "EVENTREG_THREADS",
        "8",
        "Threads of each server process.",
        setting_types.count(1, 64),
    )
    host: str = setting("HOST", "127.0.0.1", "Where to listen.", setting_types.host)
    port: int = setting("PORT", "8000", "Where to listen.", setting_types.count(1, 65535))

    @property
    def https(self) -> bool:
        """Whether the public address is https. Cookies are then Secure."""
        return self.public_url.startswith("https://")

    def cookie(self, name: str) -> str:
        """The full name of a cookie. A rehearsal has other names than the real server, because
        browsers send a cookie to all ports of a host."""
        return f"{'__Host-' if self.https else ''}{'rehearsal-' if self.rehearsal else ''}{name}"

    @property
    def proxies(self) -> Proxies:
        """The proxies that are believed about a client's address."""
        return Proxies(self.trusted_proxies, self.proxy_addresses)

    @property
    def on_this_machine_only(self) -> bool:
        """Whether links and QR codes lead to an address that opens on this machine only."""
        host = urlsplit(self.public_url).hostname or ""
        return host == "localhost" or (_is_ip(host) and ipaddress.ip_address(host).is_loopback)

    def make_clock(self) -> Clock:
        """A clock that starts now at ``EVENTREG_CLOCK``, or the real one if that is not set."""
        return utc_now if self.clock is None else starting_at(self.clock, utc_now())

    @cached_property
    def _names(self) -> frozenset[str | None]:
        return frozenset(
            {
                urlsplit(self.public_url).hostname,
                self.host.strip("[]"),
                "127.0.0.1",
                "localhost",
                "::1",
            }
        )

    @property
    def listens_everywhere(self) -> bool:
        """Whether the server answers at every address of this machine."""
        return self.host.strip("[]") in _EVERYWHERE

    def is_ours(self, host: str) -> bool:
        """Whether a Host header, without its port, names this server. If the server listens
        everywhere and no public URL was set, any IP address does."""
        if host.strip("[]").lower() in self._names:
            return True
        return (
            self.listens_everywhere
            and self.public_url == own_address(self.host, self.port)
            and _is_ip(host.strip("[]"))
        )


def own_address(host: str, port: int) -> str:
    """The URL at which this server answers on this machine."""
    bare = host.strip("[]")
    shown = "127.0.0.1" if bare in _EVERYWHERE else f"[{bare}]" if ":" in bare else bare
    return f"http://{shown}:{port}"


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


SETTINGS: Mapping[str, Setting] = {row.name: row.metadata["setting"] for row in fields(Settings)}
"""The settings by the name of their field, in the order of docs/settings.md."""


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment. Raises ``SettingsInvalid`` with one line for each fault."""
    values: dict[str, Any] = {}
    faults = []
    for field_name, row in SETTINGS.items():
        text = environment.get(row.name) or row.default
        try:
            values[field_name] = row.read(text)
        except ValueError as fault:
            shown = re.sub(r"(?<=//)[^@/]*(?=@)|AGE-SECRET-KEY-.*", "…", text)  # without a secret
            faults.append(f"{row.name}: {fault}, not {shown!r}")
    limits_in_memory = values.get("rate_limits") and not values.get("redis_url")
    if values.get("workers", 1) > 1 and limits_in_memory:
        faults.append(
            "EVENTREG_WORKERS: more than one process cannot share limits kept in memory; "
            "set EVENTREG_REDIS_URL, or EVENTREG_RATE_LIMITS=off"
        )
    if values.get("backup_copy") and values["backup_copy"] == values.get("backups"):
        faults.append("EVENTREG_BACKUP_COPY: must be another folder than EVENTREG_BACKUPS")
    if faults:
        raise SettingsInvalid(faults)
    return _with_derived_defaults(Settings(**values))


def _with_derived_defaults(given: Settings) -> Settings:
    """Fill in the settings that were not given and whose default depends on other settings."""
    instance = (ROOT / given.instance).resolve()
    public_url = given.public_url or own_address(given.host, given.port)
    return replace(
        given,
        instance=instance,
        backups=given.backups and instance / given.backups,
        database_url=given.database_url or f"sqlite:///{instance / 'eventreg.sqlite3'}",
        public_url=public_url,
        mail_from=given.mail_from or f"eventreg@{_mail_host(public_url)}",
    )


def _mail_host(public_url: str) -> str:
    """The host for a mail address. An IPv6 address cannot be one."""
    host = urlsplit(public_url).hostname or ""
    return "localhost" if ":" in host else host
