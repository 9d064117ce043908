"""Factories for events, people and apps. Three staff members appear in the tests: Olga is the
organiser, Desmond works at the desk, Dora at the door."""

import contextvars
import itertools
import os
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from argon2 import PasswordHasher
from click.testing import Result
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from eventreg.app import create_app
from eventreg.core import audit
from eventreg.core.audit import Actor
from eventreg.core.event import event_file, events
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Registration, Source
from eventreg.core.models.staff import Role
from eventreg.core.organising import applying
from eventreg.core.registration import cancellations, lookup, seats
from eventreg.core.registration import register as registering
from eventreg.core.registration.entries import Entry, Made
from eventreg.core.staff import accounts
from eventreg.core.undo import undo as undoing
from eventreg.core.values import names, phones
from eventreg.settings import reading as settings_reading
from eventreg.storage.session import db, reading, transaction, write
from tests.support import shared  # noqa: F401 - what all apps share
from tests.support.pages import sign_in

ROOT = Path(__file__).resolve().parent.parent.parent
SHIPPED = ROOT / "events" / "june-10-self-care.toml"
SHANGHAI = timedelta(hours=8)
A_WEEK_BEFORE = datetime(2030, 6, 3, 2, 0, tzinfo=UTC)
"""Monday, June 3, 10:00 in Ningbo."""
PASSWORD = "宁波的夏天不冷"
"""The usual password. It is shorter than the present minimum; old passwords still sign in."""
LONG_PASSWORD = "宁波的夏天不冷，冬天要戴围巾。"
"""A password of the present minimum length."""
SECRET = "a secret that only tests know"
UNFINISHED = "?form="
"""In the address of an unfinished form."""
_numbers = itertools.count(10_000_000)


def local(text: str) -> datetime:
    """A moment in Ningbo, such as "2030-06-10 08:47"."""
    return datetime.fromisoformat(f"{text}+08:00")


def toml(slug: str = "small", capacity: int = 3, more: str = "", head: str = "") -> str:
    """A small event file, with other facts than the shipped one."""
    return f"""
slug = "{slug}"
capacity = {capacity}
timezone = "Asia/Shanghai"
starts_at = 2030-06-10T09:00:00
ends_at = 11:00:00
title = {{ zh = "书法课", en = "Calligraphy class" }}
{head}
[check_in]
opens_at = 08:45:00
closes_at = 09:00:00
[place]
name = {{ zh = "图书馆", en = "Library" }}
[phone_line]
number = "87654321"
area_code = "0574"
{more}
"""


@cache
def usual_hash() -> str:
    """A hash of the usual password that is quick to check: argon2id with little memory. The real
    parameters are tested in core/staff/test_accounts.py."""
    return PasswordHasher(memory_cost=64, time_cost=1, parallelism=1).hash(PASSWORD.encode())


def make_phone(number: str | None = None) -> phones.Phone:
    """That number, or a mobile number that is unique in the test."""
    return phones.parse(number or f"138{next(_numbers)}")


def make_entry(
    *people: str,
    phone: str | None = None,
    source: Source = Source.ONLINE,
    key: str = "",
    locale: str = "zh",
    **wishes: Any,
) -> Entry:
    """A filled-in form."""
    party = tuple(names.parse(name) for name in people or ("张桂芳",))
    return Entry(party, make_phone(phone), locale, source, key or uuid4().hex, **wishes)


class Browser(FlaskClient):
    """A browser without scripts. Each request runs in a context of its own, as on a server."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request, and follow it to the address of an unfinished form. Afterwards the test's
        session sees what the request changed."""
        answer = contextvars.Context().run(super().open, *args, **kwargs)
        if has_app_context():
            reading().rollback()
        there = answer.headers.get("Location", "")
        return self.get(there) if answer.status_code == 303 and UNFINISHED in there else answer


