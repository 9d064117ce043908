"""Check-in at the door, and its undo."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from eventreg.core import audit
from eventreg.core.desk import attendee_list, attendee_rows
from eventreg.core.desk.attendee_list import Filter, Selection
from eventreg.core.door import check_in
from eventreg.core.door.check_in import Arrival, Outcome, Via
from eventreg.core.errors import AttendeeCancelled, AttendeeUnknown, OutsideCheckInWindow
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn
from eventreg.core.registration import arrivals, cancellations, lookup
from eventreg.storage.session import reading, transaction
from tests.support.factories import House, local, toml, with_event

pytestmark = pytest.mark.both_databases


@pytest.fixture
def morning(house: House) -> House:
    """The morning of the event, 8:47. Zhang Guifang and Wang Jianguo are registered together."""
    house.apply(toml(capacity=5))
    house.hire()
    house.register("张桂芳", "王建国")
    house.now = local("2030-06-10 08:47")
    return house


def id_of(name: str) -> str:
    """The random id of a person."""
    return next(row.public_id for row in rows() if row.name == name)


def rows() -> list[attendee_rows.Row]:
    """Everybody of the small event."""
    return list(attendee_list.listed(reading(), events.get(reading(), "small"), Selection()))


def arrive(house: House, name: str, *, anyway: bool = False) -> Outcome:
    """Dora checks somebody in."""
    attendee = id_of(name)
    with transaction() as session:
        event = events.get(session, "small")
        arrival = Arrival(attendee, house.now, house.now)
        return check_in.check_in(session, event, arrival, anyway=anyway, by=house.dora)


def test_a_second_check_in_changes_nothing_and_says_when_the_first_was(morning: House) -> None:
    first = arrive(morning, "张桂芳")
    morning.now = local("2030-06-10 08:50")
    second = arrive(morning, "张桂芳")
    assert (first.fresh, second.fresh) == (True, False)
    assert second.arrived_at == local("2030-06-10 08:47")
    assert arrivals.presence(reading(), morning.event()) == arrivals.Presence(arrived=1, expected=2)


def test_the_schema_refuses_a_second_check_in_of_one_person(morning: House) -> None:
    arrive(morning, "张桂芳")
    with pytest.raises(IntegrityError), transaction() as session:
        row = session.scalars(select(CheckIn)).one()
        session.add(
            CheckIn(
                event_id=row.event_id,
                attendee_id=row.attendee_id,
                arrived_at=row.arrived_at,
                recorded_at=row.recorded_at,
                by_staff_id=row.by_staff_id,
                early=False,
                late=False,
            )
        )


def test_an_undo_keeps_the_row_and_the_person_may_arrive_again(morning: House) -> None:
    done = arrive(morning, "张桂芳")
    for _ in range(2):
        with transaction() as session:
            event = events.get(session, "small")
            check_in.undo(session, event, done.check_in_id, by=morning.olga, now=morning.now)
    assert arrivals.presence(reading(), morning.event()).arrived == 0
    assert arrive(morning, "张桂芳").fresh
    kept = reading().scalars(select(CheckIn.undone_by_staff_id).order_by(CheckIn.id)).all()
    assert kept == [morning.olga.staff_id, None]


def test_before_the_window_check_in_is_refused_unless_anyway(morning: House) -> None:
    morning.now = local("2030-06-10 08:30")
    with pytest.raises(OutsideCheckInWindow) as early:
        arrive(morning, "张桂芳")
    assert early.value.opens_at == local("2030-06-10 08:45")
    arrive(morning, "张桂芳", anyway=True)
    arrival = reading().scalars(select(CheckIn)).one()
    assert (arrival.early, arrival.late) == (True, False)


def test_check_in_can_be_opened_early_for_everyone(morning: House) -> None:
    morning.now = local("2030-06-10 08:30")
    for _ in range(2):
        with transaction() as session:
            events.open_check_in(
                session, events.get(session, "small"), by=morning.dora, now=morning.now
            )
    assert arrive(morning, "张桂芳").fresh
    assert arrive(morning, "王建国").fresh


@pytest.mark.parametrize(
    ("moment", "late"), [("08:45", False), ("08:59", False), ("09:00", True), ("10:30", True)]
)
def test_arrivals_from_nine_on_are_late(morning: House, moment: str, late: bool) -> None:
    morning.now = local(f"2030-06-10 {moment}")
    assert arrive(morning, "张桂芳").late is late


@pytest.mark.parametrize("moment", ["08:30", "10:30"])
def test_an_arrival_from_paper_is_neither_early_nor_late(morning: House, moment: str) -> None:
    at = local(f"2030-06-10 {moment}")
    from_paper = Arrival("", at, at, Via.PAPER)
    assert not from_paper.is_early(morning.event())
    assert not from_paper.is_late(morning.event())
    at_door = Arrival("", at, at)
    assert at_door.is_early(morning.event()) or at_door.is_late(morning.event())


def test_the_refusal_of_a_cancelled_attendee_has_the_time_of_the_cancellation(
    morning: House,
) -> None:
    registration = rows()[0].registration_id
    attendee = id_of("张桂芳")
    with transaction() as session:
        made = lookup.get(session, registration)
        cancellations.cancel(
            session, *with_event(session, made), by=audit.SYSTEM, now=local("2030-06-09 10:00")
        )
    with pytest.raises(AttendeeCancelled) as refusal, transaction() as session:
        event = events.get(session, "small")
        arrival = Arrival(attendee, morning.now, morning.now)
        check_in.check_in(session, event, arrival, anyway=False, by=morning.dora)
    assert refusal.value.cancelled_at == local("2030-06-09 10:00")


@pytest.mark.parametrize(
    "attendee",
    [
        "",
        "0",
        "1",
        "999",
        "-1",
        "1; DROP TABLE",
        "９",
        "1" * 30,
        "0" * 32,
        "\0" * 32,
        "\ud800" * 32,
        "None",
    ],
)
def test_an_unknown_id_is_refused(morning: House, attendee: str) -> None:
    with pytest.raises(AttendeeUnknown), transaction() as session:
        event = events.get(session, "small")
        arrival = Arrival(attendee, morning.now, morning.now)
        check_in.check_in(session, event, arrival, anyway=True, by=morning.dora)


def test_an_attendee_of_another_event_is_refused(morning: House) -> None:
    morning.apply(toml(slug="other"))
    attendee = id_of("张桂芳")
    with pytest.raises(AttendeeUnknown), transaction() as session:
        other = events.get(session, "other")
        arrival = Arrival(attendee, morning.now, morning.now)
        check_in.check_in(session, other, arrival, anyway=True, by=morning.dora)


def test_the_list_knows_who_has_arrived(morning: House) -> None:
    arrive(morning, "王建国")
    arrived = attendee_list.listed(reading(), morning.event(), Selection(filter=Filter.ARRIVED))
    assert [row.name for row in arrived] == ["王建国"]
