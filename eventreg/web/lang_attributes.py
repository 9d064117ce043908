"""Mark Chinese text in English pages, so that a screen reader reads it with its Chinese voice.

This happens to every English page after it is rendered. Chinese pages are left alone: a Chinese
voice reads the few Latin words in them well enough.
"""

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask, current_app, g, template_rendered
from flask.templating import Environment
from jinja2 import Template

from eventreg import i18n

_HAN = "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_RUN = re.compile(f"{_HAN}+(?:(?:[\u3000-\u303f\uff00-\uff65·]+| ?[A-Z0-9]{{1,12}} ?){_HAN}+)*")
"""A run of Chinese includes the punctuation and figures inside it: 浙ICP备 1 号 is one run."""
_PIECES = re.compile(r"(<!--.*?-->|<[^>]*>)", re.S)
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)")
_LANG = re.compile(r""" lang=["']?([\w-]+)""")
_TEXT_ONLY = {"title", "textarea", "option", "style", "script", "svg"}
"""Elements that may contain no other element."""


class _Position:
    """The position in the page: the open elements that matter, and the language of the text."""

    def __init__(self) -> None:
        # for each: the element's name, its language, and how many of that name are open in it
        self._within: list[list[Any]] = [["", "en", 0]]

    @property
    def is_english(self) -> bool:
        """Whether Chinese text here needs a mark."""
        return str(self._within[-1][1]).startswith("en")

    def move_past(self, piece: str) -> None:
        """Move past a tag. Elements that set a language, or may hold only text, are remembered
        until they close."""
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


def pieces(page: str, language: str) -> Iterator[tuple[str, bool]]:
    """The page in pieces: its tags and the texts between them. With each, whether it is a text in
    which Chinese has to be marked."""
    if language != "en":
        yield page, False
        return
    position = _Position()
    for number, piece in enumerate(_PIECES.split(page)):
        if number % 2:
            position.move_past(piece)
            yield piece, False
        else:
            yield piece, position.is_english


def mark_text(text: str) -> str:
    """The text with each run of Chinese inside a ``<span lang>``."""
    if text.isascii():
        return text
    return _RUN.sub(rf'<span lang="{i18n.TAGS["zh"]}">\g<0></span>', text)


def marked(page: str) -> str:
    """The English page with each run of Chinese marked."""
    return "".join(
        mark_text(piece) if is_english else piece for piece, is_english in pieces(page, "en")
    )


class _Page(Template):
    """A template that marks Chinese in what it renders, if that is an English page."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        """Render as Jinja does, then mark."""
        made = super().render(*args, **kwargs)
        is_page = (self.name or "").endswith(".html") and g.get("language") == "en"
        return marked(made) if is_page else made

    def render_unmarked(self, values: dict[str, object]) -> str:
        """Render as Jinja does."""
        return super().render(values)


def unmarked(template: str, **values: object) -> str:
    """The page of a template in which Chinese is not yet marked."""
    current_app.update_template_context(values)
    page: _Page = current_app.jinja_env.get_template(template)  # type: ignore[assignment]
    made = page.render_unmarked(values)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    template_rendered.send(app, template=page, context=values)
    return made


def init_app(app: Flask) -> None:
    """Mark Chinese text in the English pages of this app."""
    environment: Environment = app.jinja_env
    environment.template_class = _Page
