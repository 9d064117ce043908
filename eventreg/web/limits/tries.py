"""Limit sign-ins. A failure counts for the browser if the account knows it, else for the account
and the network address."""

from flask import current_app, g, request
from werkzeug.wrappers import Response

from eventreg.core.models.staff import StaffMember
from eventreg.core.staff import known_browsers
from eventreg.core.values import usernames
from eventreg.server.tally import Tally
from eventreg.settings.table import Settings
from eventreg.storage.session import reading, write
from eventreg.web.limits import limits

_MOST_COOKIES = 8
"""One browser may be known to this many accounts, since several clerks share a desk."""
_LONGEST_SECRET = 100


class Try:
    """One try to sign in as ``username``. Raises ``TooOften`` if it has to wait.

    Call ``begin`` before the password is checked, then ``failed`` or ``worked``.
    """

    def __init__(self, username: str) -> None:
        self._folded = usernames.fold(username)
        self._account = self._folded[: usernames.LONGEST]
        self._secrets = [value for value in _cookies().values() if len(value) <= _LONGEST_SECRET]
        self.known: int | None = None
        """The row of the known browser for which this try counts."""
        if not self._secrets or not known_browsers.is_known(
            reading(), self._folded, self._secrets, now=g.now
        ):
            self._secrets = []
            self._check()

    def _check(self) -> None:
        counters = limits.limits()
        counters.check("sign-in", limits.SIGN_IN, limits.address())
        counters.check_account(self._account)

    def begin(self) -> None:
        """Count the try if the browser is known. Call it just before the password is checked."""
        if not self._secrets:
            return
        folded, secrets, now = self._folded, self._secrets, g.now
        self.known = write(
            lambda writing: known_browsers.use_try(writing, folded, secrets, now=now)
        )
        if self.known is None:  # other tries used up the browser's last one meanwhile
            self._check()

    def failed(self) -> None:
        """Count the failure for account and address, unless ``begin`` counted it already."""
        tally: Tally = current_app.extensions["tally"]
        tally.sign_in_failed()
        if self.known is None:
            counters = limits.limits()
            counters.sign_in_failed(self._account)
            counters.hit("sign-in", limits.SIGN_IN, limits.address())

    def worked(self) -> None:
        """Forget the account's failures, unless the browser is known: then others made them."""
        if self.known is None:
            limits.limits().sign_in_worked(self._account)


def _prefix() -> str:
    settings: Settings = current_app.extensions["settings"]
    return settings.cookie("known-")


def _cookies() -> dict[str, str]:
    """The secrets that this browser holds, one for each account, and at most a few of them."""
    ours = {
        name: value for name, value in sorted(request.cookies.items()) if name.startswith(_prefix())
    }
    return dict(list(ours.items())[:_MOST_COOKIES])


def remember(response: Response, member: StaffMember, secret: str | None) -> None:
    """Give the browser its secret for this account, or renew the one it has for half a year. Drops
    the secrets of surplus accounts."""
    name, held = f"{_prefix()}{member.id}", _cookies()
    value = secret or held.get(name)
    if value is None:
        return
    for surplus in [other for other in held if other != name][_MOST_COOKIES - 1 :]:
        response.delete_cookie(surplus, secure=_is_https(), httponly=True, samesite="Lax")
    response.set_cookie(
        name,
        value,
        max_age=known_browsers.LIVES,
        secure=_is_https(),
        httponly=True,
        samesite="Lax",
    )


def _is_https() -> bool:
    return bool(current_app.config["SESSION_COOKIE_SECURE"])
