"""Accounts, passwords, one-time links, roles and sessions."""

from datetime import timedelta

import pytest

from eventreg.core import audit
from eventreg.core.errors import FieldRefused, LinkSpent, SignInFailed, StaffUnknown, UsernameTaken
from eventreg.core.models.staff import Role, StaffMember
from eventreg.core.staff import accounts, sessions
from eventreg.core.staff.permissions import ALLOWED, Permission
from eventreg.core.staff.sessions import SignedIn
from eventreg.storage.session import reading, transaction
from tests.support.factories import LONG_PASSWORD, PASSWORD, House, local, toml

pytestmark = pytest.mark.both_databases


def signed_in(house: House, token: str) -> SignedIn | None:
    """Who is signed in with this token now."""
    return sessions.find(reading(), token, now=house.now)


def sign_in(house: House, name: str) -> str:
    """Open a session for this account."""
    with transaction() as session:
        return sessions.open_for(session, accounts.by_name(session, name), now=house.now)


@pytest.fixture
def staffed(house: House) -> House:
    """A house with Olga, Desmond and Dora."""
    house.hire()
    return house


def test_each_role_has_exactly_these_permissions() -> None:
    """The whole policy. A change here changes what staff may do."""
    table = {
        role: sorted(permission.value for permission in permissions)
        for role, permissions in ALLOWED.items()
    }
    desk = (
        "call check-in correct export import pair print-list register see-attendees see-event "
        "see-report staff-home type-sheet"
    ).split()
    more = [
        "erase",
        "go-over",
        "manage-events",
        "manage-staff",
        "operate",
        "release-early",
        "see-audit",
        "see-numbers",
        "take-back",
    ]
    assert table == {
        Role.DOOR: ["check-in", "staff-home"],
        Role.DESK: desk,
        Role.ORGANISER: sorted(desk + more),
    }
    assert set(ALLOWED[Role.ORGANISER]) == set(Permission)


def test_signing_in_needs_the_right_name_and_password(staffed: House) -> None:
    assert accounts.verify(reading(), " DESMOND ", PASSWORD).username == "desmond"
    for name, password in [
        ("desmond", PASSWORD + " "),
        ("desmond", ""),
        ("nobody", PASSWORD),
        ("", ""),
        ("desmond", "\x00"),
    ]:
        with pytest.raises(SignInFailed):
            accounts.verify(reading(), name, password)


def test_user_names_are_unique_ignoring_case(staffed: House) -> None:
    with pytest.raises(UsernameTaken), transaction() as session:
        accounts.add(session, "Olga", Role.DESK, by=audit.SYSTEM, now=staffed.now)
    for name in ("", "  ", "a\x00b", "x" * 61):
        with pytest.raises(FieldRefused), transaction() as session:
            accounts.add(session, name, Role.DESK, by=audit.SYSTEM, now=staffed.now)


def test_the_first_link_works_once(house: House) -> None:
    with transaction() as session:
        link = accounts.first_link(session, now=house.now)
    assert link is not None
    with transaction() as session:
        assert accounts.first_link(session, now=house.now) is None, "printed once"
    assert accounts.link_owner(reading(), link, now=house.now) is None
    with transaction() as session:
        accounts.use_link(session, link, "olga", LONG_PASSWORD, now=house.now)
    for token in (link, link[:-1], "", "\x00"):
        with pytest.raises(LinkSpent), transaction() as session:
            accounts.use_link(session, token, "eve", LONG_PASSWORD, now=house.now)
    assert accounts.by_name(reading(), "olga").role == Role.ORGANISER


