"""Render every page in both languages: no template is left out, no sentence is missing."""

import re

import pytest
from flask import Flask, g, template_rendered
from flask.testing import FlaskClient
from jinja2 import Template

from eventreg.core import audit
from eventreg.core.registration import cancellations, lookup, tickets
from eventreg.core.staff import accounts, second_factor
from eventreg.storage.session import transaction
from eventreg.web.public import outage_page
from tests.support.door.line import walk_line
from tests.support.door.pages_of_doors import walk_doors
from tests.support.factories import PASSWORD, ROOT, SECRET, House, local, toml, with_event
from tests.support.pages import Page, book, fill, get, sign_in

TEMPLATES = ROOT / "templates"

PARTS = {
    "desk/import_columns.html",
    "base.html",
    "staff.html",
    "staff_parts.html",
    "desk/dashboard/bursts.html",
    "desk/dashboard/latest.html",
    "desk/dashboard/morning.html",
    "desk/registration/correct.html",
    "desk/registration/facts.html",
    "desk/registration/gone.html",
    "desk/registration/history.html",
    "desk/registration/read_back.html",
    "door/parts/app.html",
    "door/parts/app_script.html",
    "door/parts/door.html",
    "door/parts/gift_people.html",
    "door/parts/live.html",
    "door/parts/got.html",
    "door/people.html",
    "door/parts/suggestion.html",
    "door/told.html",
    "organising/fields.html",
    "print/check_in_buttons.html",
    "print/queue_sign.html",
    "public/event_people.html",
    "public/event_search.html",
    "public/fields.html",
    "public/parts.html",
    "public/pictures.html",
    "public/telephone.html",
    "public/ticket/undo.html",
    "public/typed.html",
    "rehearsal.html",
}
"""Templates that are parts of pages."""


def walk_public(house: House, language: str) -> None:
    """Open all pages for guests."""
    guest, register = house.client(), f"/{language}/events/small/register"
    for path in (
        "/",
        "/events/small",
        "/events/small/poster",
        "/privacy",
        "/accessibility",
        "/nothing",
        "/events/small/register",
    ):
        get(guest, f"/{language}{path}")
    ticket = book(
        guest, language=language, name="张桂芳", companion_1="王建国", phone="13800138000"
    ).headers["Location"]
    get(guest, ticket)
    book(guest, language=language, name="张桂芳", phone="13800138000")
    form = get(guest, register).form("/register").fields
    house.register("李一", "李二")
    house.register("李三")
    get(guest, register)
    assert (
        Page(guest.post(register, data={**form, "name": "赵一", "phone": "13900139000"})).kind
        == "full"
    )
    offered = Page(
        guest.post(register, data={**form, "name": "赵一", "phone": "13900139000"})
    ).form("/register")
    waiting = book(guest, language=language, **offered.fields).headers["Location"]
    assert get(guest, f"{waiting}?lang={language}").kind == "waitlisted"
    assert get(guest, f"{waiting}/cancel?lang={language}").kind == "cancel"
    assert get(guest, f"{ticket}/cancel?lang={language}").kind == "cancel"
    assert get(guest, f"{ticket}/change?lang={language}").kind == "change"
    assert get(guest, f"/{language}/find").kind == "find"
    assert Page(guest.post(f"/{language}/find", data={"name": "张桂芳"})).kind == "find"
    with house.app.test_request_context():
        g.language = language
        assert 'data-page="error"' in outage_page.page()
    with transaction() as session:
        made, _ = lookup.by_token(session, ticket.rsplit("/", 1)[1])
        cancellations.cancel(session, *with_event(session, made), by=audit.SYSTEM, now=house.now)
    assert get(guest, f"{ticket}?lang={language}").kind == "cancelled"


