"""The words in which the scenarios are told. Time passes by moving the sandbox's clock; money is read as people read it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from claims.checks import CHECKS
from claims.models import Claim
from claims.operations.review import Fix, LineDecision, approve_claim, return_claim
from claims.operations.sending import submit_claim, withdraw_claim
from coop.lib import clock
from coop.lib.money import display, to_minor
from coop.sandbox import Moved, move_clock
from funds import states
from funds.checks import check_ledger
from funds.models import Adjustment, Enrollment, Fund, Rebate
from funds.operations.adjustments import approve_adjustment, request_adjustment
from tests.factories import (
    RESELLER,
    add_invoice,
    complete,
    earn,
    load_catalog,
    make_draft,
    make_enrollment,
    set_clock,
    vendor,
)


def instant(text: str) -> datetime:
    """An instant of UTC: "2024-08-14 23:59:59.999", or a day for its first instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def begin(*programs: str, at: str = "2023-07-01", years: tuple[int, int] = (2023, 2025)) -> None:
    """A new sandbox with the shipped catalog, whose clock stands at the beginning."""
    set_clock(instant(at))
    load_catalog(*programs, years=years)


def reach(text: str, *, jobs: bool = True) -> Moved:
    """Let time pass until an instant; jobs that fall due on the way run, unless told otherwise."""
    return move_clock(instant(text), run_jobs=jobs, by=None)


def partner_in(program: str = RESELLER, **more: bool | None) -> Enrollment:
    """A partner's location in a program, enrolled for long."""
    return make_enrollment(program=program, **more)


def deliver(enrollment: Enrollment, *lines: tuple[str, str]) -> None:
    """Incentives before the split, each with its day: ("25000.00", "2023-08-15")."""
    for amount, day in lines:
        earn(enrollment, amount, on=day)


def fund_of(enrollment: Enrollment, period: str = "FY24-H1") -> Fund:
    """The fund as it is now."""
    return Fund.objects.with_names().get(enrollment=enrollment, earning_period__code=period)


def money_in(fund: Fund) -> dict[str, str]:
    """What lies in which bucket, of those that are not empty; earned comes first."""
    fund = Fund.objects.get(id=fund.id)
    amounts = {"earned": fund.earned_minor} | {bucket: getattr(fund, f"{bucket}_minor") for bucket in states.BUCKETS}
    return {bucket: text(amount, fund) for bucket, amount in amounts.items() if amount}


def ledger_of(fund: Fund) -> list[tuple[str, str, str]]:
    """Each entry as its sentence, its amount, and the day it is effective on."""
    return [
        (entry.sentence, text(entry.amount_minor, fund), entry.effective_on.isoformat()) for entry in fund.entries.all()
    ]


def text(minor: int, fund: Fund) -> str:
    return display(minor, fund.currency).removesuffix(f" {fund.currency}")


# --- Adjustments ------------------------------------------------------------------------------------------------------


def ask(fund: Fund, amount: str, reason: str = "wrong_calculation", *, on: str = "", **more: Any) -> Adjustment:
    """Somebody of finance asks for an adjustment, for today unless another day is said."""
    return request_adjustment(
        fund.id,
        amount_minor=to_minor(amount, fund.currency),
        reason_code=reason,
        effective_on=date.fromisoformat(on) if on else clock.now().date(),
        **{"by": vendor("finance"), **more},
        at=clock.now(),
    )


def adjust(fund: Fund, amount: str, reason: str = "wrong_calculation", *, on: str = "", **more: Any) -> Adjustment:
    """The same, and a second person approves it where one is needed."""
    adjustment = ask(fund, amount, reason, on=on, **more)
    if adjustment.status == "requested":
        adjustment = approve_adjustment(adjustment.id, by=vendor("finance2"), at=clock.now())
    return adjustment


def rebate_of(fund: Fund) -> list[tuple[str, str]]:
    """What the conversions of a fund are owed as rebate, or owe back: each amount with its day."""
    found = Rebate.objects.filter(enrollment=fund.enrollment_id, source="conversion").order_by("id")
    return [(text(rebate.amount_minor, fund), rebate.effective_on.isoformat()) for rebate in found]


# --- Claims -----------------------------------------------------------------------------------------------------------


def draft(fund: Fund, *amounts: str, on: date | None = None) -> Claim:
    """A complete draft for telephone calls of two days, with one invoice for each amount."""
    first = on or fund.earning_period.use_from + timedelta(days=60)
    claim = make_draft(fund, activity_from=first, activity_to=first + timedelta(days=1))
    for amount in amounts:
        add_invoice(claim, amount, on=first)
    complete(claim)
    return Claim.objects.with_names().get(id=claim.id)


def send(claim: Claim) -> Claim:
    return submit_claim(claim.id, by=claim.created_by, at=clock.now())


def withdraw(claim: Claim) -> Claim:
    return withdraw_claim(claim.id, by=claim.created_by, at=clock.now())


def give_back(claim: Claim) -> Claim:
    fixes = [Fix("documents.call-log", "The log ends on the first day. Add the second.")]
    return return_claim(claim.id, fixes=fixes, by=vendor("manager"), at=clock.now())


def approve(claim: Claim, *less: tuple[int, str]) -> Claim:
    """Approve a claim; `less` names lines by their place, with the amount that is accepted of them ("0" for none)."""
    lines = list(claim.lines.all())
    decisions = [
        LineDecision(lines[place].id, "decline", None, "Wine and beer are not paid.")
        if amount == "0"
        else LineDecision(lines[place].id, "approve_less", to_minor(amount, claim.currency), "Beverages are left out.")
        for place, amount in less
    ]
    return approve_claim(claim.id, decisions=decisions, by=vendor("manager"), at=clock.now())


def status_of(claim: Claim) -> str:
    return Claim.objects.values_list("status", flat=True).get(id=claim.id)


def differences() -> list[str]:
    """What `check_ledger` finds: nothing, if all is well."""
    return [f"{found.check}: {found.subject}: {found.detail}" for found in check_ledger(CHECKS).differences]
