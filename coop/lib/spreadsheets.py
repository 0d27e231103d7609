"""Cells of CSV files that people open in a spreadsheet, which takes some texts for formulas and runs them."""

from __future__ import annotations

# A cell that begins so is a formula to a spreadsheet.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def plain(cell: str) -> str:
    """The opposite of `neutral`, for a cell of a file that comes back to us."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell
