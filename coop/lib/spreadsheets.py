"""Cells of CSV files that people open in a spreadsheet, which takes some texts for formulas and runs them."""

from __future__ import annotations

# A cell that begins so is a formula to a spreadsheet.
FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # and their wide forms
BREAKS = ("\t", "\r", "\n")


def neutral(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{cell}" if looks_like_formula(cell) else cell


def plain(cell: str) -> str:
    """The opposite of `neutral`, for a cell of a file that comes back to us."""
    return cell[1:] if cell.startswith("'") and looks_like_formula(cell[1:]) else cell


def looks_like_formula(cell: str) -> bool:
    """Whether some spreadsheet would run the cell: spaces before the sign, and the wide signs of East Asian keyboards, help
    nobody; a tab or a line break at the start moves the rest into a cell of its own.
    """
    return cell.startswith(BREAKS) or cell.lstrip().startswith(FORMULA_STARTS)
