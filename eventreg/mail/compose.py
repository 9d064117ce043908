"""Compose one mail from the outbox in the language of its registration.

A calendar entry is attached, unless the party is waiting or the mail reports a waiting place or a
cancellation.
"""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

from flask import current_app, g, render_template

from eventreg.core import outbox
from eventreg.core.deliveries import Delivery
from eventreg.core.desk import attendee_list
from eventreg.core.event import calendar, events
from eventreg.core.models.event import Event
from eventreg.core.models.outbox import MessageKind
from eventreg.core.models.registration import Registration, RegistrationState
from eventreg.core.registration import lookup, waitlist
from eventreg.settings.table import Settings
from eventreg.storage.session import reading
from eventreg.web import addresses
from eventreg.web.event_facts import facts
from eventreg.web.language import say, words

_WITHOUT_CALENDAR = {MessageKind.WAITLISTED, MessageKind.CANCELLED}


class Unaddressable(Exception):
    """The e-mail address of the registration is not valid in a mail header."""


@dataclass(frozen=True)
class _About:
    """What a mail is about, as it is now."""

    kind: MessageKind
    registration: Registration
    event: Event
    settings: Settings


def compose(delivery: Delivery, *, now: datetime) -> EmailMessage:
    """Compose the mail with headers, text and attachment. Raises ``Unaddressable``. Sets ``g.now``
    and ``g.language``.

    One delivery always has the same Message-ID, so that mail programs show a mail that was sent
    twice only once. If it is owed once more, after an undone cancellation, it is a new mail.
    """
    registration = lookup.get(reading(), delivery.registration_id)
    event = events.get(reading(), delivery.slug)
    settings: Settings = current_app.extensions["settings"]
    about = _About(delivery.kind, registration, event, settings)
    g.now, g.language = now, registration.locale
    subject, _, text = _text(about).partition("\n\n")
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_sender_name(event), addr_spec=settings.mail_from)
    mail["To"] = _recipient(registration)
    mail["Subject"] = " ".join(subject.split())
    mail["Date"] = format_datetime(now)
    host = urlsplit(settings.public_url).hostname
    owed = f"{delivery.message_id}.{int(delivery.owed_since.timestamp())}"
    mail["Message-ID"] = f"<{owed}.{registration.ticket_digest[:16]}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="base64")
    _attach_calendar(mail, about)
    return mail


def _text(about: _About) -> str:
    """The subject, an empty line, and the body."""
    registration, event = about.registration, about.event
    people = attendee_list.of_registration(reading(), registration.id)
    waits = registration.state == RegistrationState.WAITLISTED
    folder = "mail/notices" if about.kind in outbox.NOTICES else "mail"
    return render_template(
        f"{folder}/{about.kind}.{registration.locale}.txt",
        people=[person for person in people if person.is_live] or people,
        ticket=about.settings.public_url + addresses.ticket(registration),
        page=addresses.event_page(event.slug, registration.locale),
        phone=registration.phone_number,
        position=waitlist.position(reading(), registration) if waits else 0,
        **facts(event),
    )


def _attach_calendar(mail: EmailMessage, about: _About) -> None:
    """Attach the event's calendar entry, unless the party waits or this kind of mail has none."""
    if about.kind in _WITHOUT_CALENDAR or about.registration.state == RegistrationState.WAITLISTED:
        return
    event, language = about.event, about.registration.locale
    mail.add_attachment(
        calendar.entry(event, language, page=addresses.event_page(event.slug, language)),
        maintype="text",
        subtype="calendar",
        filename=f"{event.slug}.ics",
        params={"charset": "utf-8", "method": "PUBLISH"},
    )


def _recipient(registration: Registration) -> Address:
    try:
        return Address(addr_spec=registration.email or "")
    except (ValueError, IndexError) as error:
        raise Unaddressable from error


def _sender_name(event: Event) -> str:
    return words(events.definition(event).site.short_name) or say("site_name")
