"""A real nginx or Caddy in front of a server, with the configuration in docs/proxies."""

import os
import re
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

import trustme

from tests.logs import canaries
from tests.support.factories import ROOT

SHIPPED = ROOT / "docs" / "proxies"
NAME = "localhost"
SHIPPED_NAME = "register.example.org"
"""The name in the shipped configurations. The proxies of the tests answer to both."""


@dataclass
class Answer:
    """An answer through the proxy."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    text: str


@dataclass
class Proxy:
    """A proxy that listens on ``port``."""

    port: int
    trust: ssl.SSLContext
    folder: Path
    command: list[str]
    name: str = NAME

    @property
    def address(self) -> str:
        """Its address, as guests type it."""
        return f"https://{self.name}:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_DATA_HOME": str(self.folder / "data"),
        }
        with (self.folder / "output.log").open("a") as out:
            self._process = subprocess.Popen(self.command, env=environment, stdout=out, stderr=out)
        deadline = time.monotonic() + 60
        while not _listens(self):
            assert self._process.poll() is None and time.monotonic() < deadline, self.log()

    def stop(self) -> None:
        """Stop it. It may cut connections."""
        self._process.terminate()
        self._process.wait(20)

    def ask(
        self,
        method: str,
        path: str,
        *,
        source: str = "127.0.0.1",
        body: str | None = None,
        **headers: str,
    ) -> Answer:
        """Send one request. ``source`` is the address it comes from."""
        connection = HTTPSConnection(
            NAME, self.port, timeout=30, context=self.trust, source_address=(source, 0)
        )
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"Host": f"{self.name}:{self.port}", **given}
        if body is not None:
            given |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.address}
        with closing(connection):
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            text = answer.read().decode()
        cookies = answer.headers.get_all("Set-Cookie") or []
        return Answer(answer.status, dict(answer.headers.items()), cookies, text)

    def log(self) -> str:
        """The text of all its logs."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))


Running = Callable[..., AbstractContextManager[Proxy]]


def certificate(folder: Path) -> ssl.SSLContext:
    """Make a certificate for both names in a folder. Returns the trust in its authority."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    made = authority.issue_cert(NAME, SHIPPED_NAME)
    made.private_key_pem.write_to_path(folder / "key.pem")
    for number, part in enumerate(made.cert_chain_pems):
        part.write_to_path(folder / "certificate.pem", append=number > 0)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return trust


def _changed(text: str, *changes: tuple[str, str]) -> str:
    """The shipped configuration with the names, paths and ports of a test. Fails if a pattern is
    not found."""
    for pattern, replacement in changes:
        text, found = re.subn(pattern, replacement, text)
        assert found, pattern
    return text


@contextmanager
def _started(command: list[str], folder: Path, port: int, trust: ssl.SSLContext) -> Iterator[Proxy]:
    proxy = Proxy(port, trust, folder, command)
    try:
        proxy.start()
        yield proxy
    finally:
        proxy.stop()
        for file in folder.glob("*.log"):
            canaries.keep(file)


def _listens(proxy: Proxy) -> bool:
    try:
        return proxy.ask("GET", "/favicon.ico").status > 0
    except OSError:
        return False


@contextmanager
def nginx(folder: Path, port: int, *behind: int) -> Iterator[Proxy]:
    """Debian's nginx with the shipped configuration. It listens on ``port`` and forwards to
    the servers ``behind``."""
    servers = " ".join(f"server 127.0.0.1:{one};" for one in behind)
    folder.mkdir()
    trust = certificate(folder)
    server = _changed(
        (SHIPPED / "nginx.conf").read_text(),
        (r"listen 80;", f"listen unix:{folder}/port-80;"),
        (r"listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        (r"(register\.example\.org);", rf"{NAME} \1;"),
        (r"/etc/ssl/register\.example\.org\.pem", f"{folder}/certificate.pem"),
        (r"/etc/ssl/register\.example\.org\.key", f"{folder}/key.pem"),
        (r"/var/log/nginx/", f"{folder}/"),
        (r"server 127\.0\.0\.1:8000;", servers),
    )
    kept = "".join(
        f"{what}_temp_path {folder}/{what};"
        for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log crit; worker_processes 1;\n"
        f"events {{ worker_connections 512; }}\nhttp {{ {kept} access_log off;\n{server}\n}}\n"
    )
    for opened in (folder, *folder.parents):
        if opened.is_relative_to(folder.parents[2]) and os.getuid() == 0:
            opened.chmod(0o755)  # nginx started by root runs its workers as another user
    with _started(["nginx", "-p", str(folder), "-c", "nginx.conf"], folder, port, trust) as proxy:
        yield proxy


@contextmanager
def caddy(folder: Path, port: int, *behind: int) -> Iterator[Proxy]:
    """Debian's Caddy with the shipped configuration for one server or for two. It listens on
    ``port`` and forwards to the servers ``behind``."""
    folder.mkdir()
    trust = certificate(folder)
    names = ", ".join(f"{name}:{port}" for name in (NAME, SHIPPED_NAME))
    own = f"{names} {{\n\ttls {folder}/certificate.pem {folder}/key.pem"
    if len(behind) == 1:
        site = _changed(
            (SHIPPED / "Caddyfile").read_text(),
            (r"(?m)^register\.example\.org \{", own),
            (r"/var/log/caddy/", f"{folder}/"),
            (r"127\.0\.0\.1:8000", f"127.0.0.1:{behind[0]}"),
        )
    else:
        site = _changed(
            (ROOT / "deploy" / "two-machines" / "Caddyfile").read_text(),
            (r"(?m)^\{\$DOMAIN\} \{", own),
            (r"Host \{\$DOMAIN\}", f"Host {NAME}"),
            *((f"eventreg-{n}:8000", f"127.0.0.1:{one}") for n, one in enumerate(behind, 1)),
        )
    (folder / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https off\n}\n" + site)
    command = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with _started(command, folder, port, trust) as proxy:
        yield proxy
