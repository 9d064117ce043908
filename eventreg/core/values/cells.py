"""Cells of a spreadsheet that hold a text, and must not be taken for a formula."""

import unicodedata

from eventreg.core.values.normal_form import normalize

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""Beginnings that a spreadsheet takes for a formula; ``'`` is the mark of ``inert`` itself."""
_MINUS = {"\u2212"}


def inert(cell: str) -> str:
    """Put a ' before a cell that a spreadsheet would take for a formula.

    Spreadsheets skip blanks and invisible characters, and some read ＝, ﹢ or − as = + -.
    """
    if not cell or cell[0].isalnum():
        return cell  # nearly all cells: no letter or digit is read as the beginning of a formula
    begins = next((c for c in cell if unicodedata.category(c) not in {"Cf", "Zs"}), "")
    formula = normalize("NFKC", begins).startswith(FORMULA) or begins in _MINUS
    return f"'{cell}" if formula else cell
