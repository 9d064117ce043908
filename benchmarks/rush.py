"""Pages and registrations over HTTP, compared with a bare page and with the database alone."""

import multiprocessing
import re
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.report import Figure
from benchmarks.servers import Load, hello, load, ours, registering
from eventreg.storage.checks import make_tables
from eventreg.storage.write_queue import Gate
from tests.support.factories import SECRET, House, toml
from tests.support.postgresql import BINARIES, USER, Cluster
from tests.support.servers import started

BIG, TIMES = 100_000, 5
ON_THE_DISK = Path.cwd() / "benchmarks"
"""The measured files are on the disk of the checkout: the temporary folder may be in memory."""


@contextmanager
def place(capacity: int = BIG, environment: dict[str, str] | None = None) -> Iterator[Path]:
    """An instance folder with one large event."""
    with TemporaryDirectory(dir=ON_THE_DISK, prefix=".run-") as folder:
        instance = Path(folder) / "instance"
        instance.mkdir(mode=0o700)
        house = House(instance, **(environment or {}))
        with house.app.app_context():
            make_tables()
            house.apply(toml("big", capacity=capacity))
        house.close()
        yield instance


def _middle(loads: list[Load], pick: Callable[[Load], float]) -> float:
    return statistics.median(pick(one) for one in loads)


def _compare(
    environment: dict[str, str], folder: Path
) -> tuple[list[Load], list[Load], list[Load]]:
    """Load the bare page, the event page and registrations in turn, in one run."""
    bare, pages, booked = [], [], []
    with (
        hello() as (address, pid),
        ours(folder, EVENTREG_SECRET_KEY=SECRET, **environment) as server,
    ):
        page = f"{server.address}/zh/events/big"
        for turn in range(TIMES):
            bare.append(load(address, pid))
            pages.append(load(page, server.pid))
            booked.append(load(page, server.pid, script=registering(server, "big", turn * 200_000)))
    return bare, pages, booked


def pages_and_registrations() -> list[Figure]:
    """Event page and registrations, as ratios to the bare page."""
    with place() as folder:
        bare, pages, booked = _compare({}, folder)
    rate = _middle(bare, lambda one: one.rate)
    return [
        Figure(
            "bare page/s, 2 processes of 2 threads",
            rate,
            detail=f"CPU {_middle(bare, lambda one: one.cpu):.2f} ms",
        ),
        Figure(
            "event page/s ÷ bare page/s",
            _middle(pages, lambda one: one.rate) / rate,
            0.60,
            detail=f"{_middle(pages, lambda one: one.rate):.0f}/s, "
            f"CPU {_middle(pages, lambda one: one.cpu):.2f} ms",
        ),
        Figure(
            "register/s ÷ bare page/s, SQLite FULL",
            _middle(booked, lambda one: one.rate) / rate,
            0.20,
            detail=f"{_middle(booked, lambda one: one.rate):.0f}/s, "
            f"p50 {_middle(booked, lambda one: one.p50):.0f} ms",
        ),
        Figure(
            "CPU of register ÷ of bare page",
            _middle(booked, lambda one: one.cpu) / _middle(bare, lambda one: one.cpu),
            5,
            at_most=True,
            detail=f"{_middle(booked, lambda one: one.cpu):.2f} ms",
        ),
        Figure(
            "p95 ÷ p50 of register, SQLite FULL",
            _middle(booked, lambda one: one.p95 / one.p50),
            4,
            at_most=True,
        ),
        Figure(
            "register/s over HTTP ÷ raw seat tx/s",
            _middle(booked, lambda one: one.rate) / raw_sqlite(),
            0.5,
        ),
    ]


