"""The end of a session, tried with random steps against the rule."""

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from eventreg.core.models.staff import StaffMember
from eventreg.core.staff import accounts, sessions
from eventreg.core.staff.sessions import ABSOLUTE, IDLE
from eventreg.storage.session import reading, transaction
from tests.proofs.conftest import rounds
from tests.support.factories import House, local, toml
from tests.web.staff.test_sessions import at


def opened(house: House, name: str) -> str:
    """Open a session for this account."""
    with transaction() as session:
        return sessions.open_for(session, accounts.by_name(session, name), now=house.now)


def look(house: House, token: str, *, use: bool) -> bool:
    """Whether the session is valid; with ``use``, record its use as a page does."""
    found = sessions.find(reading(), token, now=house.now)
    if found and use:
        with transaction() as session:
            sessions.mark_seen(session, found.session_id, now=house.now)
    reading().rollback()
    return found is not None


MINUTES = st.one_of(st.integers(0, 5), st.integers(60, 300), st.integers(0, 40 * 60))
ACTS = st.sampled_from(["look", "use", "use", "move", "later", "put on", "drop"])
EXAMPLES = settings(
    max_examples=rounds(25, 400),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@EXAMPLES
@given(
    name=st.sampled_from(["olga", "desmond", "dora"]),
    steps=st.lists(st.tuples(MINUTES, ACTS), max_size=12),
)
@example("olga", [(11_000, "look")])
@example("olga", [(125, "put on"), (1, "use"), (200, "use")])
def test_a_refused_session_stays_refused(
    small: House, name: str, steps: list[tuple[int, str]]
) -> None:
    at(small, "2030-06-08 20:00")
    token, refused, days = opened(small, name), False, iter(range(1, 400))
    for minutes, act in steps:
        small.now += timedelta(minutes=minutes)
        today = small.now.astimezone(ZoneInfo("Asia/Shanghai")).date()
        if act == "move":
            small.apply(
                toml(capacity=next(days) + 3).replace("2030-06-10", f"{today + timedelta(days=1)}")
            )
        elif act == "later":
            small.apply(
                toml(capacity=next(days) + 3)
                .replace("2030-06-10", f"{today}")
                .replace("ends_at = 11:", "ends_at = 23:")
            )
        elif act == "put on":
            small.apply(
                toml(f"more-{today}")
                .replace("2030-06-10", f"{today}")
                .replace("ends_at = 11:", "ends_at = 22:")
            )
        elif act == "drop":
            with transaction() as session:
                sessions.drop_ended(session, now=small.now)
        stands = look(small, token, use=act == "use")
        assert not (refused and stands), "it came back to life"
        refused = not stands


@EXAMPLES
@given(
    name=st.sampled_from(["olga", "dora"]),
    waits=st.lists(st.integers(1, 420), min_size=1, max_size=15),
)
@example("olga", [119, 119])
@example("dora", [235, 239, 600])
def test_sessions_end_as_an_independent_rule_says(
    small: House, name: str, waits: list[int]
) -> None:
    """Compares with an independent version of the rule.

    A session ends at the first gap or age that is too long, unless it was valid at midnight before
    the event.
    """
    begins, ends = local("2030-06-10 00:00"), local("2030-06-10 11:00")
    idle = IDLE[next(role for role in IDLE if role == {"olga": "organiser", "dora": "door"}[name])]
    at(small, "2030-06-09 20:00")
    token, began = opened(small, name), small.now
    uses = [began + timedelta(minutes=sum(waits[:count])) for count in range(len(waits) + 1)]
    standing = True
    for last, moment in pairwise(uses):
        end = min(last + idle, began + ABSOLUTE)
        end = ends if begins < end < ends or (begins <= last < ends and end < ends) else end
        standing = standing and moment < end
        small.now = moment
        assert look(small, token, use=True) == standing, (last, moment)
        if not standing:
            break


def test_only_a_moved_event_moves_the_end_of_a_paired_telephone(small: House) -> None:
    """Its use does not. Another event does not either."""
    at(small, "2030-06-10 08:00")
    with transaction() as session:
        member = StaffMember(
            username="small ☎1",
            username_folded="small ☎1",
            role="door",
            created_at=small.now,
            event_id=small.event().id,
        )
        session.add(member)
        session.flush()
        until = sessions.paired_until(small.event())
        token = sessions.open_for(session, member, now=small.now, until=until)
    assert until == local("2030-06-10 23:00"), "twelve hours after the end"
    small.apply(toml("other").replace("2030-06-10", "2030-06-12"))
    at(small, "2030-06-10 22:00")
    assert look(small, token, use=True)
    small.apply(toml().replace("2030-06-10", "2030-06-11"))
    at(small, "2030-06-11 22:59")
    assert look(small, token, use=True)
    at(small, "2030-06-11 23:00")
    assert not look(small, token, use=True)
    small.apply(toml().replace("2030-06-10", "2030-06-15"))
    assert not look(small, token, use=False), "a session that has ended stays ended"
