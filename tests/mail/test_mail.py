"""What each mail says, and to whom it is sent."""

import re
from email.message import EmailMessage

import pytest
from icalendar import Calendar, Event

from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup
from eventreg.mail.sender import deliver_due
from eventreg.storage.session import reading, transaction
from eventreg.web import addresses
from tests.mail.conftest import FOOT
from tests.support.factories import ROOT, House, local, toml
from tests.support.postbox import Postbox

KEPT = ROOT / "tests" / "mail"
NOTICE = '[notice]\nkind = "{kind}"\ntext = {{ zh = "{zh}", en = "{en}" }}\n'
KINDS = (
    "registered",
    "waitlisted",
    "promoted",
    "cancelled",
    "event-moved",
    "event-cancelled",
    "speaker-replaced",
    "announced",
)


def happen(house: House, kind: str, language: str) -> Registration:
    """Make this happen to a couple with an address, so that the last mail is of this kind."""
    others = house.register("李一", "李二") if kind in {"waitlisted", "promoted"} else None
    couple = house.register(
        "张桂芳",
        "Margaret Chen",
        phone="13800138000",
        email="gui@example.org",
        waitlist=True,
        locale=language,
    )
    if kind == "promoted" and others:
        house.cancel(others)
    if kind == "cancelled":
        house.cancel(couple)
    if kind in {"event-moved", "event-cancelled", "speaker-replaced", "announced"}:
        said = {
            "event-moved": ("改到图书馆二楼。", "Now on the second floor."),
            "event-cancelled": ("下雨，取消了。", "It rains."),
            "speaker-replaced": ("换王老师来教。", "Mr Wang teaches."),
            "announced": ("请带老花镜。", "Please bring your reading glasses."),
        }[kind]
        notice = NOTICE.format(
            kind="please-note" if kind == "announced" else kind.removeprefix("event-"),
            zh=said[0],
            en=said[1],
        )
        house.apply(toml(capacity=2, more=FOOT + notice))
    return couple


def as_kept(mail: EmailMessage, made: Registration) -> str:
    """A mail in the form of its file. What differs from run to run is in brackets."""
    body = mail.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    lines = [f"{name}: {mail[name]}" for name in ("From", "To", "Subject")]
    attached = [part.get_filename() for part in mail.iter_attachments()]
    text = body.get_content().replace("\r\n", "\n").replace(addresses.ticket(made), "/T/<ticket>")
    for person in lookup.party(reading(), made):
        text = text.replace(person.code, "<code>") if person.code else text
    return "\n".join([*lines, *(f"Attached: {name}" for name in attached), "", text])


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_mail_has_the_text_of_its_file(
    house: House, box: Postbox, kind: str, language: str
) -> None:
    made = happen(house, kind, language)
    assert deliver_due().given_up == 0
    said = as_kept(box.mails[-1], lookup.get(reading(), made.id))
    kept = KEPT / f"{kind}.{language}.txt"
    assert said == kept.read_text(encoding="utf-8"), (
        "if the new text is right, write it to the file"
    )
    assert "{" not in said
    assert not re.search(r"\n\n\n", said), "no two empty lines together"


@pytest.mark.both_databases
def test_a_guest_with_an_address_gets_one_mail_and_one_without_gets_none(
    house: House, box: Postbox
) -> None:
    made = house.register("张桂芳", email="gui@example.org")
    house.register("王建国")
    assert deliver_due().sent == 1
    assert deliver_due().is_idle
    assert box.recipients == ["gui@example.org"]
    assert f"https://lecture.example.org{addresses.ticket(made)}" in box.text()
    assert f"张桂芳的签到码：{lookup.party(reading(), made)[0].code}" in box.text()


def test_the_calendar_entry_is_attached_and_can_be_read(house: House, box: Postbox) -> None:
    house.register("张桂芳", email="gui@example.org")
    deliver_due()
    (part,) = box.mails[0].iter_attachments()
    assert part.get_content_type() == "text/calendar"
    (entry,) = Calendar.from_ical(str(part.get_content())).walk("VEVENT")
    assert isinstance(entry, Event)
    assert entry["SUMMARY"] == "书法课"
    assert entry.start == local("2030-06-10 09:00")
    assert entry["UID"] == "small@lecture.example.org"


def test_a_mail_that_is_no_longer_true_is_not_sent(house: House, box: Postbox) -> None:
    others = house.register("李一", "李二")
    house.register("张桂芳", email="gui@example.org", waitlist=True)
    house.cancel(others, lookup.party(reading(), others)[0].id)
    deliver_due()
    assert [mail["Subject"] for mail in box.mails] == ["有座位了：书法课"], (
        "the mail about the waiting list is left out"
    )
    house.cancel(others)
    gone = house.register("王建国", email="jian@example.org")
    house.cancel(gone)
    deliver_due()
    assert [mail["Subject"] for mail in box.mails[1:]] == ["报名已取消：书法课"]
    house.register("陈美康", email="mei@example.org")
    house.now = local("2030-06-10 11:00")
    assert deliver_due().is_idle, "after the event no mail is sent"


@pytest.mark.parametrize(
    "name", ["Eve\r\nBcc: all@example.org", "<b>Eve</b> {{ 7*7 }} {0}", "=cmd|' /C calc'!A0"]
)
def test_no_name_breaks_a_mail(house: House, box: Postbox, name: str) -> None:
    made = house.register("张桂芳", email="gui@example.org")
    with transaction() as session:
        lookup.party(session, session.get_one(Registration, made.id))[0].name = name
    deliver_due()
    assert box.mails[0]["Bcc"] is None
    assert " ".join(name.split()) in " ".join(box.text().split())
