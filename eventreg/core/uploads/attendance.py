"""Apply check-ins and gifts that door devices uploaded, and their undos.

A person is in if at least one door says so (``sightings``), and the check-in that stands has the
earliest time. So the order in which doors upload makes no difference.
"""

from collections.abc import Mapping
from contextlib import suppress

from eventreg.core.door import check_in, gifts, owed
from eventreg.core.door.check_in import Arrival
from eventreg.core.errors import AlreadyRegistered, AttendeeWaiting, GiftBeforeArrival
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import lookup, waitlist
from eventreg.core.uploads import readmission, sightings
from eventreg.core.uploads.acts import Kind
from eventreg.core.uploads.rulings import Case, Clash, Result, Ruling, settle_by_act
from eventreg.core.uploads.sightings import Said

PLAIN = {Kind.CHECK_IN, Kind.UNDO, Kind.GIFT, Kind.GIFT_UNDO, Kind.GIFT_OWED}
"""The kinds of acts that these rules can rule on from the book alone."""


def is_plain(kind: Kind, person: Attendee | None) -> bool:
    """Whether the ruling on such an act needs only the book, and no rule that takes or frees seats:
    not a check-in of somebody who waits or has cancelled."""
    has_seat = person is None or (person.cancelled_at is None and person.code is not None)
    return kind in PLAIN and (kind is not Kind.CHECK_IN or has_seat)


def said(case: Case) -> Said:
    """The act, as it counts beside others about the same person."""
    act = case.act
    came = act.kind in {Kind.CHECK_IN, Kind.GIFT}
    return Said(act.device, act.seq, case.order, came, case.acted_at, case.by.staff_id)


def check_in_person(case: Case, person: Attendee) -> Ruling:
    """Rule on a check-in. A person who waits for a seat is not let in by it."""
    if person.cancelled_at is not None:
        return _cancelled(case, person)
    if person.code is None:
        return _waiting(case, person)
    before = case.known.check_in(person)
    others = _others(case, person, before)
    after = _agree(case, person)
    late = case.acted_at >= case.event.check_in_closes_at
    if case.act.device not in sightings.standing(case.known.came(person)):
        return Ruling(Result.UNDONE, "undone-since", late=late, person=person)
    if before is None or after is None:
        return Ruling(Result.CHECKED_IN, late=late, person=person)
    clash = Clash.DOUBLE if _is_double(case, before, others) else None
    first = min(others.values(), key=lambda one: one.at) if others else None
    at, door = (first.at, first.device) if first else (before.arrived_at, before.device or "")
    more = {"at": at.isoformat(), "door": case.known.names.get(door, "")}
    return Ruling(Result.ALREADY_IN, clash=clash, late=late, person=person, more=more)


def _others(case: Case, person: Attendee, before: CheckIn | None) -> Mapping[str, Said]:
    """What other doors say; nothing if nobody stands as checked in."""
    if before is None:
        return {}
    seen = sightings.standing(case.known.came(person))
    return {device: one for device, one in seen.items() if device != case.act.device}


def _is_double(case: Case, before: CheckIn, others: Mapping[str, Said]) -> bool:
    """Whether another door saw the person, too. A tick on paper is the same arrival, and so is a
    press on the page of the same telephone."""
    on_page = before.device is None and not before.by_paper
    return bool(others) or (on_page and before.by_staff_id != case.by.staff_id)


def _cancelled(case: Case, person: Attendee) -> Ruling:
    """Let in a person who had cancelled, or whose seat was given away, without the door knowing."""
    since = "released" if person.released_at else "cancelled"
    case.known.add(person.id, case.act.kind, said(case))
    if case.act.device not in sightings.standing(case.known.came(person)):
        return Ruling(Result.UNDONE, "undone-since", person=person)
    try:
        is_beyond = readmission.readmit(case.session, case.event, person, by=case.by, now=case.now)
    except AttendeeWaiting:
        return _waiting(case, person)
    except AlreadyRegistered:
        twin = readmission.live_twin(case.session, person)
        if twin is None:
            raise
        case.known.read([twin.id])
        return check_in_person(case, twin)
    _agree(case, person, again=True)
    late = case.acted_at >= case.event.check_in_closes_at
    return Ruling(
        Result.ADMITTED_CANCELLED,
        f"{since}-over" if is_beyond else since,
        Clash.ADMITTED_CANCELLED,
        late,
        person,
    )


def _waiting(case: Case, person: Attendee) -> Ruling:
    registration = lookup.get(case.session, person.registration_id)
    more = {"position": waitlist.position(case.session, registration)}
    return Ruling(Result.WAITING, clash=Clash.WAITING, person=person, more=more)


def undo_check_in(case: Case, person: Attendee) -> Ruling:
    """Rule on an undo: it takes back what this door said, or what it saw on the list."""
    own = case.act.device in sightings.standing(case.known.came(person))
    before = case.known.check_in(person)
    after = _agree(case, person)
    if after is None:
        return Ruling(Result.UNDONE if before or own else Result.NOT_IN, person=person)
    if own and len(sightings.standing(case.known.came(person))) < 2:
        settle_by_act(case, person, Clash.DOUBLE)
    return Ruling(Result.UNDONE, "other-door", person=person)


