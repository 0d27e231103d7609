"""What the columns of an earnings file mean, in both forms of domain.md section 8. Pure.

Names are compared without letter case, spaces, underscores and hyphens. What the names alone do not say, a mapping says:
{staged field: name of a column}, given by a person once and remembered for every file with the same header.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from coop.lib.errors import FieldError, Invalid

PARTNER_CENTER, INCENTIVES = "partner_center", "incentives"
MAX_COLUMNS = 500
MAX_NAME = 80

COLUMNS = {
    "earningid": "external_id",
    "externalid": "external_id",
    "participantid": "location_code",
    "location": "location_code",
    "locationid": "location_code",
    "programname": "program_code",
    "program": "program_code",
    "earningtype": "kind",
    "lever": "lever",
    "earningdate": "earned_text",
    "earnedon": "earned_text",
    "earningamount": "amount_text",
    "amount": "amount_text",
    "transactioncurrency": "currency",
    "currency": "currency",
    "earningamountusd": "settled_amount_text",
    "earningexchangerate": "rate_text",
    "exchangeratedate": "rate_on_text",
    "reasoncode": "reason_code",
}
REQUIRED = {
    "external_id": "earningId or external_id",
    "location_code": "participantId or location",
    "program_code": "programName or program",
    "earned_text": "earningDate or earned_on",
    "amount_text": "earningAmount or amount",
    "currency": "transactionCurrency or currency",
}
FIELDS = frozenset(COLUMNS.values())
# Fees and sell incentives are cash like the rebate; only the line that says co-op is co-op.
KINDS = {"rebate": "rebate", "coop": "coop", "co-op": "coop", "fee": "rebate", "sell": "rebate"}

# Looks up the mapping that was said for a header, by its fingerprint.
Recall = Callable[[str], Mapping[str, str] | None]


class UnknownColumns(Invalid):
    """The file can be read, but not all that is needed has a column. `columns` are its names, for whoever maps them."""

    def __init__(self, columns: list[str], errors: Sequence[FieldError]) -> None:
        self.columns = columns
        super().__init__(
            "The columns of this file cannot be used: " + " ".join(error.message for error in errors), errors=errors
        )


class Columns(NamedTuple):
    names: list[str]
    fields: dict[str, int]  # staged field, and the position of its column
    mapping: dict[str, str]  # what had to be said; empty where the names say it all

    @property
    def form(self) -> str:
        return PARTNER_CENTER if "kind" in self.fields else INCENTIVES


def fold(name: str) -> str:
    return name.strip().lower().replace("_", "").replace(" ", "").replace("-", "")


def fingerprint(names: Sequence[str]) -> str:
    """The same for two headers with the same names, in whatever order and letter case."""
    return hashlib.sha256("\n".join(sorted(fold(name) for name in names)).encode()).hexdigest()


def clean(names: Sequence[str]) -> list[str]:
    """Names as they are kept and shown. Raises Invalid where there are too many."""
    if len(names) > MAX_COLUMNS:
        raise Invalid.field(
            "file", f"The file has {len(names):,} columns; at most {MAX_COLUMNS} are read.", "too_many_columns"
        )
    return [name.strip()[:MAX_NAME] for name in names]


def guess(names: Sequence[str]) -> dict[str, str]:
    """The fields whose column is plain from its name: {staged field: name}. What to begin a mapping with."""
    found: dict[str, str] = {}
    for name in names:
        field = COLUMNS.get(fold(name))
        if field:
            found.setdefault(field, name)
    return found


def understand(names: Sequence[str], mapping: Mapping[str, str] | None = None) -> Columns:
    """Which column fills which field. Raises UnknownColumns with all that is missing, doubled or mapped to nothing."""
    names, mapping = clean(names), dict(mapping or {})
    errors: list[FieldError] = []
    fields = _mapped(names, mapping, errors)
    taken = set(fields.values())
    for position, name in enumerate(names):
        field = COLUMNS.get(fold(name))
        if not field or field in mapping or position in taken:
            continue
        if field in fields:
            errors.append(
                FieldError(
                    f"columns.{name[:40]}", "duplicate_column", f"The column {name[:40]} stands in the file twice."
                )
            )
        else:
            fields[field] = position
    errors += [
        FieldError(f"columns.{field}", "missing_column", f"The column {wanted} is missing.")
        for field, wanted in REQUIRED.items()
        if field not in fields and field not in mapping
    ]
    if errors:
        raise UnknownColumns(names, errors)
    return Columns(names, fields, mapping)


def _mapped(names: list[str], mapping: dict[str, str], errors: list[FieldError]) -> dict[str, int]:
    """The positions of the columns that a mapping names; what is wrong with it goes to `errors`."""
    folded = [fold(name) for name in names]
    fields: dict[str, int] = {}
    for field, name in mapping.items():
        wanted = fold(str(name)[:MAX_NAME])
        place = f"mapping.{str(field)[:40]}"
        if field not in FIELDS:
            known = ", ".join(sorted(FIELDS))
            message = f"“{str(field)[:40]}” is nothing that a column can fill. Known are: {known}."
            errors.append(FieldError(place, "unknown_field", message))
        elif wanted not in folded:
            errors.append(FieldError(place, "unknown_column", f"The file has no column “{str(name)[:40]}”."))
        elif folded.count(wanted) > 1:
            message = f"The column {str(name)[:40]} stands in the file twice."
            errors.append(FieldError(place, "duplicate_column", message))
        elif folded.index(wanted) in fields.values():
            message = f"The column {str(name)[:40]} is mapped twice. A column fills one field."
            errors.append(FieldError(place, "duplicate_column", message))
        else:
            fields[field] = folded.index(wanted)
    return fields


def recall_nothing(header: str) -> None:
    """No mapping is remembered."""
