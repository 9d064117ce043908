"""How durations grow from 50 to 100,000 registrations, and what one seat costs.

Measured are registering, lists, searches, exports and check-ins.
"""

import sqlite3
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import text

from benchmarks.report import Figure
from benchmarks.rush import ON_THE_DISK
from eventreg.core.audit import REGISTRANT
from eventreg.core.desk import attendee_list, calls, duplicates, exports
from eventreg.core.desk import search as searching
from eventreg.core.desk.attendee_list import Filter, Selection
from eventreg.core.door import check_in
from eventreg.core.door.check_in import Arrival
from eventreg.core.event import events
from eventreg.core.registration import availability, party_rules
from eventreg.core.registration import register as registering
from eventreg.core.values import names
from eventreg.storage.checks import make_tables
from eventreg.storage.quick_transaction import write_at_once
from eventreg.storage.session import db, reading, write
from tests.support.factories import A_WEEK_BEFORE, SECRET, House, make_entry, toml

SIZES = (50, 1_000, 5_000, 100_000)
SEARCHES = {
    "wangyingxiu": "exact reading",
    "王英秀": "exact name",
    "英秀": "given name",
    "wang": "surname",
    "w": "first letter",
    "wyx": "initials",
    "yx": "initials of the given name",
    "张 0042": "name and last four digits",
}
WRONG_LETTER = "wangyingxu"
_ROWS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {people})
INSERT INTO {into} SELECT {columns} FROM n
"""

_PERSON = (
    "INSERT INTO attendees (id, event_id, registration_id, place, name, name_folded, sort_key, "
    "search_key, letter, phone_number, phone_tail, code, public_id) VALUES (:id, 1, :id, 1, :name, "
    ":name_folded, :sort_key, :search_key, :letter, :phone, :tail, :code, printf('%032x', :id))"
)
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "秀英桂芳建国玉兰美康阿根月仙宝娣小妹定惠珍兴菊福凤彩平志强花明德春梅文斌少华新民秋素芬"


def made_up_name(number: int) -> str:
    """A made-up name; one in two thousand has a surname of two characters."""
    many, more = len(_SURNAMES), len(_GIVEN)
    surname = "欧阳" if number % 2000 == 0 else _SURNAMES[number % many]
    return surname + _GIVEN[number // many % more] + _GIVEN[number // many // more % more]


def _person(number: int) -> dict[str, object]:
    """The columns of a made-up person."""
    name = names.parse(made_up_name(number))
    return {
        **party_rules.columns(name),
        "id": number,
        "phone": f"+86139{number:08d}",
        "tail": f"{number % 10000:04d}",
        "code": f"{3000000 + number:07d}",
    }


@contextmanager
def filled(people: int) -> Iterator[House]:
    """A ``House`` (an app on a folder of its own) with this many registrations."""
    with TemporaryDirectory(dir=ON_THE_DISK, prefix=".run-") as folder:
        house = House(Path(folder))
        with house.app.app_context():
            fill(house, people)
            yield house
        house.close()


def fill(house: House, people: int) -> None:
    """Put one event with this many registrations into an empty house, with SQL."""
    make_tables()
    house.apply(toml(capacity=100_000, more="[waitlist]\nsize = 0"))
    house.hire()
    fill_event(people)


def fill_event(people: int) -> None:
    """Put this many registrations into the only event, with SQL."""
    moment = A_WEEK_BEFORE.replace(tzinfo=None).isoformat(" ")
    registrations = (
        "i, 1, printf('%032x', i), printf('%064x', i), 'confirmed', 'online', 'zh', "
        "printf('+86139%08d', i), printf('139%08d', i), printf('%04d', i % 10000), NULL, "
        f"1, '{moment}.000000', NULL, NULL, NULL"
    )
    columns = (
        "(id, event_id, ticket_seed, ticket_digest, state, source, locale, "
        "phone_number, phone_typed, phone_tail, email, "
        "version, created_at, promoted_at, split_from_id, cancelled_at)"
    )
    with db.engine.begin() as connection:
        into = f"registrations {columns}"
        connection.execute(text(_ROWS.format(people=people, into=into, columns=registrations)))
        connection.execute(text(_PERSON), [_person(number) for number in range(1, people + 1)])
        connection.execute(text(f"UPDATE event_seats SET taken = {people}, capacity = 200000"))
        connection.execute(text("ANALYZE"))


def milliseconds(act: Callable[[int], object], times: int) -> float:
    """The median duration of ``act``, which gets the number of its run."""
    found = []
    for number in range(times):
        began = time.perf_counter()
        act(number)
        found.append((time.perf_counter() - began) * 1000)
        reading().rollback()
    return statistics.median(found)


def _measure(house: House) -> dict[str, float]:
    event, first = house.event(), Selection(filter=Filter.CONFIRMED)

    def listing(asked: Selection, times: int) -> float:
        return milliseconds(lambda _: attendee_list.listed(reading(), event, asked), times)

    def search(query: str, times: int = 15) -> float:
        asked = Selection(query=query)
        return milliseconds(lambda _: searching.search(reading(), event, asked), times)

    rows = len(attendee_list.listed(reading(), event, first))
    return {
        "register": milliseconds(lambda n: house.register(f"新人{n}"), 60),
        "row of the first page": listing(first, 30) / rows,
        "number": listing(Selection(query="0042"), 30),
        **{query: search(query) for query in (*SEARCHES, WRONG_LETTER)},
        "same names": milliseconds(lambda _: duplicates.groups(reading(), event), 5),
        "tasks": milliseconds(lambda _: calls.tasks(reading(), event, now=house.now), 5),
    }


def growth() -> list[Figure]:
    """The durations at 50, 5,000 and 100,000 registrations."""
    by_size, csv = dict[int, dict[str, float]](), dict[int, tuple[float, float]]()
    for size in SIZES:
        with filled(size) as house:
            by_size[size] = _measure(house)
            csv[size] = _export(house)
    small, large = by_size[50], by_size[100_000]
    return [
        *(
            Figure(
                f"at 100,000 ÷ at 50 rows: {what}",
                large[what] / small[what],
                1.5,
                at_most=True,
                detail=f"{small[what]:.2f}, {by_size[5_000][what]:.2f}, {large[what]:.2f} ms",
            )
            for what in ("register", "row of the first page")
        ),
        Figure("search by last four digits at 100,000, ms", large["number"], 1, at_most=True),
        *(
            Figure(f"search at 100,000, {what}, ms", large[query], 25, at_most=True)
            for query, what in SEARCHES.items()
        ),
        Figure(
            "search at 1,000, one wrong letter, ms",
            by_size[1_000][WRONG_LETTER],
            10,
            at_most=True,
            detail=f"{large[WRONG_LETTER]:.0f} ms at 100,000",
        ),
        Figure("people registered twice at 100,000, ms", large["same names"]),
        Figure("who is to be called at 100,000, ms", large["tasks"]),
        Figure(
            "CSV of the list, streamed: us a row at 100,000 ÷ at 5,000",
            csv[100_000][0] / csv[5_000][0],
            1.5,
            at_most=True,
            detail=f"{csv[100_000][0]:.1f} us a row, {csv[100_000][1]:.0f} MiB",
        ),
    ]


def _export(house: House) -> tuple[float, float]:
    """Microseconds per row, and the largest use of memory in MiB."""
    event = house.event()

    def written() -> int:
        people = attendee_list.each(reading(), event, Selection())
        style = exports.Style("zh", events.zone(event), whole_numbers=True)
        return sum(piece.count("\r\n") for piece in exports.as_csv(people, style)) - 1

    began = time.perf_counter()
    rows = written()
    took = time.perf_counter() - began
    reading().rollback()
    tracemalloc.start()
    written()
    most = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return took / rows * 1e6, most


def check_ins() -> list[Figure]:
    """Check-ins one by one, and the same ones again."""
    with filled(100_000) as house:

        def arrive(number: int) -> object:
            return write(
                lambda session: check_in.check_in(
                    session,
                    events.get(session, "small"),
                    Arrival(f"{number + 1:032x}", house.now, house.now),
                    anyway=True,
                    by=house.dora,
                )
            )

        first, again = milliseconds(arrive, 300), milliseconds(arrive, 300)
    return [
        Figure("check-ins/s, one by one, of 100,000", 1000 / first, detail=f"{first:.2f} ms"),
        Figure("the same again ÷ first", again / first, 0.5, at_most=True),
    ]


def seat_transaction() -> list[Figure]:
    """The processor time of a registration, compared with three plain SQL statements. The disk does
    not count."""
    with filled(50) as house:
        event = availability.at(db.engine, None, "small", now=house.now).event
        filled_in = {number: make_entry(f"新人{number}") for number in range(-21, 1400)}

        more: Any = {"secret_key": SECRET, "by": REGISTRANT, "now": house.now}

        def at_once(number: int) -> None:
            entry = filled_in[number]
            write_at_once(lambda driver: registering.seat_at_once(driver, event, entry, **more))

        def with_session(number: int) -> None:
            entry = filled_in[number + 1000]
            write(lambda session: registering.register(session, event, entry, **more))

        ours, session = _cpu(at_once), _cpu(with_session)
    with TemporaryDirectory(dir=ON_THE_DISK, prefix=".run-") as folder:
        database = sqlite3.connect(str(Path(folder) / "raw.sqlite3"), isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "CREATE TABLE seats (id INTEGER PRIMARY KEY, taken INTEGER)",
            "INSERT INTO seats VALUES (1, 0)",
            "CREATE TABLE registrations (id INTEGER PRIMARY KEY, name, phone)",
            "CREATE TABLE audit (id INTEGER PRIMARY KEY, what)",
        ):
            database.execute(statement)

        def raw(number: int) -> None:
            database.execute("BEGIN IMMEDIATE")
            database.execute("UPDATE seats SET taken = taken + 1 WHERE id = 1 AND taken < 1000000")
            database.execute(
                "INSERT INTO registrations (name, phone) VALUES (?, ?)", (f"x{number}", "y")
            )
            database.execute("INSERT INTO audit (what) VALUES ('x')")
            database.execute("COMMIT")

        plain = _cpu(raw)
    return [
        Figure(
            "CPU of a seat transaction ÷ of three raw statements",
            ours / plain,
            5.5,
            at_most=True,
            detail=f"{ours:.0f} and {plain:.0f} us; with a session {session:.0f} us; "
            "ours is seven statements, with codes, key and digests",
        )
    ]


def _cpu(act: Callable[[int], object], times: int = 400) -> float:
    for number in range(20):
        act(-number - 1)
    began = time.process_time()
    for number in range(times):
        act(number)
    return (time.process_time() - began) / times * 1e6
