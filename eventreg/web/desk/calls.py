"""The pages for telephoning guests: the call desk, its printed sheet, the record of each call, and
the list of all numbers."""

from datetime import datetime
from typing import Any

from flask import g, redirect, render_template, request, url_for

from eventreg import i18n
from eventreg.core.audit import Action
from eventreg.core.desk import attendee_list, call_outcomes, calls
from eventreg.core.desk.calls import Task
from eventreg.core.event import events
from eventreg.core.models.calls import CallOutcome, CallReason
from eventreg.core.models.event import Event
from eventreg.core.models.registration import RegistrationState
from eventreg.core.registration import identity, lookup
from eventreg.core.staff.permissions import Permission
from eventreg.core.values import phones, whole_numbers
from eventreg.storage.session import Session, reading, write
from eventreg.web import access, notes
from eventreg.web.access import requires
from eventreg.web.desk import cancellations
from eventreg.web.desk.audit import record_look
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about
from eventreg.web.forms import fields
from eventreg.web.language import say
from eventreg.web.wire.answers import Answer

_MOST_SHOWN = 20


@blueprint.get("/calls")
@requires(Permission.CALL)
def call_desk(slug: str) -> str:
    """The first 20 parties to call, with telephone number and text to say. Outside calling hours
    the list is empty, unless ``anyway=yes``. Showing it is audited."""
    event = events.get(reading(), slug)
    anyway = request.args.get("anyway") == "yes"
    open_now = calls.is_time_to_call(event, g.now)
    found = calls.tasks(reading(), event, now=g.now)
    shown = found[:_MOST_SHOWN] if open_now or anyway else []
    if shown:
        event = record_look(event, Action.NUMBERS_SEEN, people=len(shown))
    return render_template(
        "desk/calls.html",
        tasks=shown,
        first_to_call=next((one.registration_id for one in shown if not one.waits(g.now)), None),
        number=len(found),
        open_now=open_now,
        anyway=anyway,
        sayings=[_words(event, task) for task in shown],
        gone=_gone(event),
        nexts=[_next_in_line(event, task) for task in shown],
        outcomes=list(CallOutcome),
        made=call_outcomes.count_by_outcome(reading(), event),
        reminders=calls.reminder_day(event),
        day=lambda on: i18n.day(g.language, on, today=g.now.astimezone(events.zone(event)).date()),
        **about(event),
    )


def _gone(event: Event) -> cancellations.Gone | None:
    """The registration that the last call cancelled; shown once."""
    noted = notes.take("gone")
    if not isinstance(noted, int):
        return None
    return cancellations.gone_from(event, lookup.of_event(reading(), event, noted))


def _words(event: Event, task: Task) -> str:
    """What to say: who calls, why, and what the guest needs to know. In Chinese, whatever the
    language of the page."""
    definition = events.definition(event)
    codes = "；".join("、".join(code) for _, code in task.people if code)
    facts = {**_facts(event), "names": "、".join(task.names), "codes": codes}
    host = definition.hosts[0].name.zh if definition.hosts else definition.title.zh
    keys = ["hello", *(reason.replace("-", "_") for reason in _to_say(task)), *_questions(task)]
    return "".join(i18n.sentence("zh", f"say_{key}", host=host, **facts) for key in keys)


def _to_say(task: Task) -> list[CallReason]:
    """The reasons to tell. A cancelled event makes the others void, and who is offered a seat needs
    no reminder besides. A name is asked for at the end."""
    reasons = list(task.reasons)
    if CallReason.EVENT_CANCELLED in reasons:
        return [CallReason.EVENT_CANCELLED]
    besides = {CallReason.NAME_UNSURE}
    if CallReason.PROMOTED in reasons:
        besides.add(CallReason.REMINDER)
    return [reason for reason in reasons if reason not in besides]


def _questions(task: Task) -> list[str]:
    """What to ask, each question once, after everything was told."""
    reasons = set(task.reasons)
    if CallReason.EVENT_CANCELLED in reasons:
        return []
    coming = {CallReason.PROMOTED, CallReason.REMINDER} & reasons
    name = CallReason.NAME_UNSURE in reasons
    return [*(["where", "coming"] if coming else []), *(["name_unsure"] if name else [])]


