"""Volleys: requests at one moment, over real connections to two server processes.

They want the last seat, register the same person, send the same form, or cancel the same party.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from eventreg.core import audit, invariants
from eventreg.storage.session import db, reading
from tests.proofs import faults
from tests.proofs.conftest import in_short, rounds
from tests.proofs.crowd import Place
from tests.proofs.volley import volley
from tests.server.test_server import ask, hidden
from tests.support.factories import SECRET, House, toml
from tests.support.servers import Server, running
from tests.support.tokens import another

REGISTER = "/zh/events/small/register"
TOGETHER = 16
SPELLINGS = (
    "138{}",
    "138 {}",
    "+86138{}",
    "+86 138 {}",
    "0086138{}",
    "0086-138{}",
    "86-138{}",
    " 138{} ",
    "138-{}",
    "１３８{}",
    "(138){}",
    "+86-138-{}",
)

on_both = pytest.mark.both_databases


@contextmanager
def two(place: Place, fault: str = "") -> Iterator[list[Server]]:
    """Two servers on one database."""
    with ExitStack() as both:
        settings = {"EVENTREG_SECRET_KEY": SECRET, **place.environment}
        yield [
            both.enter_context(running(house_folder(place), fault, **settings)) for _ in range(2)
        ]


def house_folder(place: Place) -> Any:
    """The instance folder of a place."""
    return place.house().settings.instance


def form(server: Server, number: int, **typed: str) -> dict[str, str]:
    """A filled-in form with a key of its own."""
    shown = hidden(ask(server, "GET", REGISTER)[2])
    return {
        **shown,
        "name": f"王{number}号",
        "phone": f"139{number:08d}",
        "confirmed": "yes",
        **typed,
    }


def open_seats(house: House, seats: int) -> None:
    """Set the capacity to so many seats more than are taken."""
    house.apply(toml(capacity=house.seats().taken + seats, more="[waitlist]\nopen = false"))


def fire_for_the_last_seat(house: House, servers: list[Server], times: int) -> list[Counter[int]]:
    """Send sixteen forms at once for one seat, so many times. Returns the statuses of each time."""
    shown = form(servers[0], 0)
    fired = []
    for number in range(times):
        open_seats(house, 1)
        forms = [
            {**another(shown, number * TOGETHER + n), "phone": f"139{number:04d}{n:04d}"}
            for n in range(TOGETHER)
        ]
        fired.append(Counter(answer.status for answer in volley(servers, REGISTER, forms)))
    return fired


@on_both
def test_of_sixteen_at_once_exactly_one_gets_the_last_seat(house: House, place: Place) -> None:
    house.apply(toml(capacity=1))
    with two(place) as servers:
        times = rounds(8, 500)
        fired = fire_for_the_last_seat(house, servers, times)
    assert fired == [Counter({409: TOGETHER - 1, 303: 1})] * times
    assert house.seats().taken == times
    assert invariants.of_event(reading(), house.event(), now=house.now).holds


@in_short("postgresql")
def test_without_the_guard_several_get_the_last_seat(house: House, place: Place) -> None:
    house.apply(toml(capacity=1))
    faults.drop_schema_guards()
    with two(place, "no_guard") as servers:
        fired = fire_for_the_last_seat(house, servers, 3)
    assert any(answers[303] > 1 for answers in fired)


def same_person(servers: list[Server], people: int) -> list[Counter[int]]:
    """Send the same person in twelve spellings of the number at once. Returns the statuses."""
    shown = form(servers[0], 0)
    fired = []
    for person in range(people):
        digits = f"{person:08d}"
        full = digits.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
        forms = [
            {
                **another(shown, person * 100 + n),
                "name": "王 小明" if n % 2 else "王小明",
                "phone": spelling.format(full if spelling.startswith("１") else digits),
            }
            for n, spelling in enumerate(SPELLINGS)
        ]
        fired.append(Counter(answer.status for answer in volley(servers, REGISTER, forms)))
    return fired


@on_both
def test_one_person_in_twelve_spellings_is_one_registration(house: House, place: Place) -> None:
    people = rounds(5, 200)
    house.apply(toml(capacity=1000, head="max_per_phone = 2"))
    with two(place) as servers:
        fired = same_person(servers, people)
    assert fired == [Counter({409: len(SPELLINGS) - 1, 303: 1})] * people
    assert house.seats().taken == people


@in_short("sqlite")
def test_without_check_and_index_one_person_is_registered_several_times(
    house: House, place: Place
) -> None:
    house.apply(toml(capacity=1000, head="max_per_phone = 12"))
    faults.drop_schema_guards()
    with two(place, "same_person_twice") as servers:
        fired = same_person(servers, 2)
    assert all(answers[303] > 1 for answers in fired)


def eight_names(servers: list[Server], times: int) -> list[int]:
    """Register eight people under one number at once. Returns how many succeeded each time."""
    shown = form(servers[0], 0)
    got = []
    for number in range(times):
        forms = [
            {
                **another(shown, number * 8 + n),
                "name": f"王{'甲乙丙丁戊己庚辛'[n]}",
                "phone": f"137{number:08d}",
            }
            for n in range(8)
        ]
        got.append(sum(answer.status == 303 for answer in volley(servers, REGISTER, forms)))
    return got


@on_both
def test_one_number_never_holds_more_people_than_allowed(house: House, place: Place) -> None:
    house.apply(toml(capacity=1000))
    with two(place) as servers:
        assert set(eight_names(servers, rounds(5, 50))) == {4}


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_on_postgresql_without_the_queue_one_number_holds_more(house: House, place: Place) -> None:
    """SQLite has one writer at a time, and so no queue to take out."""
    house.apply(toml(capacity=1000))
    with two(place, "no_queue_for_a_number") as servers:
        assert max(eight_names(servers, 10)) > 4


def eight_of_one_form(servers: list[Server], times: int) -> list[set[tuple[int, str]]]:
    """Send the same form eight times at once. Returns the different answers each time."""
    fired = []
    for number in range(times):
        one = form(servers[0], number)
        fired.append(
            {(answer.status, answer.location) for answer in volley(servers, REGISTER, [one] * 8)}
        )
    return fired


@on_both
def test_eight_times_the_same_form_at_once_is_one_registration_and_one_answer(
    house: House, place: Place
) -> None:
    house.apply(toml(capacity=1000))
    with two(place) as servers:
        times = rounds(5, 50)
        fired = eight_of_one_form(servers, times)
        assert all(
            len(answers) == 1 and {status for status, _ in answers} == {303} for answers in fired
        )
        assert house.seats().taken == times
        first = form(servers[0], 900)
        assert ask(servers[0], "POST", REGISTER, first)[0] == 303
        assert ask(servers[1], "POST", REGISTER, {**first, "name": "李建国"})[0] == 422, (
            "the same form with other content is refused"
        )
    assert house.seats().taken == times + 1


@in_short("postgresql")
def test_a_key_stored_after_the_commit_gives_eight_different_answers(
    house: House, place: Place
) -> None:
    house.apply(toml(capacity=1000))
    with two(place, "key_after_commit") as servers:
        assert any(len(answers) > 1 for answers in eight_of_one_form(servers, 5))


@in_short("sqlite")
def test_without_the_fingerprint_other_content_gets_the_ticket_of_the_first(
    house: House, place: Place
) -> None:
    house.apply(toml(capacity=1000))
    with two(place, "key_of_anybody") as servers:
        first = form(servers[0], 1)
        assert ask(servers[0], "POST", REGISTER, first)[0] == 303
        assert ask(servers[1], "POST", REGISTER, {**first, "name": "李建国"})[0] == 303


def eight_cancellations(house: House, servers: list[Server]) -> tuple[list[str], Counter[str]]:
    """Cancel a couple eight times at once, while three people wait. Returns the broken invariants,
    and how often each action is in the audit trail."""
    house.apply(toml(capacity=2))
    shown = form(servers[0], 1, **{"companion-1": "李建国"})
    ticket = ask(servers[0], "POST", REGISTER, shown)[1]
    for number in range(3):
        house.register(f"赵{number}号", waitlist=True)
    assert {answer.status for answer in volley(servers, f"{ticket}/cancel", [{"x": "y"}] * 8)} == {
        303
    }
    reading().rollback()
    found = invariants.of_event(reading(), house.event(), now=house.now)
    acts = (
        db.session.connection().exec_driver_sql("SELECT action FROM audit_entries").scalars().all()
    )
    reading().rollback()
    return [finding.name for finding in found.findings if not finding.holds], Counter(acts)


@on_both
def test_eight_cancellations_at_once_free_the_seats_once(house: House, place: Place) -> None:
    house.apply(toml(capacity=2))
    with two(place) as servers:
        broken, acts = eight_cancellations(house, servers)
    assert broken == []
    assert (acts[audit.Action.SEATS_RELEASED], acts[audit.Action.PROMOTED]) == (1, 2)
    assert (house.seats().taken, house.seats().waiting) == (2, 1)


@in_short("postgresql")
def test_without_the_check_a_cancellation_frees_the_seats_several_times(
    house: House, place: Place
) -> None:
    house.apply(toml(capacity=2))
    faults.drop_schema_guards()
    with two(place, "cancelled_again_and_again") as servers:
        broken, acts = eight_cancellations(house, servers)
    assert broken
    assert acts[audit.Action.SEATS_RELEASED] > 1
