"""The files of the door's script, and their version, which is part of their addresses."""

import hashlib
from functools import cache
from pathlib import Path

from eventreg.settings import ROOT

_SCRIPTS = ROOT / "static" / "door"
_ALSO = (
    "static/tokens.css",
    "static/staff/staff.css",
    "templates/staff.html",
    "translations/zh/LC_MESSAGES/messages.po",
    "translations/en/LC_MESSAGES/messages.po",
)
"""What the page holds besides: if one of these changes, devices need the page anew."""
_WORKER = "worker.js"
_ELSEWHERE = {"pairing.js", "probe.js", "sign_out.js", "held.js"}
"""Files that are not part of the page, but of other pages."""


@cache
def served() -> dict[str, Path]:
    """All files by name, but for the worker. The reader of QR codes is among them only if it was
    built."""
    return {path.name: path for path in sorted(_SCRIPTS.rglob("*.js")) if path.name != _WORKER}


@cache
def scripts() -> dict[str, Path]:
    """The files that are part of the page, by name. Devices keep these."""
    return {name: path for name, path in served().items() if name not in _ELSEWHERE}


@cache
def version(*, rehearsal: bool) -> str:
    """A short hash of everything that the page holds, but for people. A rehearsal has versions of
    its own, since it may run at the address of the real server."""
    texts = [*served().values(), _SCRIPTS / _WORKER, *map(ROOT.joinpath, _ALSO)]
    texts += [*sorted(_SCRIPTS.glob("*.css")), *sorted((ROOT / "templates/door").glob("*.html"))]
    digest = hashlib.sha256(b"rehearsal" if rehearsal else b"")
    for path in texts:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def worker() -> str:
    """The text of the service worker, without its version and its list of files."""
    return (_SCRIPTS / _WORKER).read_text()
