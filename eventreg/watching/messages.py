"""Send a message to the people and machines that watch this server: mail, webhook, ping.

The addresses come from the settings alone, and no redirect is followed. So nothing that a guest or
a member of staff types can lead a request of this server anywhere.
"""

import json
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.client import HTTPException
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from flask import current_app

from eventreg.mail import sender
from eventreg.settings.table import Settings

_SECONDS = 10


class NotSent(Exception):
    """The message did not arrive. The text is the reason, without the address."""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, _request: Request, _file: IO[bytes], _code: int, *_: Any
    ) -> Request | None:
        """Nowhere: the answer counts as a failure."""
        return None


def tell(subject: str, text: str, *, is_bad: bool) -> dict[str, str]:
    """Tell everybody who is to be told, by mail and webhook. Returns each channel with the reason
    for which it failed; an empty reason means that it worked."""
    return {channel: _tried(act) for channel, act in _channels(subject, text, is_bad)}


def _channels(subject: str, text: str, is_bad: bool) -> Iterator[tuple[str, Callable[[], None]]]:
    settings = _settings()
    if settings.alarm_mail:
        yield "mail", lambda: _mail(subject, text)
    if settings.alarm_webhook:
        yield "webhook", lambda: _post(subject, text, is_bad)


def ping() -> str:
    """Tell the watchdog elsewhere that a good backup was made. Returns the reason for which it
    failed; empty if it worked."""
    return _tried(lambda: _ask(Request(_settings().ping_url)))  # noqa: S310 - the setting's type


def _tried(act: Callable[[], None]) -> str:
    try:
        act()
    except NotSent as refused:
        return str(refused)
    return ""


def _settings() -> Settings:
    found: Settings = current_app.extensions["settings"]
    return found


def _mail(subject: str, text: str) -> None:
    settings = _settings()
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        settings.mail_from,
        ", ".join(settings.alarm_mail),
        subject,
    )
    mail.set_content(text)
    try:
        sender.hand_over(mail)
    except (sender.Refused, sender.Unreachable) as error:
        raise NotSent(str(error)) from error


def _post(subject: str, text: str, is_bad: bool) -> None:
    told = {"text": f"{subject}\n{text}", "status": "red" if is_bad else "green"}
    _ask(
        Request(  # noqa: S310 - the setting's type
            _settings().alarm_webhook,
            json.dumps(told, ensure_ascii=False).encode(),
            {"Content-Type": "application/json; charset=utf-8"},
        )
    )


def _ask(request: Request) -> None:
    """Send it. Only an answer of 2xx counts."""
    request.add_header("User-Agent", "eventreg")
    try:
        with build_opener(_NoRedirects).open(request, timeout=_SECONDS):
            pass
    except HTTPError as error:
        error.close()
        raise NotSent(f"the answer was {error.code}") from error
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise NotSent(type(getattr(error, "reason", error)).__name__) from error