def test_a_link_expires_after_a_day_and_a_new_one_replaces_it(staffed: House) -> None:
    with transaction() as session:
        old = accounts.make_link(
            session, accounts.by_name(session, "dora"), by=audit.SYSTEM, now=staffed.now
        )
        new = accounts.make_link(
            session, accounts.by_name(session, "dora"), by=audit.SYSTEM, now=staffed.now
        )
    with pytest.raises(LinkSpent):
        accounts.link_owner(reading(), old, now=staffed.now)
    owner = accounts.link_owner(reading(), new, now=staffed.now + timedelta(hours=23, minutes=59))
    assert owner is not None
    with pytest.raises(LinkSpent):
        accounts.link_owner(reading(), new, now=staffed.now + timedelta(hours=24))


def test_sign_out_disabling_and_a_new_password_end_sessions(staffed: House) -> None:
    for end in ("sign-out", "disable", "password"):
        name = {"sign-out": "olga", "disable": "desmond", "password": "dora"}[end]
        tokens = [sign_in(staffed, name), sign_in(staffed, name)]
        who = signed_in(staffed, tokens[0])
        assert who is not None
        assert who.actor.name == name
        with transaction() as session:
            if end == "sign-out":
                sessions.sign_out(session, who, now=staffed.now)
            elif end == "disable":
                accounts.disable(
                    session, accounts.by_name(session, name), by=audit.SYSTEM, now=staffed.now
                )
            else:
                member = accounts.by_name(session, name)
                accounts.set_password(
                    session, member, LONG_PASSWORD, by=audit.SYSTEM, now=staffed.now
                )
        assert signed_in(staffed, tokens[0]) is None
        assert (signed_in(staffed, tokens[1]) is not None) == (end == "sign-out")


def test_a_disabled_account_cannot_sign_in(staffed: House) -> None:
    with transaction() as session:
        accounts.disable(
            session, accounts.by_name(session, "desmond"), by=audit.SYSTEM, now=staffed.now
        )
    with pytest.raises(SignInFailed):
        accounts.verify(reading(), "desmond", PASSWORD)


def test_an_idle_session_ends_except_on_the_day_of_an_event(staffed: House) -> None:
    token = sign_in(staffed, "olga")
    began = staffed.now
    staffed.now = began + timedelta(hours=1, minutes=59)
    assert signed_in(staffed, token)
    staffed.now = began + timedelta(hours=2)
    assert signed_in(staffed, token) is None
    staffed.apply(toml())
    staffed.now = local("2030-06-10 00:10")
    token = sign_in(staffed, "dora")
    staffed.now = local("2030-06-10 10:59")
    assert signed_in(staffed, token)
    staffed.now = local("2030-06-10 11:00")
    assert signed_in(staffed, token) is None


def test_a_session_in_use_ends_after_fourteen_hours(staffed: House) -> None:
    token, began = sign_in(staffed, "olga"), staffed.now
    for hour in range(1, 14):
        staffed.now = began + timedelta(hours=hour)
        found = signed_in(staffed, token)
        assert found is not None
        assert found.unseen
        with transaction() as session:
            sessions.mark_seen(session, found.session_id, now=staffed.now)
    staffed.now = began + timedelta(hours=14)
    assert signed_in(staffed, token) is None


def test_a_sixth_session_ends_the_oldest(staffed: House) -> None:
    tokens = [sign_in(staffed, "olga") for _ in range(6)]
    assert [signed_in(staffed, token) is not None for token in tokens] == [False] + [True] * 5


def test_neither_tokens_nor_passwords_are_stored(staffed: House) -> None:
    with staffed.writing() as session:
        accounts.set_password(
            session,
            accounts.by_name(session, "olga"),
            LONG_PASSWORD,
            by=audit.SYSTEM,
            now=staffed.now,
        )
    token = sign_in(staffed, "olga")
    connection = reading().connection()
    stored = str(
        [
            connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            for table in ("staff_sessions", "staff_members")
        ]
    )
    assert token not in stored
    assert LONG_PASSWORD not in stored
    assert reading().query(StaffMember).first() is not None
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in stored


def test_an_unknown_user_name_is_refused(staffed: House) -> None:
    with pytest.raises(StaffUnknown):
        accounts.by_name(reading(), "eve")
