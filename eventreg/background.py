"""Background jobs that run at intervals, in a process beside the server or from a command.

No job releases the seats of people who have not come: a person does that.
"""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

from flask import Flask

from eventreg.app_clock import current_time
from eventreg.clock import stopwatch
from eventreg.core.desk import bursts
from eventreg.core.errors import Busy, first_line
from eventreg.core.registration import sent_forms
from eventreg.core.staff import known_browsers, sessions
from eventreg.mail.sender import Unreachable, deliver_due
from eventreg.operations import forgetting
from eventreg.operations.backing_up import running
from eventreg.operations.forgetting import Purged
from eventreg.storage.session import AWAY, Session, reading, write


@dataclass(frozen=True)
class Job:
    """One job and its interval."""

    name: str
    act: Callable[[], object]
    seconds: float
    """The pause after the job, in seconds, before it runs again."""
    delayed: str
    """The log line for when the job could not be done."""


def purge() -> Purged:
    """Erase personal data whose retention period has ended, and everyone that a restore brought
    back. Delete outdated rows and old automatic backups.

    Raises ``Busy`` or one of ``AWAY``. An event that fails is named in the result.
    """
    now = current_time()

    def drop_old(session: Session) -> None:
        for kind in (
            sent_forms.drop_old,
            known_browsers.drop_old,
            sessions.drop_ended,
            bursts.drop_old,
        ):
            kind(session, now=now)

    write(drop_old)
    return forgetting.catch_up(now=now)


def drop_unfinished() -> None:
    """Delete what guests typed more than half an hour ago and did not confirm."""
    now = current_time()
    if sent_forms.has_old_unfinished(reading(), now=now):
        write(lambda session: sent_forms.drop_old_unfinished(session, now=now))
    reading().rollback()


def back_up() -> None:
    """Make the backup that is due, and what follows from it. Raises one of ``AWAY``."""
    running.run(now=current_time())


PURGE = Job("purge", purge, 60 * 60, "personal data was not erased; next try in an hour")
SCRUB = Job(
    "scrub", forgetting.finish_scrubbing, 60, "files were not scrubbed; next try in a minute"
)
"""Scrubs the database's files if that could not be done right after an erasure."""
UNFINISHED = Job("unfinished forms", drop_unfinished, 60, "unfinished forms wait a minute")
SEND_MAILS = Job("mail sender", deliver_due, 5, "mails wait")
BACK_UP = Job("backup", back_up, 60, "no backup was looked for; next try in a minute")
HOUSEKEEPING = (PURGE, SCRUB, UNFINISHED)


def run(app: Flask, jobs: Sequence[Job], stop: Event) -> None:
    """Run each job now and again after its pause, until ``stop`` is set.

    Jobs run one after another, so a slow job delays the next. A job that fails is logged and does
    not stop the others.
    """
    due = dict.fromkeys(jobs, stopwatch())
    while not stop.is_set():
        for job in jobs:
            if due[job] <= stopwatch() and not stop.is_set():
                _do(app, job)
                due[job] = stopwatch() + job.seconds
        stop.wait(max(0, min(due.values()) - stopwatch()))


def _do(app: Flask, job: Job) -> None:
    with app.app_context():
        try:
            job.act()
        except (Busy, Unreachable, *AWAY) as error:
            app.logger.warning("%s: %s", job.delayed, first_line(error))
        except Exception:  # the other jobs go on, and this one is tried again
            app.logger.exception("%s failed: %s", job.name, job.delayed)


def stop_event() -> Event:
    """Install handlers for SIGTERM and SIGINT, and return the event that they set. ``run`` finishes
    the current job, then stops."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
