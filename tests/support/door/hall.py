"""A hall with a server, a bad network, and a telephone that can be killed."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error

from tests.support.chromium import FLAGS, PROGRAM
from tests.support.door.bad_network import BadNetwork, bad_network
from tests.support.door.volunteer import MORNING, PHONE_WITH_WORKER, filled
from tests.support.factories import SECRET
from tests.support.servers import free_port, running

PEOPLE = 50


@dataclass
class Hall:
    """The server, its folder, and the network of the hall."""

    folder: Path
    network: BadNetwork


@contextmanager
def hall(migrated: Path, folder: Path, people: int = PEOPLE) -> Iterator[Hall]:
    """A server with that many people, behind a bad network."""
    folder.mkdir()
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    filled(folder, people)
    with (
        running(folder, EVENTREG_CLOCK=MORNING, EVENTREG_SECRET_KEY=SECRET) as server,
        bad_network(server.address, free_port()) as network,
    ):
        yield Hall(folder, network)


@contextmanager
def telephone(chromium: Browser, profile: Path) -> Iterator[BrowserContext]:
    """A telephone whose storage outlives its browser."""
    context = chromium.browser_type.launch_persistent_context(
        profile, executable_path=PROGRAM, args=FLAGS, **PHONE_WITH_WORKER
    )
    try:
        yield context
    finally:
        with suppress(Error):  # it was killed
            context.close()


def kill(profile: Path) -> None:
    """Kill the browser of this profile, as when the battery is empty."""
    for one in Path("/proc").iterdir():
        if one.name.isdigit():
            try:
                command = (one / "cmdline").read_bytes()
            except OSError:
                continue
            if f"--user-data-dir={profile}".encode() in command:
                os.kill(int(one.name), signal.SIGKILL)
