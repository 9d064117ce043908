"""Style sheets and scripts. Pages carry their styles, and public pages their script, inline; the
content security policy allows them by their hashes."""

import base64
import hashlib
import re
from functools import cache

from eventreg.settings.table import ROOT

_STATIC = ROOT / "static"
_OWN = ("public/poster.css", "public/trouble.css")
"""Styles for a single page, inlined there."""


def _squeezed(css: str) -> str:
    """Remove comments and needless spaces: a third fewer bytes on each public page."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r"\s*([{};,>])\s*", r"\1", css).replace(";}", "}").strip()


@cache
def public_css() -> str:
    """The inline style of every public page."""
    return _squeezed(
        "".join((_STATIC / name).read_text() for name in ("tokens.css", "public/public.css"))
    )


@cache
def own_css(filename: str) -> str:
    """The additional inline style of one page. Browsers refuse it unless ``_OWN`` has the file."""
    return _squeezed((_STATIC / filename).read_text())


@cache
def public_js() -> str:
    """The inline script of every public page, without comments and indents. Pages work without
    it."""
    lines = ((_STATIC / "public/public.js").read_text()).splitlines()
    return "\n".join(
        line.strip() for line in lines if line.strip() and not line.strip().startswith("//")
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def staff_css() -> str:
    """The inline style of every staff page, which saves a request on a slow network."""
    return _squeezed(
        "".join((_STATIC / name).read_text() for name in ("tokens.css", "staff/staff.css"))
    )


@cache
def door_css() -> str:
    """The additional inline style of the door's page."""
    files = sorted((_STATIC / "door").rglob("*.css"), key=lambda path: path.name)
    return _squeezed("".join(path.read_text() for path in files))


@cache
def style_hashes() -> str:
    """The CSP source expressions that allow exactly these styles."""
    own = map(own_css, _OWN)
    return " ".join(_hashed(css) for css in (public_css(), staff_css(), door_css(), *own))


@cache
def script_hash() -> str:
    """The CSP source expression that allows exactly the public script."""
    return _hashed(public_js())


@cache
def version(filename: str) -> str:
    """A short hash of the file. It goes into the link, so browsers may keep the file for ever."""
    return hashlib.sha256((_STATIC / filename).read_bytes()).hexdigest()[:12]


@cache
def text(filename: str) -> str:
    """A style sheet unchanged, for a page that is saved as one file."""
    return (_STATIC / filename).read_text()
