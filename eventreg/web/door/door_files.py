"""The files of the door's script, and their version, which is part of their addresses."""

import hashlib
from functools import cache
from pathlib import Path

from eventreg.settings.table import ROOT

_SCRIPTS = ROOT / "static" / "door"
_BUILT = _SCRIPTS / "vendor"
_MAIN = "main.js"
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
def _modules() -> list[Path]:
    """Our own files, by name. The folders are for readers: all of them are served side by side, so
    each name is there once."""
    found = [path for path in _SCRIPTS.rglob("*.js") if path.parent != _BUILT]
    return sorted(found, key=lambda path: path.name)


@cache
def served() -> dict[str, Path]:
    """All files that a page of the door can ask for, by name. The reader of QR codes is among them
    only if it was built, and ``main.js`` holds all modules if they were put into one file."""
    modules = {path.name: path for path in _modules() if path.name != _WORKER}
    built = {path.name: path for path in sorted(_BUILT.glob("*.js")) if path.name != _MAIN}
    return modules | built | ({_MAIN: _BUILT / _MAIN} if _is_bundle_fresh() else {})


@cache
def scripts() -> dict[str, Path]:
    """The files that the page needs, by name: devices keep these. They are its modules, or the one
    file that holds them all."""
    if served()[_MAIN].parent == _BUILT:
        return {name: path for name, path in served().items() if path.parent == _BUILT}
    return {name: path for name, path in served().items() if name not in _ELSEWHERE}


def _is_bundle_fresh() -> bool:
    """Whether our modules were put into one file as they are now (script/scanner)."""
    sum_of_them = _BUILT / "main.sum"
    if not sum_of_them.exists() or not (_BUILT / _MAIN).exists():
        return False
    digest = hashlib.sha256()
    for path in _modules():
        digest.update(path.read_bytes())
    return digest.hexdigest() == sum_of_them.read_text().strip()


@cache
def text(name: str) -> str:
    """The text of a file without comments and indents, which would be a fifth of all bytes. No
    string of ours goes over several lines."""
    path = served()[name]
    if path.parent == _BUILT:
        return path.read_text()
    lines = (line.strip() for line in path.read_text().splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


@cache
def version(*, rehearsal: bool) -> str:
    """A short hash of everything that the page holds, but for people. A rehearsal has versions of
    its own, since it may run at the address of the real server."""
    texts = [*served().values(), _SCRIPTS / "device" / _WORKER, *map(ROOT.joinpath, _ALSO)]
    texts += [*sorted(_SCRIPTS.rglob("*.css")), *sorted((ROOT / "templates/door").glob("*.html"))]
    digest = hashlib.sha256(b"rehearsal" if rehearsal else b"")
    for path in texts:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def worker() -> str:
    """The text of the service worker, without its version and its list of files."""
    return (_SCRIPTS / "device" / _WORKER).read_text()
