"""Finds every route and every field it reads, so that tests try a new route without listing
it."""

import re
from collections import Counter
from collections.abc import Iterator

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from eventreg.core.door import check_in, gifts
from eventreg.core.door.check_in import Arrival
from eventreg.core.event import events
from eventreg.core.models.staff import StaffMember
from eventreg.core.registration import lookup, tickets
from eventreg.storage.session import reading
from tests.support.factories import PASSWORD, SECRET, House, local, toml, usual_hash
from tests.support.odd import Place, Sender, Watch, forms_of
from tests.support.pages import Page, get

GOOD = {"name": "王小明", "phone": "13800138000", "confirmed": "yes", "password": PASSWORD}
"""Values for fields that no page fills in. Every other field gets "1"."""


class Walk:
    """An app with registrations and accounts, all its places, and a count of the answers."""

    def __init__(self, house: House) -> None:
        self.house, self.watch = house, Watch(house)
        self.answered: Counter[int] = Counter()
        self.failed: list[str] = []
        house.app.testing = False  # show the error page instead of raising
        house.apply(toml(capacity=500, more="[waitlist]\nopen = true"))
        house.hire()
        house.now = local("2030-06-10 08:40")
        self.nobody, self.olga = Sender(house), Sender(house, self._sign_in)
        self.places = [
            place for rule in house.app.url_map.iter_rules() for place in self._of_rule(rule)
        ]
        self._learn()
        reading().rollback()  # PostgreSQL ends idle transactions

    def _sign_in(self) -> tuple[str, str]:
        """Sign Olga in, even if a request has changed her password or role. Returns her cookie and
        CSRF token."""
        with self.house.writing() as session:
            member = session.get_one(StaffMember, self.house.olga.staff_id)
            member.password_hash, member.totp_secret = usual_hash(), None
            member.role, member.disabled_at = "organiser", None
        client = self.house.signed_in("olga")
        reading().rollback()
        # The first page after signing in puts the token into the cookie.
        token = get(client, "/staff/").form("/sign-out").fields["csrf_token"]
        cookie = client.get_cookie("s")
        assert cookie is not None
        return f"s={cookie.value}", token

    def _of_rule(self, rule: Rule) -> Iterator[Place]:
        """The places of one route, with arguments that exist: a registration, a check-in, an
        account, a ticket."""
        made = self.house.register("张桂芳")
        with self.house.writing() as session:
            person = lookup.party(session, lookup.get(session, made.id))[0]
            event, by, now = events.get(session, "small"), self.house.dora, self.house.now
            arrival = check_in.check_in(
                session, event, Arrival(attendee_of(person), now, now), anyway=True, by=by
            )
            gifts.give(session, event, person.id, by=by, now=now)
            gift = gifts.standing(session, person.id)
            check_in.undo(session, event, arrival.check_in_id, by=by, now=now)
            gift_id = gift.id if gift else 0
        known = {
            "slug": "small",
            "lang": "zh",
            "filename": "staff/staff.css",
            "check_in_id": str(arrival.check_in_id),
            "gift_id": str(gift_id),
        }
        known["staff_id"] = str(self.house.dora.staff_id)
        token = tickets.token(SECRET, made.ticket_seed)
        numbered = set(re.findall(r"<(?:id|int):(\w+)>", rule.rule))
        given = {
            name: known.get(name, str(made.id) if name in numbered else token)
            for name in rule.arguments
        }
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Place(rule, method, given)

    def _learn(self) -> None:
        """Find the fields of each place: those in the forms of the pages and those the views
        read."""
        shown: dict[tuple[str, str], dict[str, str]] = {}
        for place in sorted(self.places, key=lambda place: place.method):
            path = place.path().decode()
            place.fields = dict(shown.get((place.method, path), {}))
            answer = self.olga.send(place)
            if answer.mimetype != "text/html":
                continue
            for method, action, fields in forms_of(Page(answer)):  # type: ignore[arg-type]
                target = re.split("[?#]", action)[0] or path
                shown[method, target] = fields | shown.get((method, target), {})
        for place in self.places:
            read = {
                name: GOOD.get(name, "1") for name in self.watch.read.get(place.rule.endpoint, ())
            }
            place.fields = {**read, **shown.get((place.method, place.path().decode()), {})}
            place.fields.pop("csrf_token", None)

    def note(self, answer: Response, *asked: object) -> None:
        """Count the answer, and note it as failed if its status is 500 or more."""
        self.answered[answer.status_code] += 1
        if answer.status_code >= 500:
            self.failed.append(
                f"{answer.status_code}: {' '.join(str(what)[:60] for what in asked)}"
            )


def attendee_of(person: object) -> str:
    """The id by which the forms of the door name this person."""
    return str(person.public_id)  # type: ignore[attr-defined]