def _facts(event: Event) -> dict[str, Any]:
    """The facts that calls and text messages mention, in Chinese."""
    definition, zone = events.definition(event), events.zone(event)
    starts, opens = event.starts_at.astimezone(zone), event.check_in_opens_at.astimezone(zone)
    return {
        "title": definition.title.zh,
        "day": i18n.day("zh", starts.date(), today=g.now.astimezone(zone).date()),
        "starts": _spoken(starts),
        "opens": _spoken(opens),
        "place": definition.place.name.zh,
        "notice": definition.notice.text.zh if definition.notice else "",
    }


def _spoken(moment: datetime) -> str:
    """A time of day as one says it."""
    return f"{i18n.sentence('zh', i18n.half_of_day(moment))} {i18n.spoken('zh', moment)}"


def _next_in_line(event: Event, task: Task) -> str:
    """The names of the party next in line if this one was not reached in time. Empty if there is
    still time, or if no party waits."""
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
    """Record the outcome of a call. ``reached`` settles all calls owed to the registration, and
    ``will-not-come`` asks, and
    then cancels it. An unknown outcome is ignored. ``tries`` keeps a form that is sent
    twice from being recorded twice.

    ``pass-on`` cancels a registration that was not reached in time, so that the next party gets its
    seats. It does nothing if the deadline has not passed or no waiting party fits.
    """
    outcome, tries = request.form.get("outcome", ""), request.form.get("tries", "0")
    if outcome == CallOutcome.WILL_NOT_COME and request.form.get("confirmed") != "yes":
        return _ask_if_sure(slug, registration_id, tries)
    by, now, mark = access.actor(), g.now, fields.mark_sent()

    def act(session: Session) -> None:
        event = events.get(session, slug)
        found = identity.registration(session, event, registration_id, mark)
        if outcome == "pass-on":
            call_outcomes.pass_on(session, event, registration_id, by=by, now=now)
        elif outcome in list(CallOutcome):
            seen = whole_numbers.parse(tries) or 0
            call_outcomes.record(
                session, event, found, CallOutcome(outcome), tries=seen, by=by, now=now
            )

    write(act)
    if outcome in {"pass-on", CallOutcome.WILL_NOT_COME}:
        notes.keep("gone", registration_id)
    anyway = "yes" if request.form.get("anyway") == "yes" else None
    return redirect(url_for("desk.call_desk", slug=slug, anyway=anyway), 303)


def _ask_if_sure(slug: str, registration_id: int, tries: str) -> str:
    """Ask before a whole party is cancelled by one key. Changes nothing."""
    event = events.get(reading(), slug)
    found = identity.registration(reading(), event, registration_id, fields.mark_sent())
    people = [row for row in attendee_list.of_registration(reading(), found.id) if row.is_live]
    return render_template(
        "desk/will_not_come.html",
        found=found,
        mark=identity.mark(found),
        names=say("list_comma").join(row.name for row in people),
        people=len(people),
        waits=found.state == RegistrationState.WAITLISTED,
        next_party=cancellations.next_party(event, len(people)),
        tries=tries,
        anyway=request.form.get("anyway") == "yes",
        **about(event),
    )


@blueprint.get("/calls/sheet")
@requires(Permission.CALL)
def call_sheet(slug: str) -> str:
    """A page to print: everyone who must be called, with boxes for the outcome. Audited."""
    event = events.get(reading(), slug)
    found = calls.tasks(reading(), event, now=g.now)
    event = record_look(event, Action.CALLS_PRINTED, people=len(found))
    return render_template(
        "print/call_sheet.html",
        chunks=[found[start : start + 20] for start in range(0, len(found), 20)] or [()],
        printed_at=g.now.astimezone(events.zone(event)),
        day_zh=_facts(event)["day"],
        **about(event),
    )


@blueprint.get("/numbers")
@requires(Permission.SEE_NUMBERS, password=True)
def numbers(slug: str) -> str:
    """All telephone numbers to copy, and a text message for everyone. Asks for the password.
    Audited."""
    event = events.get(reading(), slug)
    found = calls.numbers(reading(), event)
    event = record_look(event, Action.NUMBERS_SEEN, people=len(found))
    return render_template(
        "desk/numbers.html",
        found=found,
        mobiles=[number for _, number in found if phones.is_mobile(number)],
        message=_message(event),
        **about(event),
    )


def _message(event: Event) -> str:
    """A text message for all: the notice, or else the time and place."""
    definition = events.definition(event)
    line = definition.phone_line
    key = "message_notice" if definition.notice else "message_reminder"
    ending = i18n.sentence("zh", "message_questions", number=line.shown) if line else ""
    return i18n.sentence("zh", key, **_facts(event)) + ending
