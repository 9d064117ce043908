"""The model: what becomes of parties and seats, in a few lines, without a database."""

from dataclasses import dataclass, field

WAITLIST = 6


@dataclass
class Party:
    """A party in the model."""

    people: int
    state: str
    by_phone: bool
    given_back: list[tuple[int, bool]] = field(default_factory=list)
    """Each cancellation that stands: how many people, and whether they waited."""
    first: bool = False
    """Staff put it first in line."""


@dataclass
class Model:
    """The rules about seats, written as simply as possible."""

    capacity: int
    held: int
    cancelled: bool = False
    closed: bool = False
    parties: dict[int, Party] = field(default_factory=dict)

    def people(self, state: str) -> int:
        """Count the people in that state."""
        return sum(party.people for party in self.parties.values() if party.state == state)

    def free(self, by_phone: bool) -> int:
        """Free seats for a registration online or by phone."""
        return max(0, self.capacity - self.people("confirmed") - (0 if by_phone else self.held))

    def seat(self, party: Party) -> None:
        """Seat this party; a call uses held seats first."""
        if party.by_phone:
            self.held -= min(
                party.people, self.held, max(0, self.capacity - self.people("confirmed"))
            )
        party.state = "confirmed"

    def promote(self) -> None:
        """Seat the first party that fits, until none does."""
        while not self.cancelled:
            fitting = [
                self.parties[who]
                for who in sorted(self.parties, key=lambda who: (not self.parties[who].first, who))
                if self.parties[who].state == "waitlisted"
                and self.parties[who].people <= self.free(self.parties[who].by_phone)
            ]
            if not fitting:
                return
            party, *_ = fitting
            party.state = "moving"
            self.seat(party)
