"""Run the programs that come with PostgreSQL: ``pg_dump``, ``pg_restore`` and ``psql``."""

import os
import re
import subprocess
from pathlib import Path

from sqlalchemy import URL

from eventreg.core.backups.faults import BackupRefused, DiskFault


def run(program: str, *arguments: str, url: URL) -> str:
    """Run one of the programs on the database of ``url``, and return what it printed.

    The password is passed in the environment, so that no list of processes shows it. Raises
    ``BackupRefused``.
    """
    url = url.set(drivername="postgresql")
    target = () if program == "pg_restore" else ("--dbname", _bare(url))
    try:
        done = subprocess.run(  # noqa: S603 - no shell, our own arguments
            [program, *arguments, *target],
            env={**os.environ, "PGPASSWORD": url.password or "", "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as missing:
        raise BackupRefused(
            f"{program} is not installed; it comes with PostgreSQL's client programs",
            "tool-missing",
        ) from missing
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["failed"])[0]
        is_full = "No space left on device" in done.stderr
        raise BackupRefused(f"{program}: {said}", DiskFault.FULL if is_full else "tool-failed")
    return done.stdout


def _bare(url: URL) -> str:
    return url.set(password=None).render_as_string(hide_password=False)


_COPY = re.compile(rb'COPY (?:\w+\.)?"?(\w+)"? \(')
"""The line before the rows of a table in a dump; such a row is one line."""


def count_rows(dump: Path) -> dict[str, int]:
    """The rows of each table in a dump, by reading all of it. It needs no server."""
    counts: dict[str, int] = {}
    table = ""
    with subprocess.Popen(  # noqa: S603 - no shell, our own arguments
        ["pg_restore", "--data-only", "--file=-", str(dump)],  # noqa: S607 - as above
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as reading:
        for line in reading.stdout or ():
            if table:
                if line == b"\\.\n":
                    table = ""
                else:
                    counts[table] += 1
            elif begun := _COPY.match(line):
                table = begun[1].decode()
                counts[table] = 0
    if reading.returncode:
        raise BackupRefused("pg_restore: the dump cannot be read to its end")
    return counts
