"""The page of a plain ticket, which nearly all guests see: its party has its seats, and nothing has
changed since. All other tickets are rendered by ``ticket``, from the same template."""

from dataclasses import dataclass

from flask import Response, current_app, g, request

from eventreg import i18n
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.registration import availability, lookup, tickets
from eventreg.core.registration.lookup import PlainTicket
from eventreg.core.values import phones
from eventreg.storage.session import db
from eventreg.web import guard, kept_pages, qr_code
from eventreg.web.event_facts import facts, moment
from eventreg.web.kept_pages import mark
from eventreg.web.public.just_done import NOTHING_LATELY
from eventreg.web.wire import browser

_TEMPLATE = "public/ticket/ticket.html"


@dataclass(frozen=True)
class Holder:
    """One person of a ticket."""

    name: str
    code: str
    digits: str
    """The code with its digits apart, so that a screen reader says each."""

    @staticmethod
    def of(name: str, code: str) -> "Holder":
        """This person."""
        return Holder(name, code, " ".join(code))


def answer(token: str) -> Response | None:
    """The page; ``None`` for any other ticket, and after the retention period."""
    plain = lookup.plain_ticket(db.engine, token)
    if plain is None:
        return None
    event = availability.of_version(db.engine, None, *plain.event)
    if events.is_past_keeping(event, g.now):
        return None
    g.registration_id = plain.registration_id  # for the log
    chosen = request.args.get("lang")
    if chosen not in i18n.LANGUAGES:
        chosen, g.language = None, plain.locale
    changeable, masked = g.now < event.starts_at, phones.masked(plain.phone_number)
    key = (
        *(event, moment(event), browser.in_chat_app(), chosen),
        *(changeable, bool(masked), len(plain.people)),
    )

    def made() -> dict[str, object]:
        return _marked(event, len(plain.people), mark("masked") if masked else "", changeable)

    kept = kept_pages.page(_TEMPLATE, key, made, path=f"/T/{mark('token')}")
    own = tickets.token(current_app.config["SECRET_KEY"], plain.seed)
    code = qr_code.svg(f"{guard.settings().public_url}/T/{own}".upper())
    return kept_pages.answer(kept, _texts(plain, token, own, masked), {"qr": code})


def _marked(event: Event, people: int, masked: str, changeable: bool) -> dict[str, object]:
    """The values of the template, with marks for what differs."""
    path = f"/T/{mark('own')}"
    return {
        "done": NOTHING_LATELY,
        "people": [
            Holder(*(mark(f"{what}{place}") for what in ("name", "code", "digits")))
            for place in range(people)
        ],
        "released": [],
        "masked": masked,
        "path": path,
        "changeable": changeable,
        "qr": mark("qr"),
        "address": guard.settings().public_url + path,
        "waiting": [],
        "waiting_people": 0,
        **facts(event),
    }


def _texts(plain: PlainTicket, token: str, own: str, masked: str) -> dict[str, str]:
    """The text for each mark."""
    texts = {"token": token, "own": own, "masked": masked}
    for place, (name, code) in enumerate(plain.people):
        holder = Holder.of(name, code)
        texts |= {
            f"name{place}": holder.name,
            f"code{place}": holder.code,
            f"digits{place}": holder.digits,
        }
    return texts
