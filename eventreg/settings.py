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

from eventreg import rates, setting_types
from eventreg.clock import Clock, starting_at, utc_now
from eventreg.proxies import Network, Proxies

ROOT = Path(__file__).resolve().parent.parent


class SettingsInvalid(Exception):
    """Some settings are wrong; ``faults`` has one line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Setting:
    """One row of the table of settings; ``read`` makes the value of the text or raises
    ``ValueError`` in words."""

    name: str
    default: str
    help: str
    read: Callable[[str], Any]


def _mail_host(public_url: str) -> str:
    host = urlsplit(public_url).hostname or ""
    return "localhost" if ":" in host else host


SETTINGS = (
    Setting("EVENTREG_INSTANCE", "instance", "Folder of everything that is written.", str),
    Setting(
        "EVENTREG_DATABASE_URL",
        "",
        "Database, such as postgresql+psycopg://name@host/database; without it, an SQLite file "
        "in the instance folder.",
        setting_types.database,
    ),
    Setting(
        "EVENTREG_SECRET_KEY",
        "",
        "Key behind ticket links and sessions; without it, one is made once and kept in the "
        "instance folder.",
        setting_types.secret,
    ),
    Setting(
        "EVENTREG_PUBLIC_URL",
        "",
        "Address for links and QR codes; without it, that of HOST and PORT.",
        setting_types.web_address,
    ),
    Setting(
        "EVENTREG_CLOCK",
        "",
        "An ISO date-time with offset: the clock starts there and runs on. For rehearsals.",
        setting_types.moment,
    ),
    Setting(
        "EVENTREG_RATE_LIMITS",
        "on",
        "Limits on registering, signing in and searching: on or off.",
        setting_types.switch,
    ),
    Setting(
        "EVENTREG_PEOPLE_PER_ADDRESS",
        "10/minute, 40/hour",
        "How many people may be registered online from one address.",
        rates.read,
    ),
    Setting(
        "EVENTREG_REDIS_URL",
        "",
        "Rate limits shared by several processes, such as redis://127.0.0.1:6379/0.",
        setting_types.scheme("redis", "rediss", "redis+unix"),
    ),
    Setting(
        "EVENTREG_SMTP_URL",
        "",
        "Mail server for notices, such as smtp://name:password@mail.example.org:587; without it, "
        "none are sent.",
        setting_types.mail_server,
    ),
    Setting(
        "EVENTREG_MAIL_FROM",
        "",
        "Address that mails come from; without it, eventreg at the host of the public address.",
        setting_types.mail_address,
    ),
    Setting(
        "EVENTREG_TRUSTED_PROXIES",
        "0",
        "How many proxies stand in front, one behind the other; with 0, what a proxy says of the "
        "guest is ignored.",
        setting_types.count(0, 10),
    ),
    Setting(
        "EVENTREG_PROXY_ADDRESSES",
        "127.0.0.0/8, ::1",
        "Addresses and networks of these proxies: what anybody else says of the guest counts for "
        "nothing.",
        setting_types.networks,
    ),
    Setting(
        "EVENTREG_WORKERS",
        "1",
        "Server processes; more than one needs EVENTREG_REDIS_URL, or EVENTREG_RATE_LIMITS=off.",
        setting_types.count(1, 32),
    ),
    Setting("EVENTREG_THREADS", "8", "Threads of each server process.", setting_types.count(1, 64)),
    Setting("HOST", "127.0.0.1", "Where to listen.", setting_types.host),
    Setting("PORT", "8000", "Where to listen.", setting_types.count(1, 65535)),
)


@dataclass(frozen=True)
class Settings:
    """What the environment said, understood and checked."""

    instance: Path
    database_url: str
    secret_key: str
    public_url: str
    clock: datetime | None
    rate_limits: bool
    people_per_address: tuple[RateLimitItem, ...]
    redis_url: str
    smtp_url: str
    mail_from: str
    trusted_proxies: int
    proxy_addresses: tuple[Network, ...]
    workers: int
    threads: int
    host: str
    port: int

    @property
    def https(self) -> bool:
        """Whether guests reach us by https: cookies are then Secure."""
        return self.public_url.startswith("https://")

    @property
    def proxies(self) -> Proxies:
        """Whose word about the guest's address is believed."""
        return Proxies(self.trusted_proxies, self.proxy_addresses)

    @property
    def on_this_machine_only(self) -> bool:
        """Whether links and QR codes lead to an address that opens on this machine only."""
        host = urlsplit(self.public_url).hostname or ""
        return host == "localhost" or (_is_ip(host) and ipaddress.ip_address(host).is_loopback)

    def make_clock(self) -> Clock:
        """The clock that ``EVENTREG_CLOCK`` asks for, which starts now, or the real one."""
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
        # asked whether it is so, not made so
        return self.host.strip("[]") in {"0.0.0.0", "::"}  # noqa: S104

    def is_ours(self, host: str) -> bool:
        """Whether a Host header, without its port, names us."""
        if host.strip("[]").lower() in self._names:
            return True
        return (
            self.listens_everywhere
            and self.public_url == own_address(self.host, self.port)
            and _is_ip(host.strip("[]"))
        )


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
            "EVENTREG_WORKERS: more than one process cannot share limits kept in memory; set "
            "EVENTREG_REDIS_URL, or "
            "EVENTREG_RATE_LIMITS=off"
        )
    if faults:
        raise SettingsInvalid(faults)
    instance = (ROOT / values["EVENTREG_INSTANCE"]).resolve()
    public_url = values["EVENTREG_PUBLIC_URL"] or own_address(values["HOST"], values["PORT"])
    return Settings(
        instance=instance,
        database_url=values["EVENTREG_DATABASE_URL"]
        or f"sqlite:///{instance / 'eventreg.sqlite3'}",
        secret_key=values["EVENTREG_SECRET_KEY"],
        public_url=public_url,
        clock=values["EVENTREG_CLOCK"],
        rate_limits=values["EVENTREG_RATE_LIMITS"],
        people_per_address=values["EVENTREG_PEOPLE_PER_ADDRESS"],
        redis_url=values["EVENTREG_REDIS_URL"],
        smtp_url=values["EVENTREG_SMTP_URL"],
        mail_from=values["EVENTREG_MAIL_FROM"] or f"eventreg@{_mail_host(public_url)}",
        trusted_proxies=values["EVENTREG_TRUSTED_PROXIES"],
        proxy_addresses=values["EVENTREG_PROXY_ADDRESSES"],
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
    """The secret key of this instance, made once. Two processes that start together agree on
    one."""
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
