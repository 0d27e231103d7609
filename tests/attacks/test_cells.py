"""Cells of exported files that a spreadsheet would run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.lib.spreadsheets import neutral, plain


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        " =1+1",
        "\t=1",
        "\r\n=1",
        "\n=1",
        "\xa0=1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20A",
    ],
)
def test_a_formula_is_text_in_a_file(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"
    assert plain(neutral(cell)) == cell


@given(st.text().filter(lambda cell: not cell.startswith("'")))
def test_what_comes_back_is_what_went_out(cell: str) -> None:
    assert plain(neutral(cell)) == cell
