"""SQL for amounts as people write them. Which mark is the decimal one is decided for a whole file, never for a line.

A file is read with a decimal comma only if some amount can be read in no other way and none contradicts. "1,000" alone says
nothing: it is rejected with a hint, unless another amount of the file shows what its marks mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coop.lib import money
from coop.lib.db import rows

# Active currencies with their decimals, as a table; its two parameters are CODES and PLACES.
CODES = sorted([*money.TWO_DECIMALS, *money.NO_DECIMALS, *money.THREE_DECIMALS])
PLACES = [money.decimals(code) for code in CODES]
KNOWN_CURRENCIES = "unnest(%(codes)s::text[], %(places)s::int[]) AS c(code, places)"
CURRENCIES: dict[str, Any] = {"codes": CODES, "places": PLACES}

PLAIN = "'^-?(0|[1-9][0-9]*)([.][0-9]+)?$'"
# What can be read with a decimal point, and what with a decimal comma; groups are of three digits. Some texts are both.
WITH_POINT = "'^-?([0-9]+|[1-9][0-9]{0,2}(,[0-9]{3})+)([.][0-9]+)?$'"
WITH_COMMA = "'^-?([0-9]+|[1-9][0-9]{0,2}([.][0-9]{3})+)(,[0-9]+)?$'"


@dataclass(frozen=True)
class Notation:
    """How the amounts of one delivery are read: the decimal mark, and whether commas may be groups before a point.

    `groups` is "no" where nothing but plain decimals is taken (REST, and files without a comma in any amount), "sure" where
    some amount shows that the point is the decimal mark, "strict" where only an amount that shows it itself is taken.
    """

    decimal: str = "."
    groups: str = "no"

    def plain(self, text: str) -> str:
        """SQL for the amount in an SQL text as a plain decimal; what cannot be one stays as it is, or becomes nothing."""
        if self.decimal == ",":
            return f"(CASE WHEN {text} ~ {WITH_COMMA} THEN translate({text}, ',.', '.') ELSE '' END)"
        if self.groups == "no":
            return text
        sure = "true" if self.groups == "sure" else f"{text} !~ {WITH_COMMA}"
        return (
            f"(CASE WHEN strpos({text}, ',') > 0 AND {text} ~ {WITH_POINT} AND {sure} THEN replace({text}, ',', '') "
            f"ELSE {text} END)"
        )


def find_notation(source: str, params: Mapping[str, Any]) -> Notation:
    """Look at all amounts of a file. `source` is a query with a column `amount`."""
    ((commas,),) = rows(f"SELECT EXISTS (SELECT 1 FROM ({source}) s WHERE strpos(s.amount, ',') > 0)", params)
    if not commas:
        return Notation()
    ((point, comma),) = rows(
        f"""SELECT bool_or(s.amount ~ {WITH_POINT} AND s.amount !~ {WITH_COMMA}),
              bool_or(s.amount ~ {WITH_COMMA} AND s.amount !~ {WITH_POINT}) FROM ({source}) s""",
        params,
    )
    if comma and not point:
        return Notation(",")
    return Notation(".", "strict" if comma or not point else "sure")


def is_plain(text: str) -> str:
    """SQL for whether a text is a plain decimal that is not too large.

    Eleven digits before the point keep amount times basis points below 2**63, for three decimals too (coop.lib.money). They
    are counted apart: a regular expression that counts costs twenty times as much.
    """
    return f"({text} ~ {PLAIN} AND octet_length({text}) <= 40 AND octet_length(split_part(ltrim({text}, '-'), '.', 1)) <= 11)"


def minor(plain: str, places: str) -> str:
    """SQL for the minor units of a plain decimal; NULL for what is none, has too many decimals, or is minus zero."""
    decimals = f"(CASE strpos({plain}, '.') WHEN 0 THEN 0 ELSE octet_length({plain}) - strpos({plain}, '.') END)"
    return f"""CASE WHEN {is_plain(plain)} AND {decimals} <= {places}
      AND NOT ({plain} LIKE '-%%' AND {plain} ~ '^-[0.]+$')
      THEN (replace({plain}, '.', '') || repeat('0', {places} - {decimals}))::bigint END"""
