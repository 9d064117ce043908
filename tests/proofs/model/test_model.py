"""Random orders of acts, made by hypothesis, compared with a small model of the rules.

After each act, program and model must agree, and so must rows, counter and audit trail.
"""

import itertools
from contextlib import suppress

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from eventreg.core import audit, invariants
from eventreg.core.errors import (
    AlreadyCancelled,
    EventFull,
    NothingToUndo,
    Refusal,
    RegistrationClosed,
    SeatGivenAway,
    WaitlistFull,
)
from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup
from eventreg.storage.session import reading
from tests.proofs import faults
from tests.proofs.conftest import WHOLE
from tests.proofs.model.seats_model import WAITLIST, Model, Party
from tests.support.factories import House, toml

_slugs = itertools.count()


class Seats(RuleBasedStateMachine):
    """One event, and the model of it."""

    house: House

    def __init__(self) -> None:
        super().__init__()
        self.slug = f"event{next(_slugs)}"
        self.model = Model(capacity=2, held=0)
        self.held_in_file = 0
        self.moved = 0
        self.apply()

    def apply(self) -> None:
        """Apply an event file with what the model says."""
        notice = ""
        if self.model.cancelled or self.moved:
            kind = "cancelled" if self.model.cancelled else "moved"
            notice = (
                f'[notice]\nkind = "{kind}"\ntext = {{ zh = "{self.moved}", en = "{self.moved}" }}'
            )
        closes = "2030-06-02" if self.model.closed else "2030-06-10"
        self.house.apply(
            toml(
                self.slug,
                self.model.capacity,
                more=f"held_seats = {self.held_in_file}\nheld_until = 2030-06-09T00:00:00\n"
                f"[waitlist]\nsize = {WAITLIST}\n[registration]\ncloses_at = "
                f"{closes}T08:45:00\n{notice}",
            )
        )

    @rule(
        couple=st.booleans(),
        wish=st.sampled_from(["waitlist", "waitlist", "split", ""]),
        by_phone=st.booleans(),
    )
    def register(self, couple: bool, wish: str, by_phone: bool) -> None:
        """One person or a couple registers."""
        self._register(couple, wish, by_phone)

    def _register(self, couple: bool, wish: str, by_phone: bool) -> None:
        people = ["张一", "张二"][: 1 + couple]
        model, size = self.model, 1 + couple
        expected = self._expected(size, wish, by_phone)
        source = "phone" if by_phone else "online"
        made = None
        with suppress(EventFull, WaitlistFull, RegistrationClosed):
            wishes = {wish: True} if wish else {}
            made = self.house.register(*people, slug=self.slug, source=source, **wishes)
        if expected == "refused":
            assert made is None
            return
        assert made is not None, expected
        if expected == "confirmed":
            party = model.parties[made.id] = Party(size, "moving", by_phone)
            model.seat(party)
        elif expected == "waitlisted":
            model.parties[made.id] = Party(size, "waitlisted", by_phone)
        else:
            party = model.parties[made.id] = Party(1, "moving", by_phone)
            model.seat(party)
            (beside,) = lookup.waiting_beside(reading(), lookup.get(reading(), made.id))
            model.parties[beside.id] = Party(1, "waitlisted", by_phone)

    @rule(couple=st.booleans())
    def join(self, couple: bool) -> None:
        """One person or a couple registers online and accepts to wait, as most people do."""
        self._register(couple, "waitlist", by_phone=False)

    def _expected(self, size: int, wish: str, by_phone: bool) -> str:
        model = self.model
        if model.cancelled or (model.closed and not by_phone):
            return "refused"
        free, waiting = model.free(by_phone), model.people("waitlisted")
        if size <= free:
            return "confirmed"
        if wish == "split" and free:
            return "parted" if waiting + size - 1 <= WAITLIST else "refused"
        return "waitlisted" if wish == "waitlist" and waiting + size <= WAITLIST else "refused"

    @precondition(lambda self: self.model.parties)
    @rule(pick=st.integers(0, 100), one=st.booleans(), by_staff=st.booleans())
    def cancel(self, pick: int, one: bool, by_staff: bool) -> None:
        """A party, or one person of it, cancels; perhaps for the second time."""
        ids = sorted(self.model.parties)
        who = ids[pick % len(ids)]
        party = self.model.parties[who]
        made = lookup.get(reading(), who)
        chosen = [person.id for person in lookup.party(reading(), made)][:1] if one else []
        by = audit.SYSTEM if by_staff else audit.REGISTRANT
        try:
            self.house.cancel(who, *chosen, by=by)
        except AlreadyCancelled:
            assert party.state == "cancelled"
            return
        assert party.state != "cancelled"
        leaving = 1 if one else party.people
        party.given_back.append((leaving, party.state == "waitlisted"))
        party.people -= leaving
        if not party.people:
            party.state = "cancelled"
        self.model.promote()

    @precondition(lambda self: any(party.given_back for party in self.model.parties.values()))
    @rule(pick=st.integers(0, 100), insist=st.booleans())
    def undo(self, pick: int, insist: bool) -> None:
        """A cancellation is undone, or, if staff insist and the seat is gone, the people are put
        first in line."""
        model = self.model
        ids = [who for who in sorted(model.parties) if model.parties[who].given_back]
        who = ids[pick % len(ids)]
        party = model.parties[who]
        people, waited = party.given_back[-1]
        waits = waited if party.state == "cancelled" else party.state == "waitlisted"
        room = model.people("waitlisted") + people <= WAITLIST
        fits = room if waits else people <= model.free(False)
        expected: type[Refusal] | None
        if model.cancelled:
            expected = RegistrationClosed
        elif fits:
            expected = None
        elif waits:
            expected = NothingToUndo if insist else WaitlistFull
        else:
            expected = (None if room else WaitlistFull) if insist else SeatGivenAway
        if waits and insist and not model.cancelled:
            expected = NothingToUndo
        act = self.house.put_first if insist else self.house.undo
        met = None
        try:
            act(who)
        except Refusal as refusal:
            met = type(refusal)
        assert met is expected, (party, people, waits, room)
        if met is not None:
            return
        party.given_back.pop()
        if fits:
            party.people += people
            party.state = "waitlisted" if waits else "confirmed"
        else:
            reading().rollback()
            newest = reading().query(Registration).filter_by(split_from_id=who)
            again = max(made.id for made in newest)
            model.parties[again] = Party(people, "waitlisted", party.by_phone, first=True)
        model.promote()

    @rule(capacity=st.integers(2, 6))
    def change_capacity(self, capacity: int) -> None:
        """The capacity changes."""
        self.model.capacity = capacity
        self.apply()
        self.model.promote()

    @rule(held=st.integers(0, 2))
    def hold(self, held: int) -> None:
        """The number of held seats changes."""
        if held != self.held_in_file:
            self.held_in_file = self.model.held = held
            self.apply()
            self.model.promote()

    @rule(what=st.sampled_from(["take place after all", "reopen", "move", "cancel", "close"]))
    def announce(self, what: str) -> None:
        """The event is moved, cancelled or closed, or that is taken back."""
        match what:
            case "move":
                self.moved += 1
            case _ if self.model.people("waitlisted") < 2:
                return  # closing an event at once would test little
            case "cancel" | "take place after all":
                self.model.cancelled = what == "cancel"
            case _:
                self.model.closed = what == "close"
        self.apply()
        self.model.promote()

    @invariant()
    def rows_are_as_the_model_says(self) -> None:
        """Each party is in the state that the model gives it, and all invariants hold."""
        session = reading()
        session.rollback()
        event = self.house.event(self.slug)
        rows = {made.id: made for made in session.query(Registration).filter_by(event_id=event.id)}
        states = {who: made.state for who, made in rows.items()}
        assert states == {who: party.state for who, party in self.model.parties.items()}
        found = invariants.of_event(session, event, now=self.house.now)
        wrong = [
            f"{finding.name}: {finding.detail}" for finding in found.findings if not finding.holds
        ]
        assert not wrong
        people = (found.confirmed, found.waiting)
        assert people == (self.model.people("confirmed"), self.model.people("waitlisted"))


def explore(house: House, examples: int, steps: int) -> None:
    """Run so many examples of so many steps."""

    class Here(Seats):
        pass

    Here.house = house
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )


def test_after_every_order_of_acts_program_and_model_agree(house: House) -> None:
    explore(house, *((2_000, 50) if WHOLE else (20, 30)))


@pytest.mark.parametrize(
    "fault", ["nobody_is_promoted", "last_first", "held_for_nobody", "no_audit_of_cancellation"]
)
def test_the_model_notices_a_seeded_fault(
    house: House, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in faults.TOUCHED[fault]:
        monkeypatch.setattr(module, name, getattr(module, name))
    faults.apply(fault)
    with pytest.raises(AssertionError):
        explore(house, 100, 30)
