"""Send the mails that are due to the mail server, one after the other."""

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

from flask import current_app

from eventreg import log
from eventreg.app_clock import current_time
from eventreg.core import deliveries
from eventreg.core.deliveries import Delivery
from eventreg.core.errors import Busy, first_line
from eventreg.mail.compose import Unaddressable, compose
from eventreg.storage.session import AWAY, reading, write

PATIENCE = 20
"""Seconds to wait for the mail server at each step."""
_OWN_HOSTS = {"127.0.0.1", "::1", "localhost"}


class Unreachable(Exception):
    """The mail server does not answer, or cannot be used. No mail is to blame."""


@dataclass
class Round:
    """How many mails one round of sending has sent, put off and given up."""

    sent: int = 0
    later: int = 0
    given_up: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether no mail was due."""
        return not (self.sent or self.later or self.given_up)


class Refused(Exception):
    """This mail could not be sent. ``for_good`` if trying again is useless."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.for_good = for_good


def deliver_due() -> Round:
    """Send all mails that are due. A mail that is given up is owed as a telephone call instead.

    Raises ``Unreachable`` if the mail server is, and ``Busy`` or one of ``AWAY`` if the database is
    the reason. The current mail then stays owed and does not lose a try.
    """
    done = Round()
    with _Connection(current_app.extensions["settings"].smtp_url) as connection:
        while (delivery := _take_next()) is not None:
            _deliver(connection, delivery, done)
    return done


def hand_over(mail: EmailMessage) -> None:
    """Send one mail that does not come from the outbox. Raises ``Refused`` or ``Unreachable``."""
    with _Connection(current_app.extensions["settings"].smtp_url) as connection:
        connection.send(mail)


def _take_next() -> Delivery | None:
    return write(lambda session: deliveries.take(session, now=current_time()))


def _deliver(connection: "_Connection", delivery: Delivery, done: Round) -> None:
    """Send one mail and note the result."""
    reading().rollback()  # read anew, and not as of the mail before
    try:
        _send(connection, delivery)
    except (Unreachable, Busy, *AWAY):
        with suppress(Busy, *AWAY):  # else it stays reserved for five minutes
            write(lambda session: deliveries.put_back(session, delivery, now=current_time()))
        raise
    except Refused as refused:
        _log(delivery, refused.reason)
        if _note_failure(delivery, refused):
            done.given_up += 1
        else:
            done.later += 1
    else:
        write(lambda session: deliveries.sent(session, delivery, now=current_time()))
        done.sent += 1


def _note_failure(delivery: Delivery, refused: Refused) -> bool:
    """Returns whether the mail is given up."""
    return write(
        lambda session: deliveries.failed(
            session, delivery, refused.reason, for_good=refused.for_good, now=current_time()
        )
    )


def _send(connection: "_Connection", delivery: Delivery) -> None:
    try:
        mail = compose(delivery, now=current_time())
    except Unaddressable as error:
        raise Refused("no mail can carry the address", for_good=True) from error
    except (Busy, *AWAY):
        raise  # the mail is not to blame
    except Exception as error:  # one faulty mail must not stop the next
        said = f"mail {delivery.message_id} could not be written"
        log.event("mail-not-written", said, error=error, mail=delivery.message_id)
        raise Refused(f"not written: {type(error).__name__}", for_good=False) from error
    connection.send(mail)


def _log(delivery: Delivery, reason: str) -> None:
    """Log a mail that was not sent, without an address or a name."""
    said = f"mail {delivery.message_id} ({delivery.kind}) not sent: {reason}"
    log.event("mail-failed", said, mail=delivery.message_id, kind=delivery.kind)


class _Connection:
    """The connection to the mail server, opened for the first mail and again after it broke."""

    def __init__(self, url: str) -> None:
        self._url: SplitResult = urlsplit(url)
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._hang_up()

    def send(self, mail: EmailMessage) -> None:
        """Hand over one mail, or raise ``Refused`` or ``Unreachable``."""
        server = self._server = self._server or self._dial()
        try:
            server.send_message(mail)
        except smtplib.SMTPServerDisconnected as error:
            self._hang_up()
            raise Refused("the server hung up", for_good=False) from error
        except (smtplib.SMTPException, OSError) as error:
            self._hang_up()
            raise _refusal(error) from error

    def _dial(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port
        safe = ssl.create_default_context()
        try:
            if self._url.scheme == "smtps":
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    host, port or 465, timeout=PATIENCE, context=safe
                )
            else:
                server = smtplib.SMTP(host, port or 25, timeout=PATIENCE)
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(f"{host}: {first_line(error)}") from error
        try:
            self._introduce(server, safe)
        except (smtplib.SMTPException, OSError) as error:
            server.close()
            raise Unreachable(f"{host}: {first_line(error)}") from error
        return server

    def _introduce(self, server: smtplib.SMTP, safe: ssl.SSLContext) -> None:
        """Start TLS if the server offers it, then log in. The password is never sent unencrypted to
        another machine."""
        server.ehlo()
        is_open = self._url.scheme != "smtps"
        if is_open and server.has_extn("starttls"):
            server.starttls(context=safe)
        elif is_open and self._url.username and self._url.hostname not in _OWN_HOSTS:
            raise smtplib.SMTPException("offers no TLS, so the password was not sent")
        if self._url.username:
            server.login(unquote(self._url.username), unquote(self._url.password or ""))

    def _hang_up(self) -> None:
        if self._server is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._server.quit()
            self._server.close()
            self._server = None


def _refusal(error: Exception) -> Refused:
    """What the server's answer means for this mail: 5yz is for good (RFC 5321, 4.2.1). The answer's
    text is left out, since it may hold the address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
        return Refused(f"recipient refused, {code}", for_good=code >= 500)
    if isinstance(error, smtplib.SMTPSenderRefused):
        # a wrong setting of ours, which can be corrected
        return Refused(f"sender refused, {error.smtp_code}", for_good=False)
    if isinstance(error, smtplib.SMTPResponseException):
        return Refused(f"refused, {error.smtp_code}", for_good=error.smtp_code >= 500)
    return Refused(type(error).__name__, for_good=isinstance(error, smtplib.SMTPNotSupportedError))
