"""Reads a page as a browser without scripts: its text and its forms."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@dataclass
class Form:
    """One form: its action, its fields, and what each button adds."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    id: str = ""


class Page(HTMLParser):
    """A parsed page. ``kind`` is the data-page of its ``<main>``, ``data`` all its attributes."""

    def __init__(self, response: TestResponse) -> None:
        super().__init__()
        self.status = response.status_code
        self.html = response.get_data(as_text=True)
        self.kind = ""
        self.data: dict[str, str | None] = {}
        self.forms: list[Form] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._words: list[str] = []
        self._inside: list[str] = []
        self._select = self._area = ""
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect forms and attributes."""
        given = dict(attrs)
        self.tags.append((tag, given))
        self._inside.append(tag)
        if tag == "main":
            self.kind = given.get("data-page") or ""
            self.data = given
        if tag == "form":
            self.forms.append(
                Form(
                    given.get("action") or "",
                    given.get("method") or "get",
                    id=given.get("id") or "",
                )
            )
        chosen = given.get("type") not in {"radio", "checkbox"} or "checked" in given
        if self.forms and tag == "input" and given.get("name") and chosen:
            self.forms[-1].fields[str(given["name"])] = given.get("value") or ""
        if tag == "select":
            self._select = given.get("name") or ""
        if self.forms and tag == "option" and self._select:
            # A browser sends the first option if none is selected.
            first = self._select not in self.forms[-1].fields
            if first or "selected" in given:
                self.forms[-1].fields[self._select] = given.get("value") or ""
        if tag == "textarea" and self.forms:
            self._area = given.get("name") or ""
            self.forms[-1].fields[self._area] = ""
        if self.forms and tag == "button":
            added = {str(given["name"]): given.get("value") or ""} if given.get("name") else {}
            self.forms[-1].buttons.append((given.get("class") or "", added))

    def handle_endtag(self, tag: str) -> None:
        """Leave a tag."""
        if tag in {"select", "textarea"}:
            self._select = self._area = ""
        if tag in self._inside:
            while self._inside.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Collect text outside styles and scripts, and what stands in a textarea."""
        if self._area:
            self.forms[-1].fields[self._area] += data
        if not {"style", "script"} & set(self._inside):
            self._words.append(data)

    @property
    def text(self) -> str:
        """The text of the page."""
        return " ".join(" ".join(self._words).split())

    def having(self, attribute: str) -> list[dict[str, str | None]]:
        """The elements with that attribute."""
        return [attrs for _, attrs in self.tags if attribute in attrs]

    def form(self, ending: str = "") -> Form:
        """The first form with method POST whose action ends so."""
        posting = [form for form in self.forms if form.method == "post"]
        return next(form for form in posting if form.action.split("#")[0].endswith(ending))


def count_codes(page: Page) -> int:
    """The number of check-in codes on a page."""
    return len(page.having("data-code"))


def get(client: FlaskClient, address: str, **more: Any) -> Page:
    """Open an address."""
    return Page(client.get(address, **more))


def fill(client: FlaskClient, address: str, **typed: str) -> TestResponse:
    """Open a page, fill in its form and send it."""
    form = get(client, address).form()
    return client.post(form.action.split("#")[0] or address, data={**form.fields, **named(typed)})


def named(typed: dict[str, str]) -> dict[str, str]:
    """Keyword arguments as names of fields: companion_1 becomes companion-1."""
    return {name.replace("companion_", "companion-"): value for name, value in typed.items()}


def book(
    client: FlaskClient, slug: str = "small", language: str = "zh", **typed: str
) -> TestResponse:
    """Register as a guest does: form, check page, button. Returns the last answer."""
    address = f"/{language}/events/{slug}/register"
    answer = fill(client, address, **typed)
    checked = Page(answer)
    if checked.kind != "check":
        return answer
    form = checked.form("/register")
    return client.post(form.action, data=form.fields)


def sign_in(client: FlaskClient, name: str, password: str) -> TestResponse:
    """Sign in as staff."""
    return fill(client, "/staff/sign-in", username=name, password=password)
