"""A real mail server that keeps its mails. A test can make it refuse some of them."""

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from threading import Event
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class Postbox:
    """The mails that arrived. ``answers`` holds for a recipient the reply to a mail: a reply line,
    ``hang up``, or ``keep and hang up``. ``slow`` is the delay of each reply in seconds."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, str] = {}
        self.refuses_recipient: dict[str, str] = {}
        self.slow = 0.0
        self.arrived, self.tenth = Event(), Event()

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, to: str, _options: Any
    ) -> str:
        """Answer the RCPT command."""
        if to in self.refuses_recipient:
            return self.refuses_recipient[to]
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Answer the DATA command, and keep the mail."""
        answer = self.answers.get(envelope.rcpt_tos[0], "250 OK")
        await asyncio.sleep(self.slow)
        if answer == "hang up":
            assert server.transport is not None
            server.transport.close()
            return "421 bye"
        if answer in {"250 OK", "keep and hang up"}:
            assert isinstance(envelope.content, bytes)
            mail = message_from_bytes(envelope.content, policy=POLICY)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.arrived.set()
            if len(self.mails) >= 10:
                self.tenth.set()
        if answer == "keep and hang up":
            assert server.transport is not None
            server.transport.close()
            return "421 bye"
        return answer

    @property
    def recipients(self) -> list[str]:
        """The recipients of all mails, in order."""
        return [str(mail["To"]) for mail in self.mails]

    def text(self, place: int = -1) -> str:
        """The text of a mail."""
        body = self.mails[place].get_body(("plain",))
        assert isinstance(body, EmailMessage)
        return str(body.get_content())


def open_postbox(
    port: int, host: str = "127.0.0.1", password: str = "", **tls: Any
) -> tuple[Postbox, Controller]:
    """Start a mail server. It requires that password if one is given. The caller stops its
    controller. ``ssl_context`` is TLS from the start, ``tls_context`` is STARTTLS."""
    box, wants = Postbox(), bool(password)

    def right(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        return AuthResult(success=given.password == password.encode(), handled=False)

    controller = Controller(
        box,
        hostname=host,
        port=port,
        auth_required=wants,
        auth_require_tls="tls_context" in tls,
        authenticator=right if wants else None,
        **tls,
    )
    controller.start()
    return box, controller
