"""Prepare the database and run the server (`make run`).

If there is no event, it also applies the shipped one. If there is no account, it prints a link for
the first organiser.
"""

import hmac
import logging
import os
import resource
import select
import signal
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from threading import Event, Thread
from types import FrameType

from flask import Flask

from eventreg import background, log
from eventreg.app import create_app
from eventreg.commands.refusing import OF_DATABASE, TROUBLE, reason
from eventreg.core import audit
from eventreg.core.errors import SeatsRaced
from eventreg.core.event import event_file, events
from eventreg.core.organising import applying
from eventreg.core.registration import sent_forms
from eventreg.core.staff import accounts
from eventreg.operations import watchdog
from eventreg.server import listener, sd_notify
from eventreg.server.doorkeeper import Doorkeeper, HandOver
from eventreg.server.processes import ChildJob, Family
from eventreg.server.tally import Tally
from eventreg.settings.reading import SettingsInvalid, read
from eventreg.settings.table import ROOT, Settings
from eventreg.storage.checks import check_key, make_tables, require_usable_database
from eventreg.storage.session import Session, alone, close, reading, write
from eventreg.version import VERSION
from eventreg.web import health
from eventreg.web.limits import limits
from eventreg.web.public import outage_page

_stop_asked = Event()
SHIPPED = ROOT / "events" / "june-10-self-care.toml"


def main(words: Sequence[str] = ()) -> None:
    """Start the server, or exit with one line for each fault. ``words`` are those of the command
    line."""
    os.umask(0o077)  # everything written here is about people
    signal.signal(signal.SIGTERM, _stop)
    try:
        settings = read(_environment(words))
        app = create_app(settings)
    except SettingsInvalid as invalid:
        sys.exit("\n".join(invalid.faults))
    except OSError as error:  # the instance folder
        sys.exit(reason(error))
    log.catch_all()
    # First of all: if the port is taken, the link that is made only once must not be lost.
    listening = _listen(settings)
    try:
        with (
            Doorkeeper(health.closed(settings, "starting"), listening, settings.proxies),
            sd_notify.starting("The database is brought up to date."),
        ):
            limits.check(app)
            link = prepare(app)
    except (limits.Unreachable, event_file.DefinitionInvalid, *TROUBLE) as refused:
        sys.exit(_line(refused))
    finally:
        close(app)  # forked processes must not share a connection
    if _stop_asked.is_set():
        sys.exit(0)
    announce(settings, link)
    log.event(
        "started",
        version=VERSION,
        settings=_fingerprint(settings, app),
        workers=settings.workers,
    )
    _run(app, listening, settings)
    listening.close()
    log.event("stopped")


def _environment(words: Sequence[str]) -> dict[str, str]:
    """The environment, with what was said on the command line."""
    given = ArgumentParser(prog="python -m eventreg.serve", description="Run the server.")
    given.add_argument("--log-format", choices=log.FORMATS, help="How the log is written.")
    said = given.parse_args(words).log_format
    return {**os.environ, **({"EVENTREG_LOG_FORMAT": said} if said else {})}


def _fingerprint(settings: Settings, app: Flask) -> str:
    """A hash of all settings: whoever compares two starts sees whether they were changed. It is
    made with the secret key, so that no password in it can be guessed."""
    key: str = app.config["SECRET_KEY"]
    return hmac.new(key.encode(), repr(settings).encode(), "sha256").hexdigest()[:12]


def _run(app: Flask, listening: socket.socket, settings: Settings) -> None:
    """Serve until a signal, and answer monitors until the last process has ended."""
    handover = HandOver()
    doorkeeper = Doorkeeper(
        health.closed(settings, "stopping"), listening, settings.proxies, handover.wait
    )

    def on_stop() -> None:
        log.event("stopping")
        handover.leave()
        doorkeeper.start()
        sd_notify.tell("STOPPING=1", "STATUS=Requests that arrived are answered.")

    jobs = _jobs(app, listening, settings, handover)
    Family(jobs, on_stop).run()
    doorkeeper.stop()


