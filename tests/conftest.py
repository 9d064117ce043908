"""Fixtures: a migrated database to copy, a house for each test, and one browser for all."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
from flask.testing import FlaskClient
from flask_migrate import upgrade
from playwright.sync_api import Browser, expect, sync_playwright

from tests.logs import canaries
from tests.proofs.conftest import WHOLE
from tests.support.chromium import launched
from tests.support.factories import House, toml
from tests.support.postgresql import Cluster

MEMORY = Path("/dev/shm")  # noqa: S108 - folders of our own are made in it
ROOM = 3 * 2**30


def work_in_memory() -> None:
    """Keep the tests' files in memory where there is room. The program asks for the same syncs
    there, and a test does not wait for the disk, which takes longer than the rest of it. A TMPDIR
    that is set is kept."""
    if (
        "TMPDIR" not in os.environ
        and os.access(MEMORY, os.W_OK)
        and shutil.disk_usage(MEMORY).free > ROOM
    ):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


work_in_memory()
# In `make test` the same examples each time, and never a time limit that a busy machine exceeds.
hypothesis.settings.register_profile("whole", deadline=None, print_blob=True)
hypothesis.settings.register_profile("short", deadline=None, derandomize=True)
hypothesis.settings.load_profile("whole" if WHOLE else "short")
FOUND = pytest.StashKey[list[str]]()


def pytest_configure() -> None:
    """Keep the log of everything that this process runs."""
    canaries.begin()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """At the very end, search all logs of the run. The run fails if somebody stands in one."""
    if not hasattr(session.config, "workerinput"):
        found = session.config.stash[FOUND] = canaries.end()
        if found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what stands in a log, and where."""
    if found := config.stash.get(FOUND, []):
        terminalreporter.section("THE LOGS TELL WHAT THEY MUST NOT", red=True)
        for line in found[:20]:
            terminalreporter.line(line)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test marked so runs on SQLite and on PostgreSQL."""
    if "engine" in metafunc.fixturenames and metafunc.definition.get_closest_marker(
        "both_databases"
    ):
        metafunc.parametrize("engine", ["sqlite", "postgresql"], indirect=True)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over all that was imported and collected: it stays anyway."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """On which database the test runs."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that went through every migration, once for all tests of a process."""
    folder = tmp_path_factory.mktemp("migrated")
    house = House(folder)
    with house.app.app_context():
        upgrade()
    house.close()
    return folder / "eventreg.sqlite3"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server, with one migrated database to copy."""
    made = Cluster()
    try:
        with tempfile.TemporaryDirectory() as folder:
            house = House(Path(folder), EVENTREG_DATABASE_URL=made.create("migrated"))
            with house.app.app_context():
                upgrade()
            house.close()
        yield made
    finally:
        made.destroy()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """The address of a migrated, empty PostgreSQL database."""
    name = f"test_{uuid4().hex}"
    yield cluster.create(name, "migrated")
    cluster.drop(name)


@pytest.fixture
def folder(migrated: Path, tmp_path: Path) -> Path:
    """An instance folder with empty tables."""
    shutil.copy(migrated, tmp_path / "eventreg.sqlite3")
    return tmp_path


@pytest.fixture
def environment(engine: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """What a program must be told to find the test's database."""
    return (
        {} if engine == "sqlite" else {"EVENTREG_DATABASE_URL": request.getfixturevalue("database")}
    )


@pytest.fixture
def house(folder: Path, environment: dict[str, str]) -> Iterator[House]:
    """A house of one's own, inside its application context."""
    made = House(folder, **environment)
    with made.app.app_context():
        yield made
    made.close()


@pytest.fixture
def small(house: House) -> House:
    """Three seats, and everybody hired. A file whose people need another house says so itself."""
    house.apply(toml())
    house.hire()
    return house


@pytest.fixture
def guest(small: House) -> FlaskClient:
    """A guest's browser."""
    return small.client()


@pytest.fixture
def desmond(small: House) -> FlaskClient:
    """The desk's browser."""
    return small.signed_in("desmond")


@pytest.fixture
def olga(small: House) -> FlaskClient:
    """The organiser's browser."""
    return small.signed_in("olga")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        started = launched(playwright.chromium)
        yield started
        started.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The same, whose windows are closed after the test: each is a process that goes on working."""
    yield chromium
    for context in chromium.contexts:
        context.close()
