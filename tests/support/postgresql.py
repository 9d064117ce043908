"""A temporary PostgreSQL cluster from Debian's packages. It is as durable as in production and
listens only on a socket in its folder."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

BINARIES = max(
    Path("/usr/lib/postgresql").glob("*/bin"),
    key=lambda path: int(path.parent.name),
    default=Path(),
)
USER = "postgres" if os.getuid() == 0 else None
"""The user that runs PostgreSQL if the tests run as root, because it refuses to run as root."""
CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 60
shared_buffers = 32MB
max_wal_size = 256MB
logging_collector = off
deadlock_timeout = 200ms
"""


class Cluster:
    """One server with its own folder. ``url`` is the address of one of its databases."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="eventreg-pg-"))
        self._asked: psycopg.Connection | None = None
        if USER:
            shutil.chown(self.folder, USER)
        self._program(
            "initdb",
            "-D",
            self.data,
            "--auth=trust",
            "--username=eventreg",
            "--encoding=UTF8",
            "--no-locale",
        )
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION.format(folder=self.folder))
        self.start()

    @property
    def data(self) -> Path:
        """Where the server keeps its files."""
        return self.folder / "data"

    def _program(self, name: str, *arguments: str | Path) -> str:
        done = subprocess.run(
            [BINARIES / name, *arguments],
            user=USER,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        # Its output goes to a file, so that the server does not keep our pipes open.
        subprocess.run(
            [BINARIES / "pg_ctl", "-D", self.data, "-w", "-s", "-l", self.folder / "log", "start"],
            user=USER,
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def crash(self) -> None:
        """Stop as in a crash: without a checkpoint, with every connection cut."""
        self._hang_up()
        self._program("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def destroy(self) -> None:
        """Stop the server and delete its folder."""
        self._hang_up()
        subprocess.run(
            [BINARIES / "pg_ctl", "-D", self.data, "-m", "immediate", "stop"],
            user=USER,
            cwd=self.folder,
            check=False,
            capture_output=True,
        )
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """The address of one database, as a setting."""
        return f"postgresql+psycopg://eventreg@/{database}?host={self.folder}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement with psql."""
        return self._program(
            "psql", "-h", self.folder, "-U", "eventreg", "-qAtX", "-c", statement, database
        ).strip()

    def create(self, name: str, template: str = "template0") -> str:
        """Create a database. Returns its address."""
        # Copying the files takes less time than writing each page into the log. Before version 15
        # that is the only way, and has no name.
        how = "STRATEGY FILE_COPY" if int(BINARIES.parent.name) >= 15 else ""
        self._ask(f"CREATE DATABASE {name} TEMPLATE {template} {how}")
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database, even if it has connections."""
        self._ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _ask(self, statement: str) -> None:
        """Run a statement on a connection that stays open, which is faster than psql."""
        if self._asked is None:
            self._asked = psycopg.connect(
                host=str(self.folder), user="eventreg", dbname="postgres", autocommit=True
            )
        self._asked.execute(statement.encode())

    def _hang_up(self) -> None:
        if self._asked:
            self._asked.close()
        self._asked = None
