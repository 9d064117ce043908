"""Make registrations of the rows of a file: read the cells of each row by its columns, and gather
the rows of one party."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from eventreg.core.errors import FieldRefused
from eventreg.core.event import events
from eventreg.core.importing.import_file import FileRow
from eventreg.core.importing.list_columns import Column
from eventreg.core.models.event import Event
from eventreg.core.models.registration import RegistrationState, Source
from eventreg.core.registration.entries import Entry
from eventreg.core.values import emails, names, phones, requests, whole_numbers
from eventreg.core.values.names import Name
from eventreg.core.values.normal_form import normalize
from eventreg.core.values.phones import Phone
from eventreg.core.values.requests import Wish
from eventreg.i18n import LANGUAGES, sentence

_NOTHING = {"无", "没有", "没", "暂无", "否", "不需要", "不用", "none", "no", "n/a", "-", "—", "/"}
"""What people write into a field that they have to fill in."""
_ROUNDED = re.compile(r"\d([.,]\d+)?e\+?\d+")
_BETWEEN = re.compile(r"[\s,，、;；/|+]*")
_ON_THE_LIST = {"paid", "completed", "placed", "pending", "approved", "报名成功", "已确认", "有效"}
_GONE = {"canceled", "expired", "deleted", "refunded", "取消", "取消报名", "已退", "已退名额"}
"""States of other programs, besides our own."""
_SHORT_WISHES = {"轮椅": Wish.WHEELCHAIR, "前排": Wish.FRONT, "坐一起": Wish.TOGETHER}


@dataclass(frozen=True)
class Row:
    """A row with its cells by column. Columns that are left out, and empty cells, are not in it."""

    number: int
    cells: Mapping[Column, str]

    def cell(self, column: Column) -> str:
        """The cell; empty if the row has none."""
        return self.cells.get(column, "")

    @property
    def shown_name(self) -> str:
        """The name as the file has it."""
        return self.cell(Column.NAME) or self._joined_name

    @property
    def _joined_name(self) -> str:
        surname, given = self.cell(Column.SURNAME), self.cell(Column.GIVEN)
        chinese = names.has_han(surname + given)
        return surname + given if chinese else f"{given} {surname}".strip()

    def blamed(self, refusal: FieldRefused) -> str:
        """The cell that was refused; the name if the refusal is about another field."""
        field = "companion" if refusal.field.startswith("companion") else refusal.field
        return self.cells.get(Column(field), "") if field in list(Column) else self.shown_name


def by_column(row: FileRow, columns: Sequence[Column]) -> Row:
    """The row of a file with its cells by column."""
    cells: dict[Column, str] = {
        column: cell
        for column, cell in zip(columns, row.cells, strict=False)
        if column is not Column.LEFT_OUT and cell
        if column is Column.NAME or cell.casefold() not in _NOTHING
    }
    return Row(row.number, cells)


def is_cancelled(row: Row) -> bool:
    """Whether the state of this row says that the person does not come.

    Raises ``FieldRefused`` for ``state`` if the word is not known.
    """
    said = row.cell(Column.STATE).casefold()
    cancelled = _states()
    if said and said not in cancelled:
        raise FieldRefused("state", "import_state_unknown")
    return cancelled.get(said, False)


@cache
def _states() -> dict[str, bool]:
    """For each known word for a state, whether it means cancelled."""
    ours = {
        word.casefold(): state is RegistrationState.CANCELLED
        for state in RegistrationState
        for word in (state, *(sentence(language, f"state_{state}") for language in LANGUAGES))
    }
    return {**dict.fromkeys(_ON_THE_LIST, False), **dict.fromkeys(_GONE, True), **ours}


def in_parties(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows, those of one party together and in the order of their places."""
    parties: dict[str, list[Row]] = {}
    for row in rows:
        party = row.cell(Column.PARTY)
        parties.setdefault(f"party {party}" if party else f"row {row.number}", []).append(row)
    return [
        sorted(party, key=lambda row: whole_numbers.parse(row.cell(Column.PLACE)) or 0)
        for party in parties.values()
    ]


def entry(event: Event, party: Sequence[Row], *, waitlist: bool) -> Entry:
    """The registration that these rows ask for.

    Raises ``FieldRefused`` if a cell is refused, or if the rows differ where they must not.
    """
    people = [name for row in party for name in _names(row)]
    phone = _phone(_common(party, Column.PHONE), event)
    contact = _common(party, Column.CONTACT)
    # The same row has the same form key, so an import sent twice registers nobody twice. The slug
    # is part of it, as a list may be imported for another event too.
    identity = repr((event.slug, Source.IMPORT, people[0].folded, phone.number, party[0].number))
    return Entry(
        tuple(people),
        phone,
        "zh",
        Source.IMPORT,
        sha256(identity.encode()).hexdigest()[:32],
        waitlist=waitlist,
        email=emails.parse(_common(party, Column.EMAIL)),
        contact=names.parse(contact, "contact").typed if contact else None,
        wishes=requests.join(wish for row in party for wish in _wishes(row.cell(Column.WISHES))),
    )


def _names(row: Row) -> list[Name]:
    name = names.with_reading(names.parse(row.shown_name), row.cell(Column.READING), "reading")
    companion = row.cell(Column.COMPANION)
    return [name, *([names.parse(companion, "companion-1")] if companion else [])]


def _common(party: Sequence[Row], column: Column) -> str:
    """What the rows of a party have in a column; empty if none has anything."""
    cells = list(dict.fromkeys(row.cell(column) for row in party if row.cell(column)))
    if len(cells) > 1:
        raise FieldRefused(column, "import_party_differs")
    return cells[0] if cells else ""


def _phone(typed: str, event: Event) -> Phone:
    if not typed:
        return phones.NONE
    if "*" in typed:
        raise FieldRefused("phone", "import_masked")
    if _ROUNDED.fullmatch(typed.casefold()):
        raise FieldRefused("phone", "import_rounded")
    line = events.definition(event).phone_line
    return phones.parse(typed, line.area_code if line else None)


def _wishes(typed: str) -> list[Wish]:
    """The wishes in a cell, by their stored words or as a page says them in either language.

    Raises ``FieldRefused`` for ``wishes`` if anything else is left.
    """
    rest, found = normalize("NFKC", typed).casefold(), []
    for word, wish in _wish_words():
        if word in rest:
            rest = rest.replace(word, " ")
            found.append(wish)
    if not _BETWEEN.fullmatch(rest):
        raise FieldRefused("wishes", "import_wish_unknown")
    return found


@cache
def _wish_words() -> list[tuple[str, Wish]]:
    """Each spelling of a wish, the longest first."""
    said = [(sentence(language, f"wish_{wish}"), wish) for language in LANGUAGES for wish in Wish]
    spelled = [*said, *((str(wish), wish) for wish in Wish), *_SHORT_WISHES.items()]
    folded = [(normalize("NFKC", word).casefold(), wish) for word, wish in spelled]
    return sorted(folded, key=lambda one: -len(one[0]))
