"""The check page: everything that a guest typed, before the seats are taken."""

from flask import Response, render_template

from eventreg.core.models.event import Event
from eventreg.core.values import phones
from eventreg.web import kept_pages
from eventreg.web.event_facts import facts, moment
from eventreg.web.forms.guest_form import GuestForm
from eventreg.web.kept_pages import mark
from eventreg.web.limits.limits import TooOften
from eventreg.web.public.registering import marked_form

_TEMPLATE = "public/registering/check.html"


def answer(event: Event, sent: GuestForm) -> Response | str:
    """The page of a valid form."""
    names, left = [name.typed for name in sent.party()], sent.counted.left
    waits = left < len(names)
    if sent.wants_split:
        return _rendered(event, sent, names, waits=waits, splits=left > 0)

    def made() -> dict[str, object]:
        marks = [mark(f"party{place}") for place in range(len(names))]
        return _values(event, marked_form.of(event, sent), marks, mark("shown"), waits=waits)

    key = (event, moment(event), waits, len(names), marked_form.shape(sent))
    kept = kept_pages.page(_TEMPLATE, key, made)
    people = {f"party{place}": name for place, name in enumerate(names)}
    return kept_pages.answer(kept, {**marked_form.texts(sent), "shown": _shown(sent), **people})


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
