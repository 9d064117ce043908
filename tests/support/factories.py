"""Makers of events, people and houses. The cast: Olga organises, Desmond sits at the desk, Dora
stands at the door."""

import contextvars
import itertools
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from argon2 import PasswordHasher
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from eventreg import settings
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
from eventreg.core.values import names, phones
from eventreg.storage.session import db, reading, transaction, write
from tests.support.pages import sign_in

ROOT = Path(__file__).resolve().parent.parent.parent
SHIPPED = ROOT / "events" / "june-10-self-care.toml"
SHANGHAI = timedelta(hours=8)
A_WEEK_BEFORE = datetime(2030, 6, 3, 2, 0, tzinfo=UTC)
"""Monday, June 3, 10:00 in Ningbo."""
PASSWORD = "宁波的夏天不冷"
"""The usual one, of the days when seven characters were enough: it still signs in."""
LONG_PASSWORD = "宁波的夏天不冷，冬天要戴围巾。"
"""One that may be chosen today."""
SECRET = "a secret that only tests know"
_numbers = itertools.count(10_000_000)


def local(text: str) -> datetime:
    """A moment in Ningbo, such as "2030-06-10 08:47"."""
    return datetime.fromisoformat(f"{text}+08:00")


def toml(slug: str = "small", capacity: int = 3, more: str = "", head: str = "") -> str:
    """A small event file with other facts than the shipped one."""
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
    """A hash of the usual password that is quick to check: argon2id as in the house, with less
    memory. How the house itself hashes is tested in core/staff/test_accounts.py."""
    return PasswordHasher(memory_cost=64, time_cost=1, parallelism=1).hash(PASSWORD.encode())


class Compiled(BytecodeCache):
    """Templates as Jinja compiled them, for all houses of a process; Jinja itself compares them
    with their sources."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """What another house compiled."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it for the next house."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


_compiled = Compiled()
_builders: dict[tuple[str, ...], Callable[..., tuple[str, str]]] = {}


class KnownRule(Rule):
    """A route that takes over what an earlier house of this process compiled for the same route. It
    is half of the time that a house takes."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        known = (self.rule, repr(self._trace), repr(self.defaults), str(append_unknown))
        if known not in _builders:
            _builders[known] = super()._compile_builder(append_unknown)
        return _builders[known]


Flask.url_rule_class = KnownRule


def make_phone(number: str | None = None) -> phones.Phone:
    """A mobile number that nobody else in the test has."""
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
    """A browser without scripts. Each request has a context of its own, as on a server, and not the
    test's."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Ask, and let the test's own session see what the request has changed."""
        answer = contextvars.Context().run(super().open, *args, **kwargs)
        if has_app_context():
            reading().rollback()
        return answer


class House:
    """One running eventreg over its own folder, with a clock that a test sets."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.now = A_WEEK_BEFORE
        given = {"EVENTREG_RATE_LIMITS": "off", "EVENTREG_SECRET_KEY": SECRET, **environment}
        self.settings = settings.read({"EVENTREG_INSTANCE": str(folder), **given})
        self.app: Flask = create_app(self.settings, clock=lambda: self.now)
        self.app.testing = True
        self.app.jinja_env.bytecode_cache = _compiled
        self.app.test_client_class = Browser
        self.olga = self.desmond = self.dora = Actor("staff")

    def close(self) -> None:
        """Give the database's connections back."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def writing(self) -> AbstractContextManager[Session]:
        """A transaction; only inside ``app.app_context()``."""
        return transaction()

    def apply(self, text: str) -> Event:
        """Apply an event file."""
        with transaction() as session:
            return applying.apply(
                session, event_file.parse(text), by=audit.SYSTEM, now=self.now
            ).event

    def event(self, slug: str = "small") -> Event:
        """The event as it is now."""
        return events.get(reading(), slug)

    def register(self, *people: str, slug: str = "small", **entry: Any) -> Registration:
        """Somebody registers, past the pages."""
        source = Source(entry.pop("source", "online"))
        filled = make_entry(*people, source=source, **entry)

        def act(session: Session) -> Made:
            event = events.get(session, slug)
            return registering.register(
                session, event, filled, secret_key=SECRET, by=audit.REGISTRANT, now=self.now
            )

        return lookup.get(reading(), write(act).id)

    def seats(self, slug: str = "small") -> seats.SeatCount:
        """The counter as it is now, whatever other processes have done."""
        reading().rollback()
        return seats.count(reading(), self.event(slug).id, now=self.now)

    def cancel(self, made: Registration | int, *people: int, by: Actor = audit.SYSTEM) -> None:
        """Somebody gives seats back: all of the party, or these people's."""
        registration_id = made if isinstance(made, int) else made.id

        def act(session: Session) -> None:
            found = with_event(session, lookup.get(session, registration_id))
            cancellations.cancel(session, *found, people, by=by, now=self.now)

        write(act)

    def hire(self) -> None:
        """Give Olga, Desmond and Dora their accounts."""
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
        """One account with the usual password."""
        with transaction() as session:
            return self._hired(session, name, role)

    def _hired(self, session: Session, name: str, role: Role) -> Actor:
        member = accounts.add(session, name, role, by=audit.SYSTEM, now=self.now)
        member.password_hash = usual_hash()
        return Actor("staff", member.id, name, role)

    def signed_in(self, name: str) -> FlaskClient:
        """The browser of Olga, Desmond or Dora."""
        client = self.client()
        assert sign_in(client, name, PASSWORD).status_code == 303
        return client

    def client(self) -> FlaskClient:
        """A browser without scripts."""
        return self.app.test_client()


def with_event(session: Session, made: Registration) -> tuple[Event, Registration]:
    """A registration as this session knows it, with its event."""
    return session.get_one(Event, made.event_id), session.get_one(Registration, made.id)


def bare_environment(**more: str) -> dict[str, str]:
    """The environment of a program that a test starts: only what it needs. Warnings are errors, but
    for the sockets that waitress leaves to the interpreter when it is told to stop."""
    strict = "error,ignore:unclosed <socket:ResourceWarning"
    return {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": strict, **more}