def walk_staff(house: House, language: str) -> None:
    """Open all pages for staff."""
    with transaction() as session:
        link = accounts.make_link(
            session, accounts.by_name(session, "dora"), by=audit.SYSTEM, now=house.now
        )
    olga = house.client()
    get(olga, f"/staff/welcome/{link}?lang={language}")
    sign_in(olga, "olga", PASSWORD)
    desk = "/staff/events/small"
    for path in (
        "/staff/",
        "/staff/status",
        desk,
        f"{desk}/attendees?q=x",
        f"{desk}/attendees",
        f"{desk}/registrations/new",
        f"{desk}/check-in-list?signs=yes",
        f"{desk}/check-in-list?list=waiting",
        f"{desk}/calls?anyway=yes",
        f"{desk}/calls/sheet",
        f"{desk}/numbers",
        f"{desk}/paper",
        f"{desk}/import",
        f"{desk}/report",
        f"{desk}/audit",
        f"{desk}/forget",
        f"{desk}/duplicates",
        f"{desk}/registrations/2/erase",
        f"{desk}/registrations/2/cancel",
        f"{desk}/telephones",
        f"{desk}/owed-gifts",
        f"{desk}/to-settle",
        "/staff/accounts",
        "/staff/me",
        "/staff/password",
        "/staff/events/new",
        "/staff/events/new?from=small&date=2030-07-08",
        f"{desk}/edit",
    ):
        assert get(olga, f"{path}{'&' if '?' in path else '?'}lang={language}").status == 200
    walk_forms(olga, desk)
    walk_burst(house, olga, desk)
    form = get(olga, f"{desk}/registrations/new").form()
    assert get(olga, f"{desk}/registrations/2?read=1").status == 200
    fill(olga, f"{desk}/registrations/new", name="", phone="1")
    fill(olga, f"{desk}/registrations/new", name="李一", phone="13900139000")
    with transaction() as session:
        accounts.end_sessions(session, accounts.by_name(session, "olga"))
    signed_out = Page(
        olga.post(
            f"{desk}/registrations/new",
            data={**form.fields, "name": "李四", "phone": "13900139001"},
        )
    )
    kept = {**signed_out.form("/sign-in").fields, "username": "olga", "password": PASSWORD}
    assert Page(olga.post("/staff/sign-in", data=kept)).kind == "staff-once-more"
    walk_doors(house, language)


def walk_forms(olga: FlaskClient, desk: str) -> None:
    """Open the pages that only a form leads to."""
    token = get(olga, "/staff/").form("/sign-out").fields["csrf_token"]
    chosen = {"csrf_token": token, "registration": "2", "act": "cancel"}
    assert Page(olga.post(f"{desk}/attendees", data=chosen)).kind == "staff-bulk-cancel"
    assert Page(olga.post(f"{desk}/paper", data={"csrf_token": token})).kind == "staff-paper-check"
    leaving = {"csrf_token": token, "outcome": "will-not-come"}
    assert Page(olga.post(f"{desk}/calls/2", data=leaving)).kind == "staff-will-not-come"
    edit = get(olga, f"{desk}/edit").form("/edit")
    forms = [form for form in get(olga, f"{desk}/edit").forms if form.action.endswith("/edit")]
    filled = {**forms[-1].fields, "title.zh": "书法", "title.en": "Calligraphy"}
    assert Page(olga.post(edit.action, data=filled)).kind == "staff-event-check"
    with transaction() as session:
        member = accounts.by_name(session, "dora")
        member.totp_secret = second_factor.new_secret()
        dora_id, olga_id = member.id, accounts.by_name(session, "olga").id
        link = accounts.make_link(session, member, by=audit.SYSTEM, now=member.created_at)
    assert get(olga, f"/staff/welcome/{link}").kind == "staff-welcome"
    assert get(olga, f"/staff/accounts/{dora_id}/lock").kind == "staff-lock"
    reset = f"/staff/accounts/{dora_id}/second-factor"
    assert get(olga, reset).kind == "staff-reset-factor"
    assert Page(olga.post(reset, data={"csrf_token": token, "password": "wrong"})).status == 422
    told_of_a_reset(olga, olga_id, token)
    with transaction() as session:
        accounts.by_id(session, dora_id).totp_secret = None


