"""The first lines of a file whose columns nobody has explained yet: something to look at while they are mapped."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import IO

from coop.lib.errors import Refused
from funds.files import open_sheet
from funds.files.columns import REQUIRED, fold


def first_rows(file: IO[bytes], columns: Sequence[str], count: int = 3) -> list[list[str]]:
    """The first good lines, cell by cell; none where the file has too few columns to be mapped at all.

    To be opened a file needs a meaning for its columns, so each required field is given some column of its own: only the
    cells are read, and nothing is made of them.
    """
    single = [name for name in columns if [fold(other) for other in columns].count(fold(name)) == 1]
    if len(single) < len(REQUIRED):
        return []
    try:
        sheet = open_sheet(file, mapping=dict(zip(REQUIRED, single, strict=False)))
        return [cells for _, cells, problem, _ in islice(sheet.rows(), count * 5) if cells and not problem][:count]
    except Refused:
        return []
