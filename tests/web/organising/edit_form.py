"""The form in which an organiser edits an event, and the page that shows what would change."""

import html

from flask.testing import FlaskClient

from eventreg.core.event import events
from eventreg.core.organising import drafts
from eventreg.storage.session import reading
from tests.support.pages import Form, Page, get

DESK = "/staff/events/small"
EDIT = f"{DESK}/edit"


def whole_form(page: Page) -> Form:
    """The form with every fact and text."""
    return next(form for form in page.forms if form.id == "event")


def checked(client: FlaskClient, **typed: str) -> Page:
    """Change something in the form. Returns the page that shows what would change."""
    form = whole_form(get(client, EDIT))
    named = {name.replace("__", "."): value for name, value in typed.items()}
    return Page(client.post(EDIT, data={**with_texts(client, form), **named}))


def with_texts(client: FlaskClient, form: Form) -> dict[str, str]:
    """The form's fields, with the texts of its larger boxes."""
    definition = events.definition(events.get(reading(), "small"))
    return {**drafts.values(definition), **form.fields}


def proposal(page: Page) -> str:
    """The event file that the check page carries."""
    text = page.html.partition('<textarea name="toml" hidden>')[2].partition("</textarea>")[0]
    return html.unescape(text)


def apply(client: FlaskClient, page: Page, **more: str) -> str:
    """Press the button of that page. Returns where it leads."""
    form = page.form("/apply")
    plain = proposal(page)
    answer = client.post(form.action, data={**form.fields, "toml": plain, "tell": "", **more})
    assert answer.status_code == 303, Page(answer).text
    return str(answer.headers["Location"])
