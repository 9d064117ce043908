"""The book of the door: who stands as checked in, who has a gift, and who is to get one later.

The rules of the door look people up here and enter what is new. Each person's rows are read once:
when somebody asks, or for many people in a few statements (``read``). New rows are written at once,
or all at the end (``together``). So one act and a batch of five hundred follow the same rules.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Select, bindparam, func, insert, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn, Gift
from eventreg.core.models.door import OwedGift
from eventreg.core.models.event import Event

_BATCH = 500
Line = TypeVar("Line", CheckIn, Gift, OwedGift)
_people: BindParameter[Any] = bindparam("people", expanding=True)
_check_ins = select(CheckIn).where(CheckIn.attendee_id.in_(_people), CheckIn.undone_at.is_(None))
_gifts = select(Gift).where(Gift.attendee_id.in_(_people), Gift.undone_at.is_(None))
_owed = select(OwedGift).where(OwedGift.attendee_id.in_(_people))
_given = select(func.count(Gift.id)).where(
    Gift.event_id == bindparam("event"), Gift.undone_at.is_(None)
)


class Book:
    """The book of one event in one transaction."""

    def __init__(self, session: Session, event: Event) -> None:
        self.session, self.event = session, event
        self._people: dict[int, None] = {}
        self._check_ins: dict[int, CheckIn | None] = {}
        self._gifts: dict[int, Gift | None] = {}
        self._owed: dict[int, OwedGift | None] = {}
        self._lines: tuple[tuple[dict[int, Any], type[CheckIn | Gift | OwedGift]], ...] = (
            (self._check_ins, CheckIn),
            (self._gifts, Gift),
            (self._owed, OwedGift),
        )
        self._left: int | None = None
        self._later: list[CheckIn | Gift | OwedGift] | None = None

    def read(self, people: Iterable[int]) -> None:
        """Say for whom the book is opened: their rows are read together when one is asked for."""
        self._people |= dict.fromkeys(people)

    def check_in(self, person: int) -> CheckIn | None:
        """The check-in of this attendee that stands."""
        return self._line(self._check_ins, _check_ins, person)

    def gift(self, person: int) -> Gift | None:
        """The gift that this attendee has."""
        return self._line(self._gifts, _gifts, person)

    def owed(self, person: int) -> OwedGift | None:
        """What is noted as owed to this attendee, settled or not."""
        return self._line(self._owed, _owed, person)

    def gifts_left(self) -> int | None:
        """How many gifts are left; ``None`` if the event sets no number."""
        gift = events.definition(self.event).gift
        if gift is None or gift.stock is None:
            return None
        if self._left is None:
            given = self.session.execute(_given, {"event": self.event.id}).scalar_one()
            self._left = gift.stock - given
        return max(0, self._left)

    def enter_check_in(self, made: CheckIn) -> None:
        """Write a check-in that now stands."""
        self._check_ins[made.attendee_id] = made
        self._write(made)

    def enter_gift(self, made: Gift) -> None:
        """Write a gift that now counts."""
        self._gifts[made.attendee_id] = made
        self._count_given(1)
        self._write(made)

    def enter_owed(self, made: OwedGift) -> None:
        """Write that a gift is owed."""
        self._owed[made.attendee_id] = made
        self._write(made)

    def strike_check_in(self, undone: CheckIn) -> None:
        """Note that this check-in is marked as undone."""
        self._check_ins[undone.attendee_id] = None
        self.changed()

    def strike_gift(self, undone: Gift) -> None:
        """Note that this gift is marked as undone."""
        self._gifts[undone.attendee_id] = None
        self._count_given(-1)
        self.changed()

    def changed(self) -> None:
        """Write what was changed in rows of the book."""
        if self._later is None:
            self.session.flush()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write everything that is entered within at its end, in a few statements; nothing if it
        raises."""
        self._later = []
        try:
            with self.session.no_autoflush, audit.in_one_statement(self.session):
                yield
            self.session.flush()  # first what was undone: a person has one check-in that stands
            self._write_all(self._later)
        finally:
            self._later = None

    def _write_all(self, entered: Sequence[CheckIn | Gift | OwedGift]) -> None:
        """Write new rows. The book then forgets them, as they have no id yet, and reads them again
        if somebody asks."""
        for lines, table in self._lines:
            rows = [one for one in entered if isinstance(one, table)]
            if rows:
                columns = [
                    column.name for column in table.__table__.columns if not column.primary_key
                ]
                values = [{name: getattr(one, name) for name in columns} for one in rows]
                self.session.connection().execute(insert(table), values)
            for one in rows:
                lines.pop(one.attendee_id, None)

    def recount(self) -> None:
        """Count the gifts again when that is asked for: others have given some."""
        self._left = None

    def forget(self) -> None:
        """Read everything again when it is asked for: others may have changed it, or what was
        entered was rolled back."""
        for lines, _ in self._lines:
            lines.clear()
        self.recount()

    def _line(
        self, lines: dict[int, Line | None], statement: Select[Line], person: int
    ) -> Line | None:
        if person not in lines:
            self._people.setdefault(person)
            missing = [one for one in self._people if one not in lines]
            for start in range(0, len(missing), _BATCH):
                some = missing[start : start + _BATCH]
                found = self.session.scalars(statement, {"people": some}, execution_options=_FRESH)
                lines |= dict.fromkeys(some) | {one.attendee_id: one for one in found}
        return lines[person]

    def _write(self, made: CheckIn | Gift | OwedGift) -> None:
        if self._later is None:
            self.session.add(made)
            self.session.flush()
        else:
            self._later.append(made)

    def _count_given(self, more: int) -> None:
        if self._later is None:
            self.recount()
        elif self.gifts_left() is not None and self._left is not None:
            self._left -= more


_FRESH: dict[str, Any] = {"populate_existing": True}
