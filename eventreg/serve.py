"""`make run`: everything ready, then a real server. The first start also applies the shipped event and makes a link for
the first organiser."""

import logging
import os
import resource
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

import waitress
from flask import Flask

from eventreg.app import create_app
from eventreg.clock import utc_now
from eventreg.core import audit, event_file, events, form_keys, staff
from eventreg.db import AWAY, alone, close, reading, transaction
from eventreg.housekeeping import keep_house
from eventreg.settings import CLOCK_SINCE, ROOT, Settings, SettingsInvalid, read
from eventreg.storage import Unsafe, check, check_key, make_tables
from eventreg.web import limits, trouble

SHIPPED = ROOT / "events" / "june-10-self-care.toml"
_CONNECTIONS = 1000
"""How many may be open at once. Waitress reads a whole request before a thread sees it, so half a request costs memory
and nobody's turn."""


def main() -> None:
    """Start, or stop with one line for each fault."""
    os.umask(0o077)  # everything written here is about people
    try:
        settings = read(os.environ)
    except SettingsInvalid as invalid:
        sys.exit("\n".join(invalid.faults))
    if settings.clock and not settings.clock_since:
        settings = replace(settings, clock_since=utc_now())
    app = create_app(settings)
    # The address first: a port that is taken must not cost the link that is printed only once.
    server = _listen(app, settings)
    try:
        limits.check(app)
        link = prepare(app)
    except (Unsafe, limits.Unreachable, *AWAY) as refused:
        if server is not None:
            server.close()
        close(app)
        sys.exit(_why(refused))
    announce(settings, link)
    beside = [_start_beside(settings, "outbox", "deliver")] if settings.smtp_url else []
    if server is None:
        beside.append(_start_beside(settings, "purge"))
        close(app)
        _become_granian(settings)
    else:
        Thread(target=keep_house, args=(app,), daemon=True).start()
        server.run()  # ends what is running when it is told to stop
        server.close()
        close(app)
        for program in beside:
            program.terminate()
            program.wait()  # for the mail in hand


def _why(refused: Exception) -> str:
    """In one line."""
    if isinstance(refused, AWAY):
        cause = str(refused.__cause__ or refused).splitlines()[0]
        return f"EVENTREG_DATABASE_URL: the database cannot be asked: {cause}"
    return str(refused)


def say(line: str) -> None:
    """To whoever started the server."""
    print(line, flush=True)  # noqa: T201 - this is a program's own output


def announce(settings: Settings, link: str | None) -> None:
    """Where we are, and the first time, how to get in; the link stands alone on its line."""
    say(f"eventreg is ready: {settings.public_url}")
    if link:
        say("The first organiser opens this link once, within a day, and chooses a name and a password:")
        say(f"{settings.public_url}/staff/welcome/{link}")


def prepare(app: Flask) -> str | None:
    """Bring the database up to date and, the first time, put the shipped event in. Returns the first organiser's token."""
    clock = app.extensions["clock"]
    with app.app_context():
        check()
        make_tables()
        check_key()
        with alone(), transaction() as session:
            form_keys.drop_old(session, now=clock())
            if not events.all_events(session):
                shipped = event_file.parse(SHIPPED.read_text(encoding="utf-8"), SHIPPED.name)
                events.apply(session, shipped, by=audit.SYSTEM, now=clock())
            link = staff.first_link(session, now=clock())
        trouble.write()
        if link is None and not staff.any_organiser(reading()):
            say("There is no organiser yet. For a new link: .venv/bin/flask --app wsgi staff link")
    return link


def _raise_file_limit() -> None:
    """Each connection is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS + 200
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


def _listen(app: Flask, settings: Settings) -> Any:
    """A waitress that listens and does not answer yet; ``None`` where granian will, once the port is known to be free."""
    host, port = settings.host.strip("[]"), settings.port
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a rush is no fault
    signal.signal(signal.SIGTERM, _stop)
    _raise_file_limit()
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass  # free; asked first, since neither server tidies up after itself where it is not
        if settings.workers > 1:
            return None
        return waitress.create_server(
            app,
            host=host,
            port=port,
            threads=settings.threads,
            connection_limit=_CONNECTIONS,
            asyncore_use_poll=True,
            channel_timeout=30,
            cleanup_interval=5,
            max_request_header_size=8 * 1024,
            max_request_body_size=4 * 1024 * 1024,
            ident=None,
        )
    except OSError as error:
        sys.exit(f"HOST, PORT: cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}")


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _environment(settings: Settings) -> dict[str, str]:
    """For programs that we start: they share our clock."""
    if settings.clock and settings.clock_since:
        return {**os.environ, CLOCK_SINCE: settings.clock_since.isoformat()}
    return dict(os.environ)


def _start_beside(settings: Settings, *command: str) -> subprocess.Popen[bytes]:
    """One process beside the server, such as the one that sends the mails; it ends when we do."""
    flask = Path(sys.executable).with_name("flask")
    return subprocess.Popen(  # noqa: S603 - our own program, no shell
        [str(flask), "--app", "wsgi", *command, "--forever", "--with-parent"],
        cwd=ROOT, env=_environment(settings),
    )  # fmt: skip


def _become_granian(settings: Settings) -> None:
    """Several processes behind one address; the options keep it alive when a worker dies (PERFORMANCE.md)."""
    environment = {"GRANIAN_LOG_LEVEL": "warning", **_environment(settings)}
    granian = Path(sys.executable).with_name("granian")
    os.chdir(ROOT)
    os.execve(  # noqa: S606 - our own program, no shell
        granian,
        [
            str(granian), "--interface", "wsgi", "--host", settings.host, "--port", str(settings.port),
            "--workers", str(settings.workers), "--blocking-threads", str(settings.threads),
            "--respawn-failed-workers", "--respawn-interval", "0.1", "--workers-kill-timeout", "30",
            "--http1-header-read-timeout", "10000", "--no-ws", "wsgi:app",
        ],
        environment,
    )  # fmt: skip


if __name__ == "__main__":
    main()
