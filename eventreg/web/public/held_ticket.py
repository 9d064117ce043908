"""Open a ticket by its token, and say why it cannot be changed. All pages below a ticket's address
share this."""

from flask import g, redirect, render_template, request

from eventreg import i18n
from eventreg.core.desk import attendee_list
from eventreg.core.desk.attendee_rows import Row
from eventreg.core.errors import Refusal
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Registration, RegistrationState
from eventreg.core.registration import lookup
from eventreg.storage.session import reading
from eventreg.web import addresses
from eventreg.web.event_facts import facts
from eventreg.web.language import say
from eventreg.web.limits import limits
from eventreg.web.wire.answers import Answer


def by_token(token: str) -> tuple[Registration, Event]:
    """The registration of a ticket's token, and its event.

    Also switches the page to the registration's language, unless the address asks for another.
    Raises ``RegistrationUnknown`` for an unknown token, and ``TooOften`` after many of them.
    """
    with limits.secret_tried():
        registration, event = lookup.by_token(reading(), token)
    g.registration_id = registration.id  # for the log
    if request.args.get("lang") not in i18n.LANGUAGES:
        g.language = registration.locale
    return registration, event


def live_people(registration: Registration) -> list[Row]:
    """The people of a registration whose seats are not cancelled."""
    people = attendee_list.of_registration(reading(), registration.id)
    return [person for person in people if person.is_live]


def released_people(registration: Registration) -> list[Row]:
    """The people of a registration whose seats were given away because they had not come."""
    people = attendee_list.of_registration(reading(), registration.id)
    return [person for person in people if person.released_at]


def instead_of_asking(registration: Registration, event: Event, too_late: Refusal) -> Answer | None:
    """The answer if the ticket cannot be changed any more: it is cancelled, or the event has begun.

    ``None`` if it can. The core checks again when the change is made.
    """
    if registration.state == RegistrationState.CANCELLED:
        return redirect(addresses.to(addresses.ticket(registration)), 303)
    return refusal_page(registration, event, too_late) if g.now >= event.starts_at else None


def refusal_page(registration: Registration, event: Event, refusal: Refusal) -> tuple[str, int]:
    """The page that says why something was refused, with the way back and the telephone."""
    heading = say(f"refused_{refusal.code}")
    path = addresses.ticket(registration)
    page = render_template("public/error.html", heading=heading, ticket_path=path, **facts(event))
    return page, 409