def _jobs(
    app: Flask, listening: socket.socket, settings: Settings, handover: HandOver
) -> list[ChildJob]:
    """The jobs of this server's processes: answer requests, run background jobs, send mails."""

    def answer(lifeline: int) -> None:
        log.buffer()
        server = listener.serve(
            app, listening, settings, at_once={health.LIVE}, on_closed=handover.leave
        )
        app.extensions["is_stopping"] = lambda: server.is_stopping
        server.watch(lifeline)
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        server.run()

    def leave() -> None:
        listening.close()
        handover.leave()

    jobs = [
        ChildJob(f"server {number + 1}", _closing(app, answer))
        for number in range(settings.workers)
    ]
    beside = [*background.HOUSEKEEPING, *([background.BACK_UP] if settings.backups else [])]
    if settings.ping_url or settings.alarm_webhook or settings.alarm_mail:
        beside.append(background.WATCH)
    jobs.append(ChildJob("housekeeping", _beside(app, leave, beside)))
    if settings.smtp_url:
        jobs.append(ChildJob("mail sender", _beside(app, leave, [background.SEND_MAILS])))
    if sd_notify.is_asked():
        feed = watchdog.Watchdog(settings)
        job = background.Job("watchdog", feed.tell, feed.pause, "the watchdog is not fed")
        jobs.append(ChildJob("watchdog", _beside(app, leave, [job])))
    return [_counted(app, row, job) for row, job in enumerate(jobs, start=1)]


def _counted(app: Flask, row: int, job: ChildJob) -> ChildJob:
    """The same job, whose process counts in a row of its own."""
    tally: Tally = app.extensions["tally"]

    def work(lifeline: int) -> None:
        tally.use_row(row)
        job.work(lifeline)

    return replace(job, work=work)


def _closing(app: Flask, work: Callable[[int], None]) -> Callable[[int], None]:
    def closed_afterwards(lifeline: int) -> None:
        try:
            work(lifeline)
        finally:
            close(app)

    return closed_afterwards


def _beside(
    app: Flask, leave: Callable[[], None], jobs: Sequence[background.Job]
) -> Callable[[int], None]:
    """Background jobs in a process beside the server, until a signal or the end of the parent."""

    def beside(lifeline: int) -> None:
        leave()
        stop = background.stop_event()
        Thread(target=_set_when_closed, args=(lifeline, stop), daemon=True).start()
        background.run(app, jobs, stop)

    return _closing(app, beside)


def _set_when_closed(lifeline: int, stop: Event) -> None:
    select.select([lifeline], [], [])  # readable when the parent, which has the other end, is gone
    stop.set()


def _line(refused: Exception) -> str:
    """The reason for not starting, in one line; a shipped event that is wrong has one for each
    mistake."""
    setting = "EVENTREG_DATABASE_URL: " if isinstance(refused, OF_DATABASE) else ""
    return setting + reason(refused)


def say(line: str) -> None:
    """Print a line for the person who started the server."""
    print(line, flush=True)  # noqa: T201 - this is a program's own output


def announce(settings: Settings, link: str | None) -> None:
    """Print the address, and at the first start the organiser's link, alone on its line."""
    say(f"eventreg is ready: {settings.public_url} (version {VERSION})")
    if settings.on_this_machine_only and settings.smtp_url:
        say("EVENTREG_PUBLIC_URL is not set: mails would link to an address on this machine only.")
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
    """Bring the database up to date, and apply the shipped event if there is none. Returns the
    first organiser's token if no account and no link exists yet.

    Raises one of ``TROUBLE``, or ``DefinitionInvalid``, if the server must not start.
    """
    clock = app.extensions["clock"]
    with app.app_context():
        require_usable_database()
        make_tables()
        check_key()
        with alone():
            link = write(lambda session: _prepare(session, clock()))
        outage_page.write()
        if link is None and not accounts.has_organiser(reading()):
            say("There is no organiser yet. For a new link: .venv/bin/flask --app wsgi staff link")
    return link


def _prepare(session: Session, now: datetime) -> str | None:
    """The rows of a first start. It may run twice: on PostgreSQL, a command may apply the same
    event meanwhile."""
    sent_forms.drop_old(session, now=now)
    if not events.all_events(session):
        shipped = event_file.parse(SHIPPED.read_text(encoding="utf-8"), SHIPPED.name)
        if not applying.apply(session, shipped, by=audit.SYSTEM, now=now).created:
            raise SeatsRaced  # a command has just applied the event; it stays as it is
    return accounts.first_link(session, now=now)


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
    """Stop a start. What this raises is lost if it happens to hit a finalizer, so it is noted as
    well."""
    _stop_asked.set()
    raise SystemExit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
