"""Which files `make install-service` writes, and what stands in them."""

import re
from dataclasses import dataclass
from pathlib import Path

from script.installation.kept_files import File

SOURCE = Path(__file__).resolve().parent.parent.parent
SETTINGS = Path("/etc/eventreg/eventreg.env")
STATE = Path("/var/lib/eventreg")
CODE = Path("/opt/eventreg")
COMMAND = Path("/usr/local/bin/eventreg")
UNITS = Path("/etc/systemd/system")
CADDY, NGINX = Path("/etc/eventreg/Caddyfile"), Path("/etc/eventreg/nginx.conf")
MADE_AT_INSTALLATION = "(made at the installation)"
STARTED = ("eventreg.service", "eventreg-backup.timer", "eventreg-purge.timer")
_UNIT_FILES = (*STARTED, "eventreg-backup.service", "eventreg-purge.service")


@dataclass(frozen=True)
class Place:
    """Where guests reach the server."""

    domain: str
    port: str = "8000"


def settings_file(place: Place, key: str) -> File:
    """The settings of the service. ``key`` is the secret key; empty if the state folder has one."""
    line = f"EVENTREG_SECRET_KEY={key}" if key else "# The secret key is the file secret-key there."
    content = _shipped("eventreg.env").replace("@domain@", place.domain).replace("@secret@", line)
    return File(SETTINGS, content, mode=0o640, private=True)


def files(place: Place) -> list[File]:
    """All other files, in the order in which they are written."""
    return [
        File(Path("/etc/sysusers.d/eventreg.conf"), _shipped("sysusers.conf")),
        File(Path("/etc/systemd/journald.conf.d/eventreg.conf"), _shipped("journald.conf")),
        *(File(UNITS / name, unit(name)) for name in _UNIT_FILES),
        File(COMMAND, _shipped("eventreg.sh"), mode=0o755),
        File(CADDY, _proxy("Caddyfile", place)),
        File(NGINX, _proxy("nginx.conf", place)),
    ]


def unit(name: str) -> str:
    """A unit file, with the lines that the services share."""
    text = _shipped(f"systemd/{name}")
    for shared in ("program", "sandbox"):
        text = text.replace(f"@{shared}@\n", _shipped(f"systemd/{shared}.conf"))
    return text


def read_settings(text: str) -> dict[str, str]:
    """The settings in the text of such a file."""
    return dict(re.findall(r"^([A-Z_]+)=[\"']?(.*?)[\"']?\s*$", text, re.M))


def _proxy(name: str, place: Place) -> str:
    text = (SOURCE / "docs" / "proxies" / name).read_text()
    for shipped, ours in (
        ("register.example.org", place.domain),
        ("127.0.0.1:8000", f"127.0.0.1:{place.port}"),
        (f"/etc/ssl/{place.domain}.pem", f"/etc/letsencrypt/live/{place.domain}/fullchain.pem"),
        (f"/etc/ssl/{place.domain}.key", f"/etc/letsencrypt/live/{place.domain}/privkey.pem"),
    ):
        text = text.replace(shipped, ours)
    # The lines at the top tell how to install it by hand.
    return re.sub(r"\A(#.*\n)+", "# From `make install-service`.\n", text)


def _shipped(name: str) -> str:
    return (SOURCE / "deploy" / name).read_text()
