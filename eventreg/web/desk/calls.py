"""The call desk: one call after the other, what to say, what came of it; the sheet to call from,
and everybody's number."""

from datetime import datetime
from typing import Any

from flask import g, redirect, render_template, request, url_for

from eventreg import i18n
from eventreg.core.audit import Action
from eventreg.core.desk import call_outcomes, calls
from eventreg.core.desk.calls import Task
from eventreg.core.event import events
from eventreg.core.models.calls import CallOutcome, CallReason
from eventreg.core.models.event import Event
from eventreg.core.registration import identity, lookup
from eventreg.core.staff.permissions import Permission
from eventreg.core.values import phones
from eventreg.storage.session import Session, reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint, looked
from eventreg.web.event_facts import about
from eventreg.web.forms import fields
from eventreg.web.wire.answers import Answer
from eventreg.web.wire.sent import form_number

_SHOWN = 20


@blueprint.get("/calls")
@requires(Permission.CALL)
def call_desk(slug: str) -> str:
    """Whom to call now, with number and words; at an hour for calls, or anyway."""
    event = events.get(reading(), slug)
    anyway = request.args.get("anyway") == "yes"
    open_now = calls.is_time_to_call(event, g.now)
    found = calls.tasks(reading(), event, now=g.now)
    shown = found[:_SHOWN] if open_now or anyway else []
    if shown:
        event = looked(event, Action.NUMBERS_SEEN, people=len(shown))
    return render_template(
        "desk/calls.html",
        tasks=shown,
        number=len(found),
        open_now=open_now,
        anyway=anyway,
        sayings=[_words(event, task) for task in shown],
        nexts=[_next(event, task) for task in shown],
        outcomes=list(CallOutcome),
        made=call_outcomes.count_by_outcome(reading(), event),
        reminders=calls.reminder_day(event),
        day=lambda on: i18n.day(g.language, on, today=g.now.astimezone(events.zone(event)).date()),
        **about(event),
    )


def _words(event: Event, task: Task) -> str:
    """What to say, in Chinese whatever the page speaks: who calls, why, and what the guest wants to
    know."""
    definition = events.definition(event)
    codes = "；".join("、".join(code) for _, code in task.people if code)
    told = {**_facts(event), "names": "、".join(task.names), "codes": codes}
    host = definition.hosts[0].name.zh if definition.hosts else definition.title.zh
    said = [i18n.sentence("zh", "say_hello", host=host, **told)]
    said += [
        i18n.sentence("zh", f"say_{reason.replace('-', '_')}", **told) for reason in task.reasons
    ]
    if {CallReason.PROMOTED, CallReason.REMINDER} & set(task.reasons):
        said.append(i18n.sentence("zh", "say_where", **told))
    return "".join(said)


def _facts(event: Event) -> dict[str, Any]:
    """What every call and every message may tell, in Chinese."""
    definition, zone = events.definition(event), events.zone(event)
    starts, opens = event.starts_at.astimezone(zone), event.check_in_opens_at.astimezone(zone)
    return {
        "title": definition.title.zh,
        "day": i18n.day("zh", starts.date(), today=g.now.astimezone(zone).date()),
        "starts": _aloud(starts),
        "opens": _aloud(opens),
        "place": definition.place.name.zh,
        "notice": definition.notice.text.zh if definition.notice else "",
    }


def _aloud(moment: datetime) -> str:
    return f"{i18n.sentence('zh', i18n.half_of_day(moment))} {i18n.spoken('zh', moment)}"


def _next(event: Event, task: Task) -> str:
    """Who would get the seat of somebody who was not reached in time; nothing while there is time,
    or nobody waits."""
    if not task.is_overdue(g.now):
        return ""
    party = call_outcomes.next_in_line(reading(), event, len(task.people), now=g.now)
    if party is None:
        return ""
    people = lookup.party(reading(), lookup.get(reading(), party.registration_id))
    return "、".join(person.name for person in people)


@blueprint.post("/calls/<id:registration_id>")
@requires(Permission.CALL)
def called(slug: str, registration_id: int) -> Answer:
    """How a call ended; or that the seat of somebody who was not reached goes to the next."""
    sent, tries = request.form.get("outcome", ""), form_number("tries") or 0
    by, now, mark = access.actor(), g.now, fields.mark_sent()

    def act(session: Session) -> None:
        event = events.get(session, slug)
        found = identity.registration(session, event, registration_id, mark)
        if sent == "pass-on":
            call_outcomes.pass_on(session, event, registration_id, by=by, now=now)
        elif sent in list(CallOutcome):
            call_outcomes.record(
                session, event, found, CallOutcome(sent), tries=tries, by=by, now=now
            )

    write(act)
    anyway = "yes" if request.form.get("anyway") == "yes" else None
    return redirect(url_for("desk.call_desk", slug=slug, anyway=anyway), 303)


@blueprint.get("/calls/sheet")
@requires(Permission.CALL)
def call_sheet(slug: str) -> str:
    """Everybody to be called, on paper, with boxes for what came of it."""
    event = events.get(reading(), slug)
    found = calls.tasks(reading(), event, now=g.now)
    event = looked(event, Action.CALLS_PRINTED, people=len(found))
    return render_template(
        "print/call_sheet.html",
        chunks=[found[start : start + 20] for start in range(0, len(found), 20)] or [()],
        printed_at=g.now.astimezone(events.zone(event)),
        **about(event),
    )


@blueprint.get("/numbers")
@requires(Permission.SEE_NUMBERS, password=True)
def numbers(slug: str) -> str:
    """Every number in one copy, and a text message ready to send: for when everybody must learn
    something."""
    event = events.get(reading(), slug)
    found = calls.numbers(reading(), event)
    event = looked(event, Action.NUMBERS_SEEN, people=len(found))
    return render_template(
        "desk/numbers.html",
        found=found,
        mobiles=[number for _, number in found if phones.is_mobile(number)],
        message=_message(event),
        **about(event),
    )


def _message(event: Event) -> str:
    """A text message for everybody: the notice, or else when and where it is."""
    definition = events.definition(event)
    line = definition.phone_line
    key = "message_notice" if definition.notice else "message_reminder"
    ending = i18n.sentence("zh", "message_questions", number=line.shown) if line else ""
    return i18n.sentence("zh", key, **_facts(event)) + ending
