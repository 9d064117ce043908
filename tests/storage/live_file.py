"""A database file under running servers: what is in it, who books into it, and what is logged."""

import http.client
import sqlite3
import subprocess
import urllib.parse
from contextlib import closing
from pathlib import Path

from tests.support.factories import SECRET
from tests.support.forked.programs import flask
from tests.support.servers import Server
from tests.support.tokens import another

REGISTER = "/zh/events/small/register"
KEY = {"EVENTREG_SECRET_KEY": SECRET}


def copy_of(place: Path, to: Path) -> Path:
    """A sound copy of the database as it is now."""
    with (
        closing(sqlite3.connect(place / "eventreg.sqlite3")) as live,
        closing(sqlite3.connect(to)) as copy,
    ):
        live.backup(copy)
    return to


def people_in(file: Path) -> set[str]:
    """The names in the file, as another program reads them."""
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {row[0] for row in database.execute("SELECT name FROM attendees")}


def book(server: Server, form: dict[str, str], number: int) -> tuple[int, dict[str, str], str]:
    """Register one person. Returns status, headers and page."""
    typed = {"name": f"王{number}号", "phone": f"138{number:08d}", "confirmed": "yes"}
    place = urllib.parse.urlsplit(server.address)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request(
        "POST", REGISTER, urllib.parse.urlencode({**another(form, number), **typed}), kind
    )
    answer = connection.getresponse()
    said = answer.status, dict(answer.headers), answer.read().decode()
    connection.close()
    return said


def log_of(place: Path) -> str:
    """The logs of all servers on this folder."""
    return "".join(file.read_text() for file in place.parent.glob("*.log"))


def command(place: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a process of its own, beside the server."""
    return flask(place, *words, **KEY)
