"""Style sheets and scripts: public pages carry theirs inside, allowed by their hashes; staff pages
fetch theirs once."""

import base64
import hashlib
import re
from functools import cache

from eventreg.settings import ROOT

_STATIC = ROOT / "static"
_OWN = ("public/poster.css", "public/trouble.css")
"""Styles of single pages that stand inside them."""


def _squeezed(css: str) -> str:
    """Without comments and the spaces nobody needs: a third fewer bytes on each public page."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r"\s*([{};,>])\s*", r"\1", css).replace(";}", "}").strip()


@cache
def public_css() -> str:
    """What stands in the ``<style>`` of every public page."""
    return _squeezed(
        "".join((_STATIC / name).read_text() for name in ("tokens.css", "public/public.css"))
    )


@cache
def own_css(filename: str) -> str:
    """What stands in the ``<style>`` of one page besides."""
    return _squeezed((_STATIC / filename).read_text())


@cache
def public_js() -> str:
    """The script inside every public page, which none of them needs; without comments and
    indents."""
    lines = ((_STATIC / "public/public.js").read_text()).splitlines()
    return "\n".join(
        line.strip() for line in lines if line.strip() and not line.strip().startswith("//")
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def staff_css() -> str:
    """What stands in the ``<style>`` of every staff page: one request less, on the bad network of a
    hall."""
    return _squeezed(
        "".join((_STATIC / name).read_text() for name in ("tokens.css", "staff/staff.css"))
    )


@cache
def style_hashes() -> str:
    """The source expressions by which the content security policy allows exactly these styles."""
    return " ".join(_hashed(css) for css in (public_css(), staff_css(), *map(own_css, _OWN)))


@cache
def script_hash() -> str:
    """The one by which it allows exactly that script."""
    return _hashed(public_js())


@cache
def version(filename: str) -> str:
    """A few characters that change when the file does, so that browsers may keep it for ever."""
    return hashlib.sha256((_STATIC / filename).read_bytes()).hexdigest()[:12]


@cache
def text(filename: str) -> str:
    """A style sheet as it is, for a page that is saved as one file."""
    return (_STATIC / filename).read_text()
