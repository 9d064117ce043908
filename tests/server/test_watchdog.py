"""What the server tells systemd: when it is ready, that it still works, and that it stops."""

import os
import signal
import socket
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from sqlalchemy.engine import make_url

from eventreg.operations import watchdog
from eventreg.server import sd_notify
from tests.server import systemd
from tests.support.factories import House
from tests.support.servers import processes_of, running

FOUR_SECONDS = "4000000"


def test_systemd_hears_of_the_start_the_work_and_the_stop_in_this_order(folder: Path) -> None:
    with systemd.listening() as manager:
        told = {"NOTIFY_SOCKET": str(manager.place), "WATCHDOG_USEC": FOUR_SECONDS}
        with running(folder, **told) as server:
            manager.wait_for("READY=1")
            assert f"Guests are served: {server.address}" in manager.heard[-1]
            assert "WATCHDOG=1" in manager.heard[-1]
            manager.wait_for("WATCHDOG=1")
        manager.listen()
    before_ready = manager.heard[0]
    assert "EXTEND_TIMEOUT_USEC=120000000" in before_ready, "a migration may take its time"
    assert "brought up to date" in before_ready
    assert sum("READY=1" in message for message in manager.heard) == 1
    assert "STOPPING=1" in manager.heard[-1]


def test_a_server_that_hangs_is_not_praised_until_it_answers_again(folder: Path) -> None:
    with systemd.listening() as manager:
        told = {"NOTIFY_SOCKET": str(manager.place), "WATCHDOG_USEC": FOUR_SECONDS}
        with running(folder, **told) as server:
            manager.wait_for("READY=1")
            answering = processes_of(server)[0]
            os.kill(answering, signal.SIGSTOP)
            manager.wait_for("The server does not answer")
            manager.listen()
            since = len(manager.heard)
            manager.wait_for("The server does not answer")
            manager.wait_for("The server does not answer")
            assert not [told for told in manager.heard[since:] if "WATCHDOG=1" in told]
            os.kill(answering, signal.SIGCONT)
            manager.wait_for("WATCHDOG=1")


def test_no_watchdog_is_fed_while_the_database_cannot_be_read(folder: Path, database: str) -> None:
    """The server still answers then: its page for trouble. Only a real read shows the fault."""
    ours = make_url(database)
    with systemd.listening() as manager:
        told = {
            "NOTIFY_SOCKET": str(manager.place),
            "WATCHDOG_USEC": FOUR_SECONDS,
            "EVENTREG_DATABASE_URL": database,
        }
        with running(folder, **told):
            manager.wait_for("READY=1")
            elsewhere = ours.set(drivername="postgresql", database="postgres")
            with psycopg.connect(
                elsewhere.render_as_string(hide_password=False), autocommit=True
            ) as admin:
                admin.execute(f'ALTER DATABASE "{ours.database}" ALLOW_CONNECTIONS false')
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    [ours.database],
                )
                manager.wait_for("The database cannot be read")
                manager.listen()
                since = len(manager.heard)
                manager.wait_for("The database cannot be read")
                assert not [told for told in manager.heard[since:] if "WATCHDOG=1" in told]
                admin.execute(f'ALTER DATABASE "{ours.database}" ALLOW_CONNECTIONS true')
            manager.wait_for("WATCHDOG=1")


def test_a_full_server_that_turns_the_question_away_is_alive(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as full:

        def turn_away() -> None:
            connection, _ = full.accept()
            connection.close()

        turning = Thread(target=turn_away)
        turning.start()
        address = f"http://127.0.0.1:{full.getsockname()[1]}"
        with house.app.app_context():
            assert watchdog.what_is_wrong(address, 30) == ""
        turning.join()


def test_a_port_on_which_nobody_listens_is_no_server(house: House) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with house.app.app_context():
            assert watchdog.what_is_wrong(address, 30) == "The server does not answer."


def test_more_time_is_asked_for_as_long_as_a_migration_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sd_notify, "_ASK_AGAIN_SECONDS", 0.01)
    with systemd.listening() as manager:
        monkeypatch.setenv("NOTIFY_SOCKET", str(manager.place))
        with sd_notify.starting("A long migration."):
            for _ in range(3):
                manager.wait_for("EXTEND_TIMEOUT_USEC")
        manager.listen()
        count = len(manager.heard)
        sd_notify.tell("the end")
        manager.wait_for("the end")
        assert len(manager.heard) == count + 1, "after the migration it asks no more"


def test_without_systemd_nothing_is_told_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    sd_notify.tell("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    sd_notify.tell("READY=1")
