"""What may be wrong with the parameters of a rule: each must be what its kind takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from claims.rules.answers import NO, YES
from claims.rules.faults.shape import TYPES, Faults, Row, Spec, check_amount, check_row, is_percent
from claims.rules.kinds import KINDS
from claims.states import LINE_KINDS

PROOF: Spec = {"code": ("code", True), "name": ("long name", True), "hint": ("text", False)}
CONDITION: Spec = {"answer": ("code", True), "is": ("text", True)}
GUIDED = {"solution_area": "solution_areas", "category": "categories"}
OVER = ("fund", "program")
Known = Mapping[str, set[Any]]  # codes by section
Check = Callable[[Faults, str, Any, Row, Known], None]


def check_params(faults: Faults, place: str, params: Row, kind: str, known: Known) -> None:
    """The parameters of a rule, as its kind takes them."""
    wanted = KINDS[kind]
    spec = {name: (HELD_IN.get(what, what), name not in wanted.optional) for name, what in wanted.params.items()}
    if not check_row(faults, place, params, spec):
        return
    for name, what in wanted.params.items():
        if name in params and what in CHECKS:
            CHECKS[what](faults, f"{place}.{name}", params[name], params, known)
    if kind == "limit" and not {"amount", "percent", "unlimited"} & set(params):
        faults.add(place, "required", "A limit says an amount, a percentage, or that it is unlimited.")


def amount(faults: Faults, place: str, value: Any, params: Row, known: Known) -> None:
    if "currency" in params:
        check_amount(faults, place, value, params["currency"])
    else:
        faults.add(place, "required", "An amount needs its currency: add “currency” beside it.")


def proofs(faults: Faults, place: str, value: Any, params: Row, known: Known) -> None:
    if not value:
        faults.add(place, "required", "Name at least one proof that serves.")
    for index, row in enumerate(value):
        check_row(faults, f"{place}.{index}", row, PROOF)


def condition(faults: Faults, place: str, value: Any, params: Row, known: Known) -> None:
    if check_row(faults, place, value, CONDITION) and value["is"] not in (YES, NO):
        faults.add(f"{place}.is", "invalid", f"“{value['is']}” does not fit. It must be {YES} or {NO}.")


def activities(faults: Faults, place: str, value: Any, params: Row, known: Known) -> None:
    for code in value:
        if code not in known["activities"]:
            faults.add(place, "unknown_code", f"There is no activity “{code}” in this catalog.")


def over(faults: Faults, place: str, value: Any, params: Row, known: Known) -> None:
    one_of(faults, place, [value], OVER)


def line_kinds(faults: Faults, place: str, value: Any, params: Row, known: Known) -> None:
    one_of(faults, place, value, tuple(LINE_KINDS))


def guided(faults: Faults, place: str, value: Any, params: Row, known: Known) -> None:
    one_of(faults, place, [value], tuple(GUIDED))


def one_of(faults: Faults, place: str, values: Any, allowed: tuple[str, ...]) -> None:
    for value in values:
        if value not in allowed:
            faults.add(place, "invalid", f"“{value}” does not fit. It must be one of {', '.join(allowed)}.")


def shares(faults: Faults, place: str, value: Any, params: Row, known: Known) -> None:
    """Advised shares: of codes that there are, 100 % in all."""
    section = GUIDED.get(params.get("by", ""), "")
    for code, share in value.items():
        if code not in known.get(section, {code}):
            faults.add(f"{place}.{code}", "unknown_code", f"“{code}” is none of the {section} of this catalog.")
        if not is_percent(share):
            faults.add(f"{place}.{code}", "invalid", f"It must be {TYPES['percent'][1]}.")
    if all(map(is_percent, value.values())) and sum(map(Decimal, value.values())) != 100:
        faults.add(place, "invalid", "The shares must make 100 % in all.")


# How a value of these is held, before it is looked at more closely.
HELD_IN = {
    "proofs": "rows",
    "condition": "row",
    "activities": "codes",
    "over": "text",
    "line kinds": "texts",
    "guided": "text",
    "shares": "row",
}
CHECKS: dict[str, Check] = {
    "amount": amount,
    "proofs": proofs,
    "condition": condition,
    "activities": activities,
    "over": over,
    "line kinds": line_kinds,
    "guided": guided,
    "shares": shares,
}
