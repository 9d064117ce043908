"""Apply the acts of a door device other than check-in and gift: walk-ins, names, seats."""

from dataclasses import replace

from eventreg.core.door import present, restoring, walk_ins
from eventreg.core.door import release as releasing
from eventreg.core.door.present import Standing
from eventreg.core.door.walk_ins import Newcomer
from eventreg.core.errors import (
    AlreadyCancelled,
    AlreadyRegistered,
    AttendeeCancelled,
    EventFull,
    FieldRefused,
    FormKeyReused,
    NotWaiting,
    PhoneAtLimit,
    Refusal,
)
from eventreg.core.models.registration import Attendee, RegistrationState
from eventreg.core.registration import corrections, lookup
from eventreg.core.registration.corrections import Correction, Notes
from eventreg.core.registration.entries import name_of, phone_of
from eventreg.core.uploads import attendance
from eventreg.core.uploads.acts import Kind
from eventreg.core.uploads.rulings import Case, Clash, Result, Ruling, settle_by_act
from eventreg.core.values import names


def refused(refusal: Refusal, person: Attendee | None = None) -> Ruling:
    """The ruling on an act that a rule refuses: a person has to look at it."""
    reason = refusal.reason if isinstance(refusal, FieldRefused) else refusal.code
    return Ruling(Result.REFUSED, reason[:40], Clash.REFUSED, person=person)


def walk_in(case: Case) -> Ruling:
    """Register a walk-in and check the person in, or give a number. A person who is on the list
    already is checked in."""
    act = case.act
    newcomer = Newcomer(act.name, act.phone, case.acted_at, f"door:{act.key}", device=act.device)
    try:
        made = walk_ins.walk_in(
            case.session,
            case.event,
            newcomer,
            secret_key=case.secret_key,
            by=case.by,
            now=case.now,
        )
    except AlreadyRegistered as known:
        return _known_person(case, known.registration_id)
    except (FieldRefused, PhoneAtLimit, FormKeyReused) as refusal:
        return refused(refusal)
    person = present.person_of(case.session, case.event, made.attendee)
    case.known.read([person.id])
    if made.state == RegistrationState.CONFIRMED:
        case.known.add(person.id, Kind.CHECK_IN, attendance.said(case_as(case, Kind.CHECK_IN)))
        return Ruling(Result.WALKED_IN, late=made.late, person=person, more=_more(made))
    clash = None if case.waited_for_answer else Clash.NO_SEAT
    return Ruling(Result.NO_SEAT, clash=clash, person=person, more=_more(made))


def case_as(case: Case, kind: Kind) -> Case:
    """The same case, as if the act were of another kind."""
    return replace(case, act=replace(case.act, kind=kind))


def _known_person(case: Case, registration_id: int) -> Ruling:
    """Somebody on the list who was taken for a walk-in."""
    folded = names.parse(case.act.name).folded
    registration = lookup.get(case.session, registration_id)
    person = next(
        one for one in lookup.party(case.session, registration) if one.name_folded == folded
    )
    case.known.read([person.id])
    return attendance.check_in_person(case_as(case, Kind.CHECK_IN), person)


def _more(found: Standing) -> dict[str, object]:
    facts = {"code": found.code, "number": found.number, "position": found.position}
    return {name: value for name, value in facts.items() if value is not None}


def correct_name(case: Case, person: Attendee) -> Ruling:
    """Rename a person, or confirm that the name is written right."""
    registration = lookup.get(case.session, person.registration_id)
    is_rename = case.act.kind is Kind.RENAME
    try:
        party = tuple(
            names.parse(case.act.name) if is_rename and one.id == person.id else name_of(one)
            for one in lookup.party(case.session, registration)
        )
        notes = Notes(registration.contact, registration.wishes, False, registration.email)
        corrections.edit(
            case.session,
            case.event,
            registration,
            Correction(party, phone_of(registration), notes),
            version=registration.version,
            by=case.by,
            now=case.now,
        )
    except (FieldRefused, AlreadyRegistered, AlreadyCancelled, PhoneAtLimit) as refusal:
        return refused(refusal, person)
    return Ruling(Result.RENAMED if is_rename else Result.CONFIRMED, person=person)


def seat(case: Case, person: Attendee) -> Ruling:
    """Give a waiting person's party its seats, if they are free."""
    if person.cancelled_at is None and person.code is not None:
        return Ruling(Result.SEATED, person=person, more={"code": person.code})
    try:
        found = present.seat(case.session, case.event, person.public_id, by=case.by, now=case.now)
    except (EventFull, NotWaiting) as refusal:
        return refused(refusal, person)
    settle_by_act(case, person, Clash.WAITING)
    return Ruling(Result.SEATED, person=person, more=_more(found))


def restore(case: Case, person: Attendee) -> Ruling:
    """Give a cancelled or released person a seat again, if one is free."""
    try:
        found = restoring.restore(
            case.session,
            case.event,
            person.public_id,
            secret_key=case.secret_key,
            by=case.by,
            now=case.now,
        )
    except Refusal as refusal:
        return refused(refusal, person)
    back = present.person_of(case.session, case.event, found.attendee)
    has_seat = found.state == RegistrationState.CONFIRMED
    return Ruling(Result.RESTORED if has_seat else Result.WAITING, person=back, more=_more(found))


def release(case: Case) -> Ruling:
    """Make the release real that a door proposed without a network. Who has come meanwhile keeps
    the seat."""
    try:
        done = releasing.release(
            case.session, case.event, case.act.absent, by=case.by, now=case.now
        )
    except Refusal as refusal:
        return refused(refusal)
    case.session.expire_all()
    counts = {"released": len(done.released), "kept": len(done.kept), "seated": len(done.seated)}
    return Ruling(Result.RELEASED, more={**counts, "left": done.left})


def mark_present(case: Case, person: Attendee) -> Ruling:
    """Note that a waiting person is at the door."""
    try:
        found = present.mark_present(
            case.session, case.event, person.public_id, by=case.by, now=case.now
        )
    except AttendeeCancelled as refusal:
        return refused(refusal, person)
    has_seat = found.state == RegistrationState.CONFIRMED
    return Ruling(Result.SEATED if has_seat else Result.WAITING, person=person, more=_more(found))
