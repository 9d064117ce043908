"""The steps of an upgrade from the first change of the database on. Each may be done again."""

import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from script.upgrade.places import Place, instance_of, wait_for
from script.upgrade.programs import Refused, last_line, say
from script.upgrade.progress import Progress
from script.upgrade.releases import Maker

_SILENT = ("SMTP_URL", "PING_URL", "ALARM_WEBHOOK", "ALARM_MAIL")
"""A server on trial sends nothing to anybody."""
_LIMIT = "300"
"""Seconds after which a server on trial ends, also if we were killed."""


@dataclass(frozen=True)
class Upgrade:
    """An upgrade under way: where, to which folder, and how far it is."""

    place: Place
    maker: Maker
    progress: Progress
    file: Path

    @property
    def release(self) -> Path:
        """The folder of the new version."""
        return self.maker.path(self.progress.version)

    def save(self) -> None:
        """Write down how far it is."""
        self.progress.save(self.file)


def failing(place: Place, code: Path) -> list[str]:
    """The findings of `doctor` that do not hold, without their details."""
    said = place.around.flask(code, "doctor")
    found = re.findall(r"^NO (.+?)(?: \(|$)", said.stdout, re.M)
    return found or ([last_line(said.stderr)] if said.returncode else [])


def back_up(place: Place, version: str) -> str:
    """Make a backup with the old version, in the folder and with a name of automatic backups, so
    that it is deleted in time. Returns its path."""
    kept = place.around.environment.get("EVENTREG_BACKUPS", "")
    folder = instance_of(place) / (kept if kept not in ("", "off") else "backups")
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if place.around.owner:
            os.chown(folder, *place.around.owner)
    stamp = time.strftime("%Y%m%dT%H%M%S000000", time.gmtime())
    file = folder / f"before-upgrade-to_{version.replace('.', '_')}-{stamp}.zip"
    done = place.around.flask(place.code, "backup", "create", file)
    if done.returncode:
        raise Refused(f"backup: {last_line(done.stderr or done.stdout)}")
    return str(file)


def migrate(upgrade: Upgrade) -> None:
    """Bring the tables up to date, with the new version. What was cut short is continued."""
    done = upgrade.place.around.flask(upgrade.release, "db", "upgrade")
    if done.returncode:
        raise Refused(f"the tables: {last_line(done.stdout + done.stderr)}")


def check(upgrade: Upgrade) -> None:
    """The new version must find nothing wrong that was right before, and must serve a page."""
    wrong = set(failing(upgrade.place, upgrade.release)) - set(upgrade.progress.failing)
    if wrong:
        raise Refused(f"doctor of {upgrade.progress.version}: {'; '.join(sorted(wrong))}")
    if reason := _serve_on_trial(upgrade):
        raise Refused(f"the server of {upgrade.progress.version}: {reason}")


def _serve_on_trial(upgrade: Upgrade) -> str:
    """Start the new version beside the old one, and ask for a page. Returns what is wrong."""
    around = upgrade.place.around
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {f"EVENTREG_{name}": "" for name in _SILENT}
    trial = {"HOST": "127.0.0.1", "PORT": str(port), "EVENTREG_WORKERS": "1"}
    environment = {**around.environment, **quiet, **trial}
    environment.pop("NOTIFY_SOCKET", None)
    user, group = around.owner or (None, None)
    with tempfile.TemporaryFile("w+") as log:
        python = upgrade.release / ".venv" / "bin" / "python"
        server = subprocess.Popen(
            ["timeout", _LIMIT, python, "-m", "eventreg.serve"],
            cwd=upgrade.release,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=user,
            group=group,
        )
        try:
            reason = wait_for(f"http://127.0.0.1:{port}/zh/", lambda: server.poll() is None)
        finally:
            server.terminate()
            ended = server.wait()
        log.seek(0)
        return f"{reason}; it says: {last_line(log.read())} (exit {ended})" if reason else ""


def switch(upgrade: Upgrade) -> None:
    """Let the next start use the new version."""
    upgrade.place.switch(upgrade.release, upgrade.progress.tag)


def start(upgrade: Upgrade) -> None:
    """Start the server of the new version."""
    upgrade.place.start()


STEPS: tuple[tuple[str, str, Callable[[Upgrade], None]], ...] = (
    ("migrate", "bringing the tables up to date", migrate),
    ("check", "checking the new version beside the old one", check),
    ("switch", "switching", switch),
    ("start", "starting", start),
)


def carry_on(upgrade: Upgrade) -> None:
    """Do every step that is not done yet. ``Refused`` if one fails."""
    for name, what, step in STEPS:
        if name in upgrade.progress.done:
            continue
        say(f"{name}: {what} ...")
        upgrade.progress.begun.append(name)
        upgrade.save()
        step(upgrade)
        upgrade.progress.done.append(name)
        upgrade.save()