def _agree(case: Case, person: Attendee, *, again: bool = False) -> CheckIn | None:
    """Count this act, and make the check-in what all doors together say. Returns it."""
    known = case.known
    if not again:
        known.add(person.id, case.act.kind, said(case))
    seen = sightings.standing(known.came(person))
    stands = known.check_in(person)
    if not seen:
        if stands is not None and _may_undo(case, stands):
            check_in.take_back(known.book, person, stands, by=case.by, now=case.now)
        _give_what_was_handed_over(case, person)
        return known.check_in(person)
    first = min(seen.values(), key=lambda one: (one.at, one.order))
    arrival = Arrival(person.public_id, first.at, case.now, device=first.device)
    if stands is None:
        if person.cancelled_at is not None or person.code is None:
            return None
        stands = check_in.record(known.book, person, arrival, by=case.by)
        _give_what_was_handed_over(case, person)
    elif not stands.by_paper:
        _keep_the_earliest(case, stands, first)
    return stands


def _keep_the_earliest(case: Case, stands: CheckIn, first: Said) -> None:
    """Let the check-in say when a door that still says so saw the person first. One from a page has
    no act, so it only becomes earlier."""
    on_page = stands.device is None
    if first.at < stands.arrived_at or not on_page:
        device = None if on_page else first.device
        check_in.seen_earlier(case.event, stands, Arrival("", first.at, case.now, device=device))
        case.known.book.changed()


def _may_undo(case: Case, stands: CheckIn) -> bool:
    """Whether this act takes back the check-in: not one from a page or from paper, if the device
    undid something of its own."""
    if stands.device is not None:
        return True
    others = [one for one in case.known.came_of(stands.attendee_id) if one.order != case.order]
    is_own = any(one.came and one.device == case.act.device for one in others)
    return case.act.kind is Kind.UNDO and not is_own


def give_gift(case: Case, person: Attendee) -> Ruling:
    """Rule on a gift that was handed over. Two doors that each gave one have given one too many."""
    already = case.known.book.gift(person.id)
    others = set(sightings.standing(case.known.given(person))) - {case.act.device}
    case.known.add(person.id, case.act.kind, said(case))
    if case.act.device not in sightings.standing(case.known.given(person)):
        return Ruling(Result.GIFT_UNDONE, "undone-since", person=person)
    if already is not None:
        more = {"at": already.given_at.isoformat()}
        clash = Clash.GIFT_DOUBLE if others else None
        return Ruling(Result.GIFT_ALREADY, clash=clash, person=person, more=more)
    try:
        _give(case, person, said(case))
    except GiftBeforeArrival:
        return Ruling(Result.GIFT_GIVEN, "not-in", Clash.GIFT_NOT_IN, person=person)
    return Ruling(Result.GIFT_GIVEN, person=person)


def _give(case: Case, person: Attendee, handed: Said) -> None:
    """Record a gift. Refuses with ``GiftBeforeArrival`` if no door says that the person has come,
    and the device itself had not seen the person before it gave the gift."""
    gifts.enter(
        case.known.book,
        person,
        by=case.by,
        now=case.now,
        at=handed.at,
        had_come=sightings.was_in(case.known.came(person), handed),
    )


def undo_gift(case: Case, person: Attendee) -> Ruling:
    """Rule on a gift that was not handed over after all."""
    own = case.act.device in sightings.standing(case.known.given(person))
    case.known.add(person.id, case.act.kind, said(case))
    if sightings.standing(case.known.given(person)):
        settle_by_act(case, person, Clash.GIFT_DOUBLE)
        return Ruling(Result.GIFT_UNDONE, "other-door", person=person)
    settle_by_act(case, person, Clash.GIFT_NOT_IN)
    undone = gifts.strike(case.known.book, person, by=case.by, now=case.now)
    return Ruling(Result.GIFT_UNDONE if undone or own else Result.NOT_IN, person=person)


def owe_gift(case: Case, person: Attendee) -> Ruling:
    """Rule on a gift that the person is to get later."""
    try:
        owes = owed.note(case.known.book, person, by=case.by, now=case.now)
    except GiftBeforeArrival:
        return Ruling(Result.REFUSED, "not-in", Clash.REFUSED, person=person)
    return Ruling(Result.OWED if owes else Result.GIFT_ALREADY, person=person)


def _give_what_was_handed_over(case: Case, person: Attendee) -> None:
    """Count a gift that was uploaded before the act which shows that the person had come."""
    handed = sightings.standing(case.known.given(person))
    for one in sorted(handed.values(), key=lambda one: one.at):
        if case.known.book.gift(person.id) is None:
            with suppress(GiftBeforeArrival):
                _give(case, person, one)
                settle_by_act(case, person, Clash.GIFT_NOT_IN)
