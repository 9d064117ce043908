"""Mail servers that are away, want a password or encrypt, and wrong settings of them."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from sqlalchemy import select

from eventreg.core.models.outbox import OutboxMessage
from eventreg.mail.sender import Unreachable, deliver_due
from eventreg.storage.session import reading
from tests.support.factories import House, toml
from tests.support.postbox import Postbox, open_postbox
from tests.support.servers import free_port, refused


def test_a_mail_does_not_lose_a_try_while_the_mail_server_is_away(
    house: House, box: Postbox, post: tuple[Postbox, int]
) -> None:
    made = house.register("张桂芳", email="gui@example.org")
    with sending_to(house, f"smtp://127.0.0.1:{free_port()}"):
        for _ in range(3):
            with pytest.raises(Unreachable):
                deliver_due()
            house.now += timedelta(minutes=2)
    (row,) = (
        reading()
        .scalars(select(OutboxMessage).where(OutboxMessage.registration_id == made.id))
        .all()
    )
    assert (row.attempts, row.settled_at, row.failed_at) == (0, None, None)
    reading().rollback()
    assert deliver_due().sent == 1
    assert box.recipients == ["gui@example.org"]


def test_the_password_is_not_sent_unencrypted_to_another_machine(
    house: House, box: Postbox
) -> None:
    with closing_mail_server("127.0.0.2") as (other, port):
        house.register("张桂芳", email="gui@example.org")
        with (
            sending_to(house, f"smtp://me:secret@127.0.0.2:{port}"),
            pytest.raises(Unreachable, match="offers no TLS"),
        ):
            deliver_due()
    assert (other.mails, box.mails) == ([], [])


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.filterwarnings("ignore:Session.login_data is deprecated")
@pytest.mark.parametrize(("password", "reaches"), [("r%20ight", True), ("wrong", False)])
def test_the_sender_signs_in_if_the_mail_server_requires_it(
    house: House, password: str, reaches: bool
) -> None:
    with closing_mail_server("127.0.0.1", password="r ight") as (other, port):
        house.register("张桂芳", email="gui@example.org")
        with (
            sending_to(house, f"smtp://me:{password}@127.0.0.1:{port}"),
            nullcontext() if reaches else pytest.raises(Unreachable, match="535"),
        ):
            assert deliver_due().sent == 1
    assert len(other.mails) == reaches


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.filterwarnings("ignore:Session.login_data is deprecated")
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_over_tls_the_certificate_of_the_mail_server_is_checked(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, trusted: bool
) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.2").configure_cert(context)
    (authority if trusted else stranger).cert_pem.write_to_path(tmp_path / "trusted.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    tls = {"tls_context" if scheme == "smtp" else "ssl_context": context}
    with closing_mail_server("127.0.0.2", password="geheim", **tls) as (other, port):
        house.register("张桂芳", email="gui@example.org")
        with (
            sending_to(house, f"{scheme}://me:geheim@127.0.0.2:{port}"),
            nullcontext() if trusted else pytest.raises(Unreachable, match="certificate"),
        ):
            assert deliver_due().sent == 1
    assert len(other.mails) == trusted


@contextmanager
def closing_mail_server(host: str, password: str = "", **tls: Any) -> Iterator[tuple[Postbox, int]]:
    """Run another mail server."""
    port = free_port()
    other, controller = open_postbox(port, host, password, **tls)
    yield other, port
    controller.stop()


@contextmanager
def sending_to(house: House, url: str) -> Iterator[None]:
    """Inside, the house uses another mail server."""
    known = house.app.extensions["settings"]
    house.app.extensions["settings"] = replace(known, smtp_url=url)
    yield
    house.app.extensions["settings"] = known


def test_without_a_mail_server_the_command_refuses_and_mails_stay_owed(folder: Path) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(toml())
        house.register("张桂芳", email="gui@example.org")
        answer = house.app.test_cli_runner().invoke(args=["outbox", "deliver"])
        assert answer.exit_code == 1
        assert "EVENTREG_SMTP_URL is not set; 1 mails wait" in answer.output
    house.close()


def test_wrong_mail_settings_stop_the_start_and_do_not_show_the_password(
    folder: Path,
) -> None:
    given = {
        "EVENTREG_SMTP_URL": "smtp://me:geheim@host:x",
        "EVENTREG_MAIL_FROM": "nobody",
    }
    answer = refused(folder, **given)
    assert answer.returncode == 1
    assert "EVENTREG_SMTP_URL: must be like" in answer.stderr
    assert "EVENTREG_MAIL_FROM: must be a mail address" in answer.stderr
    assert "geheim" not in answer.stderr
