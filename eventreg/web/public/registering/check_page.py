"""The check page: everything that a guest typed, before the seats are taken."""

from dataclasses import dataclass

from flask import Response, render_template

from eventreg.core.models.event import Event
from eventreg.core.values import phones
from eventreg.web import kept_pages
from eventreg.web.event_facts import facts, moment
from eventreg.web.forms.guest_form import GuestForm
from eventreg.web.kept_pages import mark
from eventreg.web.limits.limits import TooOften

_TEMPLATE = "public/registering/check.html"


@dataclass(frozen=True)
class _Shape:
    """What the page depends on besides its event, the moment and the texts."""

    people: int
    waits: bool
    wants_waitlist: bool
    has_address: bool
    """Whether the form came back under an address of its own."""


def answer(event: Event, sent: GuestForm) -> Response | str:
    """The page of a valid form."""
    names, left = [name.typed for name in sent.party()], sent.counted.left
    shape = _Shape(len(names), left < len(names), sent.wants_waitlist, bool(sent.unfinished))
    if sent.wants_split:
        return _rendered(event, sent, names, waits=shape.waits, splits=left > 0)

    def made() -> dict[str, object]:
        marks = [mark(f"party{place}") for place in range(len(names))]
        return _values(event, _marked(event, sent), marks, mark("shown"), waits=shape.waits)

    kept = kept_pages.page(_TEMPLATE, (event, moment(event), shape), made)
    return kept_pages.answer(kept, _texts(sent, names))


def with_wait(event: Event, sent: GuestForm, wait: TooOften, *, many_here: bool) -> str:
    """The page of a valid form that a limit refuses until later."""
    names, left = [name.typed for name in sent.party()], sent.counted.left
    return _rendered(
        event,
        sent,
        names,
        wait=wait,
        many_here=many_here,
        waits=left < len(names),
        splits=sent.wants_split and left > 0,
    )


def _rendered(event: Event, sent: GuestForm, names: list[str], **more: object) -> str:
    return render_template(_TEMPLATE, **_values(event, sent, names, _shown(sent), **more))


def _values(
    event: Event, form: GuestForm, names: list[str], shown: str, **more: object
) -> dict[str, object]:
    return {"form": form, "names": names, "shown": shown, **more, **facts(event)}


def _shown(sent: GuestForm) -> str:
    return phones.shown(sent.phone.parsed.number)


def _marked(event: Event, sent: GuestForm) -> GuestForm:
    """A form with marks for everything that was typed."""
    typed = {name: mark(_plain(name)) for name in sent.fields}
    wish = {"waitlist": "yes"} if sent.wants_waitlist else {}
    form = GuestForm(event, None, sent.counted, {**typed, **wish})
    form.token = mark("token")
    form.unfinished = mark("unfinished") if sent.unfinished else ""
    return form


def _texts(sent: GuestForm, names: list[str]) -> dict[str, str]:
    """The text for each mark."""
    return {
        "token": sent.token,
        "unfinished": sent.unfinished,
        "shown": _shown(sent),
        **{_plain(name): one.data for name, one in sent.fields.items()},
        **{f"party{place}": name for place, name in enumerate(names)},
    }


def _plain(field: str) -> str:
    return field.replace("-", "")
