"""Chinese inside English: a screen reader needs to know that it should read the name of a bridge
with its Chinese voice.

Every English page goes through here once it is rendered, so that no template has to think of it.
Chinese pages do not: a Chinese voice reads the few Latin words in them well enough.
"""

import re
from typing import Any

from flask import Flask, g
from flask.templating import Environment
from jinja2 import Template

from eventreg import i18n

_HAN = "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_RUN = re.compile(f"{_HAN}+(?:(?:[\u3000-\u303f\uff00-\uff65·]+| ?[A-Z0-9]{{1,12}} ?){_HAN}+)*")
"""With the signs and figures in it: 浙ICP备 1 号 is one run."""
_PIECES = re.compile(r"(<!--.*?-->|<[^>]*>)", re.S)
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)")
_LANG = re.compile(r""" lang=["']?([\w-]+)""")
_TEXT_ONLY = {"title", "textarea", "option", "style", "script", "svg"}
"""What may hold no element of another language."""


class _Place:
    """Where in the page we are: inside what, and in which language."""

    def __init__(self) -> None:
        self._within: list[list[Any]] = [["", "en", 0]]

    @property
    def speaks_english(self) -> bool:
        """Whether text here is to be marked where it is Chinese."""
        return str(self._within[-1][1]).startswith("en")

    def passes(self, piece: str) -> None:
        """A tag: elements with a language of their own, or that hold only text, are remembered
        until they end."""
        found = _TAG.match(piece)
        if found is None:
            return
        closes, name, innermost = found[1], found[2], self._within[-1]
        if closes:
            if name == innermost[0]:
                innermost[2] -= 1
                if not innermost[2]:
                    self._within.pop()
            return
        lang = _LANG.search(piece) if " lang=" in piece else None
        if name in _TEXT_ONLY or lang:
            self._within.append([name, "none" if name in _TEXT_ONLY or not lang else lang[1], 1])
        elif name == innermost[0]:
            innermost[2] += 1


def marked(page: str) -> str:
    """The English page with each run of Chinese in an element that says so."""
    pieces, place = _PIECES.split(page), _Place()
    for number, piece in enumerate(pieces):
        if number % 2:
            place.passes(piece)
        elif not piece.isascii() and place.speaks_english:
            pieces[number] = _RUN.sub(rf'<span lang="{i18n.TAGS["zh"]}">\g<0></span>', piece)
    return "".join(pieces)


class _Page(Template):
    """A template that marks what it has rendered, if it is a page in English."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        """As Jinja renders it."""
        made = super().render(*args, **kwargs)
        is_page = (self.name or "").endswith(".html") and g.get("language") == "en"
        return marked(made) if is_page else made


def init_app(app: Flask) -> None:
    """All templates of this app are such."""
    environment: Environment = app.jinja_env
    environment.template_class = _Page
