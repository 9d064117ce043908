"""A form with marks in place of what was typed, to render a page that is kept (``kept_pages``)."""

from eventreg.core.models.event import Event
from eventreg.web.forms.guest_form import GuestForm
from eventreg.web.kept_pages import mark


def of(event: Event, sent: GuestForm) -> GuestForm:
    """The form with a mark for each text that was typed. Empty companions get none."""
    typed = {name: mark(_plain(name)) for name, one in sent.fields.items() if one.data}
    wish = {"waitlist": "yes"} if sent.wants_waitlist else {}
    form = GuestForm(event, None, sent.counted, {**typed, **wish})
    form.token = mark("token")
    form.unfinished = mark("unfinished") if sent.unfinished else ""
    return form


def texts(sent: GuestForm) -> dict[str, str]:
    """The text for each mark."""
    typed = {_plain(name): one.data for name, one in sent.fields.items()}
    return {"token": sent.token, "unfinished": sent.unfinished, **typed}


def shape(sent: GuestForm) -> tuple[bool, ...]:
    """What a page with this form depends on besides these texts."""
    filled = (bool(one.data) for one in sent.fields.values())
    return (sent.wants_waitlist, sent.was_confirmed, bool(sent.unfinished), *filled)


def _plain(field: str) -> str:
    return field.replace("-", "")
