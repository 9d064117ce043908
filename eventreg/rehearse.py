"""Rehearse the day of an event (`make rehearse`): the same server, with made-up people and a clock
that begins shortly before check-in.

It writes only into a folder of its own, ``rehearsal`` in the instance folder. The key r begins the
rehearsal again, the key q ends it.
"""

import os
import secrets
import select
import signal
import subprocess
import sys
import termios
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from eventreg.app import create_app
from eventreg.commands.refusing import TROUBLE, reason
from eventreg.core import audit
from eventreg.core.event import event_file, events
from eventreg.core.event.definition import Definition
from eventreg.core.organising import applying
from eventreg.rehearsal import filling
from eventreg.serve import SHIPPED, say
from eventreg.settings.reading import SettingsInvalid, read
from eventreg.settings.table import ROOT, Settings
from eventreg.storage.checks import make_tables
from eventreg.storage.session import Session, close, reading, write

FOLDER = "rehearsal"
PORT = "8001"
BEFORE_CHECK_IN = timedelta(minutes=5)
_OF_THE_REAL_SERVER = (
    "EVENTREG_DATABASE_URL",
    "EVENTREG_SECRET_KEY",
    "EVENTREG_REDIS_URL",
    "EVENTREG_SMTP_URL",
    "EVENTREG_WORKERS",
    "EVENTREG_CLOCK",
    "EVENTREG_BACKUP_COPY",
)
"""Settings that a rehearsal ignores, so that it reaches neither the real people nor real guests."""


def main() -> None:
    """Rehearse until a key or a signal ends it."""
    os.umask(0o077)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        definition = event_to_rehearse(os.environ)
        environment = own_environment(os.environ, definition)
        settings = read(environment)
    except SettingsInvalid as invalid:
        sys.exit("\n".join(invalid.faults))
    except (LookupError, *TROUBLE) as refused:
        sys.exit(reason(refused))
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    prepare(settings, definition, password)
    with _single_keys() as has_keys:
        _announce(password, has_keys)
        while _runs_until_reset(environment):
            prepare(settings, definition, password)
            say("The rehearsal begins again.")


def event_to_rehearse(environment: Mapping[str, str]) -> Definition:
    """The event that ``EVENT`` names, or the next one of the real instance; if it has none, the
    shipped one. Only reads. Raises ``LookupError`` for an unknown name."""
    real, wanted = read(environment), environment.get("EVENT", "")
    is_there = (real.instance / "eventreg.sqlite3").exists()
    known = _events_of(real) if environment.get("EVENTREG_DATABASE_URL") or is_there else []
    shipped = event_file.parse(SHIPPED.read_text(encoding="utf-8"), SHIPPED.name)
    choice = [one for one in (*known, shipped) if not wanted or one.slug == wanted]
    if not choice:
        raise LookupError(f"EVENT: there is no event {wanted!r}")
    return choice[0].model_copy(update={"notice": None})


def _events_of(real: Settings) -> list[Definition]:
    """The definitions of the real events: those to come first, the next one at the beginning."""
    app = create_app(real)
    with app.app_context():
        try:
            now = app.extensions["clock"]()
            coming = list(events.still_to_come(reading(), now))
            past = [one for one in events.all_events(reading()) if one not in coming]
            return [events.definition(one) for one in (*coming, *past)]
        finally:
            close(app)


def own_environment(environment: Mapping[str, str], definition: Definition) -> dict[str, str]:
    """The environment of the rehearsal's server: a folder, a port and a clock of its own."""
    kept = {name: text for name, text in environment.items() if name not in _OF_THE_REAL_SERVER}
    begins = applying.draft(definition).check_in_opens_at - BEFORE_CHECK_IN
    return kept | {
        "EVENTREG_INSTANCE": str(read(environment).instance / FOLDER),
        "EVENTREG_REHEARSAL": "on",
        "EVENTREG_BACKUPS": "off",
        "EVENTREG_CLOCK": begins.isoformat(),
        "PORT": environment.get("PORT") or PORT,
    }


def prepare(settings: Settings, definition: Definition, password: str) -> None:
    """Bring the rehearsal's database to its beginning. Accounts and paired telephones stay."""
    app = create_app(settings)
    clock = app.extensions["clock"]
    secret_key: str = app.config["SECRET_KEY"]

    def begin(session: Session) -> None:
        for event in events.all_events(session):
            filling.empty(session, event, now=clock())
        event = applying.apply(session, definition, by=audit.SYSTEM, now=clock()).event
        filling.add_staff(session, password, now=clock())
        filling.fill(session, event, secret_key=secret_key)

    with app.app_context():
        try:
            make_tables()
            write(begin)
        finally:
            close(app)


def _announce(password: str, has_keys: bool) -> None:
    say("This is a rehearsal: people and registrations are made up, and the clock is set.")
    say(f"Sign in as organiser, desk or door, with the password {password}")
    if has_keys:
        say("Press r to begin again, q to end.")


def _runs_until_reset(environment: Mapping[str, str]) -> bool:
    """Run the server until it ends or a key is pressed. Returns whether to begin again."""
    server = subprocess.Popen(
        [sys.executable, "-m", "eventreg.serve"], env=dict(environment), cwd=ROOT
    )
    try:
        while server.poll() is None:
            pressed = _key_within(0.5)
            if pressed in {"r", "q"}:
                return pressed == "r"
        return False
    except KeyboardInterrupt:
        return False
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _single_keys() -> Iterator[bool]:
    """Read keys without Enter, if this is a terminal. Yields whether it is one."""
    if not sys.stdin.isatty():
        yield False
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield True
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _key_within(seconds: float) -> str:
    """The key that is pressed within that time, or nothing."""
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return sys.stdin.read(1) if ready else ""


if __name__ == "__main__":
    main()
