"""Prepare the database and run the server (`make run`).

The first start also applies the shipped event and prints a link for the first organiser.
"""

import logging
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from threading import Event, Thread
from types import FrameType

from flask import Flask

from eventreg import background
from eventreg.app import create_app
from eventreg.core import audit
from eventreg.core.errors import first_line
from eventreg.core.event import event_file, events
from eventreg.core.organising import applying
from eventreg.core.registration import sent_forms
from eventreg.core.staff import accounts
from eventreg.server import listener
from eventreg.server.processes import Family, Job
from eventreg.settings import ROOT, Settings, SettingsInvalid, read
from eventreg.storage.checks import Unsafe, check_key, make_tables, require_usable_database
from eventreg.storage.session import AWAY, alone, close, reading, transaction
from eventreg.web.limits import limits
from eventreg.web.public import outage_page

SHIPPED = ROOT / "events" / "june-10-self-care.toml"


def main() -> None:
    """Start the server, or exit with one line for each fault."""
    os.umask(0o077)  # everything written here is about people
    signal.signal(signal.SIGTERM, _stop)
    try:
        settings = read(os.environ)
    except SettingsInvalid as invalid:
        sys.exit("\n".join(invalid.faults))
    app = create_app(settings)
    # First of all: if the port is taken, the link that is made only once must not be lost.
    listening = _listen(settings)
    try:
        limits.check(app)
        link = prepare(app)
    except (Unsafe, limits.Unreachable, *AWAY) as refused:
        sys.exit(_reason(refused))
    finally:
        close(app)  # forked processes must not share a connection
    announce(settings, link)
    Family(_jobs(app, listening, settings), app.logger, on_stop=listening.close).run()
    listening.close()


def _jobs(app: Flask, listening: socket.socket, settings: Settings) -> list[Job]:
    """The jobs of this server's processes: answer requests, run background jobs, send mails."""

    def answer(lifeline: int) -> None:
        server = listener.serve(app, listening, settings, lifeline)
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        server.run()

    jobs = [
        Job(f"server {number + 1}", _closing(app, answer)) for number in range(settings.workers)
    ]
    jobs.append(Job("housekeeping", _beside(app, listening, background.HOUSEKEEPING)))
    if settings.smtp_url:
        jobs.append(Job("mail sender", _beside(app, listening, [background.SEND_MAILS])))
    return jobs


def _closing(app: Flask, work: Callable[[int], None]) -> Callable[[int], None]:
    def closed_afterwards(lifeline: int) -> None:
        try:
            work(lifeline)
        finally:
            close(app)

    return closed_afterwards


def _beside(
    app: Flask, listening: socket.socket, jobs: Sequence[background.Job]
) -> Callable[[int], None]:
    """Background jobs in a process beside the server, until a signal or the end of the parent."""

    def beside(lifeline: int) -> None:
        listening.close()
        stop = background.stop_event()
        Thread(target=_set_when_closed, args=(lifeline, stop), daemon=True).start()
        background.run(app, jobs, stop)

    return _closing(app, beside)


def _set_when_closed(lifeline: int, stop: Event) -> None:
    select.select([lifeline], [], [])  # readable when the parent, which has the other end, is gone
    stop.set()


def _reason(refused: Exception) -> str:
    """The reason for not starting, in one line."""
    if isinstance(refused, AWAY):
        return f"EVENTREG_DATABASE_URL: the database cannot be asked: {first_line(refused)}"
    return str(refused)


def say(line: str) -> None:
    """Print a line for the person who started the server."""
    print(line, flush=True)  # noqa: T201 - this is a program's own output


def announce(settings: Settings, link: str | None) -> None:
    """Print the address, and at the first start the organiser's link, alone on its line."""
    say(f"eventreg is ready: {settings.public_url}")
    if settings.on_this_machine_only and settings.listens_everywhere:
        say(
            "EVENTREG_PUBLIC_URL is not set: links, QR codes and mails lead to an address "
            "that opens on this machine only."
        )
    if link:
        say(
            "The first organiser opens this link once, within a day, "
            "and chooses a name and a password:"
        )
        say(f"{settings.public_url}/staff/welcome/{link}")


def prepare(app: Flask) -> str | None:
    """Bring the database up to date and, at the first start, apply the shipped event. Returns the
    first organiser's token, if there is one to print."""
    clock = app.extensions["clock"]
    with app.app_context():
        require_usable_database()
        make_tables()
        check_key()
        with alone(), transaction() as session:
            sent_forms.drop_old(session, now=clock())
            if not events.all_events(session):
                shipped = event_file.parse(SHIPPED.read_text(encoding="utf-8"), SHIPPED.name)
                applying.apply(session, shipped, by=audit.SYSTEM, now=clock())
            link = accounts.first_link(session, now=clock())
        outage_page.write()
        if link is None and not accounts.has_organiser(reading()):
            say("There is no organiser yet. For a new link: .venv/bin/flask --app wsgi staff link")
    return link


def _raise_file_limit() -> None:
    """Allow enough open files: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = listener.MOST_CONNECTIONS + 400
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE,
            (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard),
        )


def _listen(settings: Settings) -> socket.socket:
    """The listening socket, which all processes share."""
    logging.getLogger("waitress").setLevel(logging.WARNING)
    _raise_file_limit()
    try:
        return listener.listen(settings.host, settings.port)
    except OSError as error:
        host = settings.host.strip("[]")
        sys.exit(
            f"HOST, PORT: cannot listen on {host} port {settings.port}: "
            f"{os.strerror(error.errno or 0)}"
        )


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
