"""The settings, one row for each, frozen. ``reading`` makes them from the environment.

Each setting is one row of ``Settings``. docs/settings.md lists the same rows; a test compares them.
"""

# ruff: noqa: RUF009 - `setting` makes a field, as `dataclasses.field` does

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from limits import RateLimitItem

from eventreg.clock import Clock, starting_at, utc_now
from eventreg.settings import kinds, rates
from eventreg.settings.kinds import Setting, setting
from eventreg.settings.proxies import Network, Proxies

ROOT = Path(__file__).resolve().parent.parent.parent
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared, never listened on by default


@dataclass(frozen=True)
class Settings:
    """The settings. Each row is a field, its environment variable, its default, its help, and the
    function that reads it."""

    instance: Path = setting(
        "EVENTREG_INSTANCE",
        "instance",
        "Folder of everything that is written.",
        kinds.folder,
    )
    database_url: str = setting(
        "EVENTREG_DATABASE_URL",
        "",
        "Database, such as postgresql+psycopg://name@host/database; without it, an SQLite file "
        "in the instance folder.",
        kinds.database,
    )
    backups: Path | None = setting(
        "EVENTREG_BACKUPS",
        "backups",
        "Folder of the backups by schedule, beginning in the instance folder; or off.",
        kinds.folder_or_off,
    )
    backup_copy: Path | None = setting(
        "EVENTREG_BACKUP_COPY",
        "",
        "Second place of these backups: a folder of another disk that is mounted.",
        kinds.other_folder,
    )
    backup_recipient: str = setting(
        "EVENTREG_BACKUP_RECIPIENT",
        "",
        "Public key of age for which these backups are encrypted, such as age1…; without it, "
        "they are not.",
        kinds.age_recipient,
    )
    secret_key: str = setting(
        "EVENTREG_SECRET_KEY",
        "",
        "Key behind ticket links and sessions; without it, one is made once and kept in the "
        "instance folder.",
        kinds.secret,
    )
    public_url: str = setting(
        "EVENTREG_PUBLIC_URL",
        "",
        "Address for links and QR codes; without it, that of HOST and PORT.",
        kinds.web_address,
    )
    clock: datetime | None = setting(
        "EVENTREG_CLOCK",
        "",
        "An ISO date-time with offset: the clock starts there and runs on. For rehearsals.",
        kinds.moment,
    )
    rehearsal: bool = setting(
        "EVENTREG_REHEARSAL",
        "off",
        "Say on every page that this is a rehearsal: on or off. make rehearse sets it.",
        kinds.switch,
    )
    rate_limits: bool = setting(
        "EVENTREG_RATE_LIMITS",
        "on",
        "Limits on registering, signing in and searching: on or off.",
        kinds.switch,
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
        kinds.scheme("redis", "rediss", "redis+unix"),
    )
    smtp_url: str = setting(
        "EVENTREG_SMTP_URL",
        "",
        "Mail server for notices, such as smtp://name:password@mail.example.org:587; without it, "
        "none are sent.",
        kinds.mail_server,
    )
    mail_from: str = setting(
        "EVENTREG_MAIL_FROM",
        "",
        "Address that mails come from; without it, eventreg at the host of the public address.",
        kinds.mail_address,
    )
    trusted_proxies: int = setting(
        "EVENTREG_TRUSTED_PROXIES",
        "0",
        "How many proxies stand in front, one behind the other; with 0, what a proxy says of the "
        "guest is ignored.",
        kinds.count(0, 10),
    )
    proxy_addresses: tuple[Network, ...] = setting(
        "EVENTREG_PROXY_ADDRESSES",
        "127.0.0.0/8, ::1",
        "Addresses and networks of these proxies: what anybody else says of the guest counts for "
        "nothing.",
        kinds.networks,
    )
    metrics_token: str = setting(
        "EVENTREG_METRICS_TOKEN",
        "",
        "Word with which a monitor on another machine may read /readyz and /metrics; without it, "
        "only programs on this machine may.",
        kinds.secret,
    )
    ping_url: str = setting(
        "EVENTREG_PING_URL",
        "",
        "URL that is asked after each good backup; a watchdog elsewhere misses it.",
        kinds.any_url,
    )
    alarm_webhook: str = setting(
        "EVENTREG_ALARM_WEBHOOK",
        "",
        "URL that gets a JSON message when something turns red or green again.",
        kinds.any_url,
    )
    alarm_mail: tuple[str, ...] = setting(
        "EVENTREG_ALARM_MAIL",
        "",
        "Addresses, with commas, that get the same as a mail; needs EVENTREG_SMTP_URL.",
        kinds.mail_addresses,
    )
    workers: int = setting(
        "EVENTREG_WORKERS",
        "1",
        "Server processes; more than one needs EVENTREG_REDIS_URL, or EVENTREG_RATE_LIMITS=off.",
        kinds.count(1, 32),
    )
    threads: int = setting(
        "EVENTREG_THREADS",
        "8",
        "Threads of each server process.",
        kinds.count(1, 64),
    )
    log_format: str = setting(
        "EVENTREG_LOG_FORMAT",
        "",
        "How the log is written: json or text; without it, text on a terminal and json otherwise.",
        kinds.one_of("json", "text"),
    )
    host: str = setting("HOST", "127.0.0.1", "Where to listen.", kinds.host)
    port: int = setting("PORT", "8000", "Where to listen.", kinds.count(1, 65535))

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

    def is_local(self, host: str) -> bool:
        """Whether a Host header, without its port, names this machine itself, and not the public
        address."""
        own = {"127.0.0.1", "localhost", "::1", self.host.strip("[]")}
        return host.strip("[]").lower() in own

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