def on_postgresql() -> list[Figure]:
    """Registrations on a PostgreSQL of its own on the same machine, which waits for the disk."""
    cluster = Cluster()
    try:
        url = {"EVENTREG_DATABASE_URL": cluster.create("rush")}
        with place(environment=url) as folder:
            bare, _, booked = _compare(url, folder)
        limit = pgbench(cluster)
    finally:
        cluster.destroy()
    rate = _middle(booked, lambda one: one.rate)
    return [
        Figure(
            "register/s ÷ bare page/s, PostgreSQL",
            rate / _middle(bare, lambda one: one.rate),
            0.07,
            detail=f"{rate:.0f}/s, server CPU {_middle(booked, lambda one: one.cpu):.2f} ms",
        ),
        Figure(
            "register/s over HTTP ÷ pgbench, 8 clients, durable",
            rate / limit,
            0.3,
            detail=f"pgbench {limit:.0f}/s",
        ),
    ]


_SCRIPT = """
BEGIN;
UPDATE seats SET taken = taken + 1 WHERE id = 1 AND taken < 100000000;
INSERT INTO registrations (name, phone) VALUES ('x', 'y');
INSERT INTO audit (what) VALUES ('x');
COMMIT;
"""


def pgbench(cluster: Cluster) -> float:
    """The transactions per second, of three plain statements each, that PostgreSQL alone does for
    eight clients."""
    cluster.create("bare")
    cluster.sql(
        "CREATE TABLE seats (id int PRIMARY KEY, taken int); INSERT INTO seats VALUES (1, 0);"
        "CREATE TABLE registrations (id serial PRIMARY KEY, name text, phone text);"
        "CREATE TABLE audit (id serial PRIMARY KEY, what text)",
        "bare",
    )
    script = cluster.folder / "script.sql"
    script.write_text(_SCRIPT)
    script.chmod(0o644)
    options = "-n -M prepared -c 8 -j 2 -T 8 -U eventreg".split()
    said = subprocess.run(
        [BINARIES / "pgbench", *options, "-f", script, "-h", cluster.folder, "bare"],
        user=USER,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return float(re.search(r"tps = ([\d.]+)", said)[1])  # type: ignore[index]


def _raw_writer(file: str, seconds: float) -> int:
    database = sqlite3.connect(file, isolation_level=None)
    gate, done = Gate(Path(file + ".lock")), 0
    database.execute("PRAGMA synchronous=FULL")
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with gate():
            database.execute("BEGIN IMMEDIATE")
            database.execute(
                "UPDATE seats SET taken = taken + 1 WHERE id = 1 AND taken < 100000000"
            )
            database.execute("INSERT INTO registrations (name, phone) VALUES ('x', 'y')")
            database.execute("INSERT INTO audit (what) VALUES ('x')")
            database.execute("COMMIT")
        done += 1
    return done


def raw_sqlite(seconds: float = 8) -> float:
    """The transactions per second that SQLite alone does with eight processes at the gate."""
    with TemporaryDirectory(dir=ON_THE_DISK, prefix=".run-") as folder:
        file = str(Path(folder) / "raw.sqlite3")
        database = sqlite3.connect(file)
        database.executescript(
            "PRAGMA journal_mode=WAL; CREATE TABLE seats (id INTEGER PRIMARY KEY, taken INTEGER);"
            "INSERT INTO seats VALUES (1, 0);"
            "CREATE TABLE registrations (id INTEGER PRIMARY KEY, name, phone);"
            "CREATE TABLE audit (id INTEGER PRIMARY KEY, what);"
        )
        with multiprocessing.get_context("spawn").Pool(8) as pool:
            return sum(pool.starmap(_raw_writer, [(file, seconds)] * 8)) / seconds


def price_of_the_disk() -> list[Figure]:
    """Registrations with and without waiting for the disk, through HTTP."""
    rates = dict[str, float]()
    for fault in ("", "sync_normal"):
        with place() as folder, started(folder, fault, EVENTREG_SECRET_KEY=SECRET) as server:
            page = f"{server.address}/zh/events/big"
            loads = [
                load(page, server.pid, script=registering(server, "big", turn * 200_000))
                for turn in range(TIMES)
            ]
            rates[fault] = _middle(loads, lambda one: one.rate)
    return [Figure("FULL ÷ NORMAL through HTTP", rates[""] / rates["sync_normal"], 0.7)]