def told_of_a_reset(olga: FlaskClient, olga_id: int, token: str) -> None:
    """Open one's own page, with a second factor and without, and the notice that another organiser
    turned it off."""
    with transaction() as session:
        member = accounts.by_id(session, olga_id)
        member.totp_secret = second_factor.new_secret()
        member.factor_reset_at, member.factor_reset_by = member.created_at, olga_id
    for typed in ({"act": "off"}, {"secret": second_factor.new_secret()}):
        answer = Page(
            olga.post(
                "/staff/me/second-factor", data={"csrf_token": token, "password": "wrong", **typed}
            )
        )
        assert answer.status == 422
    wrong = {"csrf_token": token, "password": "wrong", "new-password": "short"}
    assert Page(olga.post("/staff/me/password", data=wrong)).status == 422
    with transaction() as session:
        accounts.by_id(session, olga_id).totp_secret = None
    right = {"csrf_token": token, "password": PASSWORD, "new-password": "short"}
    assert Page(olga.post("/staff/me/password", data=right)).status == 422
    with transaction() as session:
        accounts.by_id(session, olga_id).factor_reset_at = None


def walk_burst(house: House, olga: FlaskClient, desk: str) -> None:
    """Open the page about many registrations from one address."""
    for number in range(6):
        house.register(f"周{number}号", waitlist=True, burst="5" * 16)
    shown = get(olga, desk)
    (ticks,) = [form for form in shown.forms if form.action.endswith("/bursts")]
    ids = [str(tag["value"]) for tag in shown.having("type") if tag.get("name") == "attendee"]
    assert len(ids) == 6
    assert get(olga, ticks.action, query_string={"attendee": ids}).kind == "staff-take-back"


def walk_door(house: House, language: str) -> None:
    """Open all pages for the door, before, during and after check-in."""
    dora = house.client()
    house.now = local("2030-06-10 08:30")
    sign_in(dora, "dora", PASSWORD)
    made = registrations_of(house)
    get(dora, f"/T/{tickets.token(SECRET, made)}?lang={language}")
    page = get(dora, f"/door/small/?lang={language}")
    form = next(form for form in page.forms if form.fields.get("attendee"))
    for anyway in ("", "yes", "yes"):
        answer = dora.post(form.action, data={**form.fields, "anyway": anyway})
        if answer.status_code == 303:
            page = get(dora, answer.headers["Location"])
    undo = page.form("/undo")
    get(dora, dora.post(undo.action, data=undo.fields).headers["Location"])
    house.now = local("2030-06-10 09:10")
    get(dora, dora.post(form.action, data=form.fields).headers["Location"])
    dora.post(form.action, data={**form.fields, "attendee": "x"})
    get(dora, "/door/small/?q=张")
    get(dora, "/door/small/shell")
    for path, act in (("gifts/owed", "owe"), ("gifts/owed", "cross-out"), ("gifts", "")):
        answer = dora.post(f"/door/small/{path}", data={**form.fields, "act": act})
        get(dora, answer.headers["Location"])
    get(dora, "/door/small/gifts?q=张")
    get(house.signed_in("olga"), "/staff/events/small")
    walk_line(dora)
    get(house.client(), f"/{language}/events/small/register")


def registrations_of(house: House) -> str:
    """The ticket seed of a confirmed registration."""
    with transaction() as session:
        return lookup.get(session, 2).ticket_seed


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_rendered_in_both_languages(house: House, language: str) -> None:
    rendered: set[str] = set()

    def note(_app: Flask, template: Template, **_: object) -> None:
        rendered.add(str(template.name))

    house.apply(toml(capacity=5))
    house.hire()
    with template_rendered.connected_to(note, house.app):
        walk_public(house, language)
        walk_staff(house, language)
        walk_door(house, language)
        house.apply(toml(slug="other"))
        house.now = local("2030-06-03 10:00")
        get(house.client(), f"/{language}/")
    present = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html")}
    assert rendered == present - PARTS


def test_every_part_is_used() -> None:
    named = set()
    for path in TEMPLATES.rglob("*.html"):
        named |= set(re.findall(r'{% (?:extends|from|include) "([^"]+)"', path.read_text("utf-8")))
    assert named == PARTS