class House:
    """One app over its own instance folder. The test sets its clock: ``now``."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.now = A_WEEK_BEFORE
        given = {"EVENTREG_RATE_LIMITS": "off", "EVENTREG_SECRET_KEY": SECRET, **environment}
        self.settings = settings_reading.read({"EVENTREG_INSTANCE": str(folder), **given})
        self.app: Flask = create_app(self.settings, clock=lambda: self.now)
        self.app.testing = True
        self.app.test_client_class = Browser
        self.olga = self.desmond = self.dora = Actor("staff")

    def close(self) -> None:
        """Close the database connections."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def writing(self) -> AbstractContextManager[Session]:
        """A transaction. Works only inside ``app.app_context()``."""
        return transaction()

    def apply(self, text: str) -> Event:
        """Apply an event file."""
        with transaction() as session:
            return applying.apply(
                session, event_file.parse(text), by=audit.SYSTEM, now=self.now
            ).event

    def event(self, slug: str = "small") -> Event:
        """The event as it is stored now."""
        return events.get(reading(), slug)

    def register(self, *people: str, slug: str = "small", **entry: Any) -> Registration:
        """Register a party without using the pages."""
        source = Source(entry.pop("source", "online"))
        filled = make_entry(*people, source=source, **entry)

        def act(session: Session) -> Made:
            event = events.get(session, slug)
            return registering.register(
                session, event, filled, secret_key=SECRET, by=audit.REGISTRANT, now=self.now
            )

        return lookup.get(reading(), write(act).id)

    def seats(self, slug: str = "small") -> seats.SeatCount:
        """The seat counter, with what other processes have committed."""
        reading().rollback()
        return seats.count(reading(), self.event(slug).id, now=self.now)

    def cancel(self, made: Registration | int, *people: int, by: Actor = audit.SYSTEM) -> None:
        """Cancel these attendees, or the whole party if none are named."""
        registration_id = made if isinstance(made, int) else made.id

        def act(session: Session) -> None:
            found = with_event(session, lookup.get(session, registration_id))
            cancellations.cancel(session, *found, people, by=by, now=self.now)

        write(act)

    def run(self, *words: str) -> Result:
        """Run a command, as the operator types it."""
        reading().rollback()
        return self.app.test_cli_runner().invoke(args=list(words))

    def undo(self, made: Registration | int, *, by: Actor = audit.SYSTEM) -> None:
        """Undo the latest cancellation of the party."""
        registration_id = made if isinstance(made, int) else made.id

        def act(session: Session) -> None:
            found = with_event(session, lookup.get(session, registration_id))
            undoing.undo(session, *found, by=by, now=self.now)

        write(act)

    def put_first(self, made: Registration | int, *, by: Actor = audit.SYSTEM) -> None:
        """Put the people of the party's latest cancellation first in line."""
        registration_id = made if isinstance(made, int) else made.id

        def act(session: Session) -> None:
            found = with_event(session, lookup.get(session, registration_id))
            undoing.put_first(session, *found, secret_key=SECRET, by=by, now=self.now)

        write(act)

    def hire(self) -> None:
        """Create the accounts of Olga, Desmond and Dora."""
        with transaction() as session:
            self.olga, self.desmond, self.dora = (
                self._hired(session, name, role)
                for name, role in (
                    ("olga", Role.ORGANISER),
                    ("desmond", Role.DESK),
                    ("dora", Role.DOOR),
                )
            )

    def hired(self, name: str, role: Role) -> Actor:
        """Create one account with the usual password."""
        with transaction() as session:
            return self._hired(session, name, role)

    def _hired(self, session: Session, name: str, role: Role) -> Actor:
        member = accounts.add(session, name, role, by=audit.SYSTEM, now=self.now)
        member.password_hash = usual_hash()
        return Actor("staff", member.id, name, role)

    def signed_in(self, name: str) -> FlaskClient:
        """A browser in which this person has signed in."""
        client = self.client()
        assert sign_in(client, name, PASSWORD).status_code == 303
        return client

    def client(self) -> FlaskClient:
        """A browser without scripts. It asks for HTML, as browsers do."""
        client = self.app.test_client()
        client.environ_base["HTTP_ACCEPT"] = "text/html"
        return client


def with_event(session: Session, made: Registration) -> tuple[Event, Registration]:
    """The event and the registration, loaded in this session."""
    return session.get_one(Event, made.event_id), session.get_one(Registration, made.id)


def bare_environment(**more: str) -> dict[str, str]:
    """The environment variables of a program that a test starts. Warnings are errors, except for
    the sockets that waitress leaves open when it stops."""
    strict = "error,ignore:unclosed <socket:ResourceWarning"
    return {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": strict, **more}
