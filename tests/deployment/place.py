"""A whole deployment: a proxy with a certificate, a server with two processes, its database, Redis;
and a browser that trusts the authority of the certificate."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from tests.support import proxies, redis
from tests.support.chromium import launched
from tests.support.factories import SECRET, House, toml
from tests.support.postgresql import Cluster
from tests.support.proxies import SHIPPED_NAME, Proxy
from tests.support.servers import Server, free_port, processes_of, running

MORNING = "2030-06-10T08:46:00+08:00"
UNTIL_THE_START = "[registration]\ncloses_at = 09:00:00"
FRONTS = {"nginx": proxies.nginx, "caddy": proxies.caddy}


@dataclass
class Deployment:
    """All of it, and the folder of the instance. ``database_dies`` has the database die and come
    back."""

    proxy: Proxy
    server: Server
    folder: Path
    environment: dict[str, str]
    database_dies: Callable[[], None]

    @property
    def address(self) -> str:
        """The public address."""
        return self.proxy.address

    def a_process_dies(self) -> None:
        """The first process of the server is killed. Its parent starts it again."""
        os.kill(processes_of(self.server)[0], signal.SIGKILL)

    def proxy_restarts(self) -> None:
        """The proxy is stopped, which may cut connections, and started again."""
        self.proxy.stop()
        self.proxy.start()


@contextmanager
def deployed(
    front: str, folder: Path, database: str, cluster: Cluster | None, capacity: int
) -> Iterator[Deployment]:
    """A deployment with one event and no account yet, behind that proxy, on a PostgreSQL or on one
    file in ``folder``."""
    port, behind = free_port(), free_port()
    with redis.running() as (url, _):
        environment = {
            "EVENTREG_SECRET_KEY": SECRET,
            "EVENTREG_REDIS_URL": url,
            "EVENTREG_RATE_LIMITS": "on",
            "EVENTREG_PUBLIC_URL": f"https://{SHIPPED_NAME}:{port}",
            "EVENTREG_TRUSTED_PROXIES": "1",
            "EVENTREG_METRICS_TOKEN": "the-word-of-the-monitor",
            **({"EVENTREG_DATABASE_URL": database} if database else {}),
        }
        house = House(folder, **environment)
        with house.app.app_context():
            house.apply(toml(capacity=capacity, more=UNTIL_THE_START))
        house.close()
        told = {"EVENTREG_WORKERS": "2", "EVENTREG_CLOCK": MORNING, "PORT": str(behind)}
        with (
            running(folder, **environment, **told) as server,
            FRONTS[front](folder / front, port, behind) as proxy,
        ):
            proxy.name = SHIPPED_NAME

            def database_dies() -> None:
                if cluster:
                    cluster.crash()
                    cluster.start()
                else:
                    for process in processes_of(server):
                        os.kill(process, signal.SIGKILL)

            yield Deployment(proxy, server, folder, environment, database_dies)


@contextmanager
def trusting(chromium: Browser, proxy: Proxy, home: Path) -> Iterator[Browser]:
    """A Chromium whose user has added the authority of the proxy's certificate, and whose name
    server leads to this machine. It accepts no other certificate."""
    kept = home / ".pki" / "nssdb"
    kept.mkdir(parents=True)
    where = f"sql:{kept}"
    subprocess.run(["certutil", "-d", where, "-N", "--empty-password"], check=True)
    added = ("-A", "-n", "test authority", "-t", "C,,", "-i", str(proxy.folder / "authority.pem"))
    subprocess.run(["certutil", "-d", where, *added], check=True)
    started = launched(
        chromium.browser_type,
        f"--host-resolver-rules=MAP {SHIPPED_NAME} 127.0.0.1",
        env={**os.environ, "HOME": str(home)},
    )
    try:
        yield started
    finally:
        started.close()
