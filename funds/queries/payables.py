"""What waits to be paid, in groups that become one payment each, and what must wait longer, with the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, QuerySet

from coop.lib import money
from coop.lib.dates import business_days_after, public_holidays
from funds.models import Payable, PaymentItem, Program, Rebate
from partners.models import Partner

PAYABLE_WITHIN_BUSINESS_DAYS = 45
INCOMPLETE, BELOW_MINIMUM = "payout_profile_incomplete", "below_minimum"


def payable_by(approved_at: datetime, program: Program) -> date:
    """The day by which what was approved is to be paid at the latest."""
    holidays = public_holidays(program.holiday_country)
    return business_days_after(approved_at.date(), PAYABLE_WITHIN_BUSINESS_DAYS, holidays)


@dataclass(frozen=True)
class Group:
    """Payables of one partner, program, currency and kind: what one payment pays. `held` is why it has to wait."""

    kind: str
    partner: Partner
    program: Program
    currency: str
    payables: Sequence[Payable]
    held: str = ""

    @property
    def amount_minor(self) -> int:
        return sum(payable.amount_minor for payable in self.payables)

    @property
    def reason(self) -> str:
        """Why it waits, in a sentence."""
        if self.held == INCOMPLETE:
            return "The bank and tax profile is not complete."
        if self.held == BELOW_MINIMUM:
            least = money.display(self.program.minimum_payment_minor, self.program.currency)
            return f"It is below {least}, the smallest payment of this program, and waits until it reaches that."
        return ""

    def as_held(self) -> dict[str, str]:
        """How a run remembers it."""
        return {
            "partner": str(self.partner.pk),
            "partner_name": self.partner.name,
            "program": self.program.code,
            "program_name": self.program.name,
            "kind": self.kind,
            "amount": money.to_text(self.amount_minor, self.currency),
            "currency": self.currency,
            "code": self.held,
            "reason": self.reason,
        }


def waiting() -> QuerySet[Payable]:
    """What was approved, is not paid, and is in no open payment."""
    in_payment = PaymentItem.objects.filter(payable=OuterRef("pk"), open=True)
    return Payable.objects.filter(~Exists(in_payment), paid_at__isnull=True)


def not_shown_yet() -> QuerySet[Payable]:
    """What was approved, is not paid, and is in no payment that its partner sees: it is in no run, or in a draft."""
    shown = PaymentItem.objects.filter(payable=OuterRef("pk"), open=True).exclude(payment__status="unprocessed")
    return Payable.objects.filter(~Exists(shown), paid_at__isnull=True)


def with_names(found: QuerySet[Payable]) -> QuerySet[Payable]:
    return found.select_related("fund__enrollment", "program", "partner").order_by("id")


def groups_of(found: Iterable[Payable]) -> list[Group]:
    """The payables in groups: first by what holds them, then by what one payment may hold.

    What waits for its profile does not count towards the smallest payment, because it cannot be paid with the rest.
    """
    found = list(found)
    incomplete = profiles_missing(found)
    sorted_out: dict[tuple[str, int, int, str, bool], list[Payable]] = defaultdict(list)
    for payable in found:
        key = (payable.kind, payable.partner_id, payable.program_id, payable.currency, payable.id in incomplete)
        sorted_out[key].append(payable)
    groups = []
    for (kind, _, _, currency, missing), payables in sorted(sorted_out.items()):
        partner, program = payables[0].partner, payables[0].program
        owed = sum(payable.amount_minor for payable in payables)
        small = currency == program.currency and owed < program.minimum_payment_minor
        held = INCOMPLETE if missing else BELOW_MINIMUM if small else ""
        groups.append(Group(kind, partner, program, currency, payables, held))
    return groups


def profiles_missing(found: Sequence[Payable]) -> set[int]:
    """The ids of payables whose payout profile is known to be incomplete: the fund's, or that of a rebate in them."""
    claims = {p.id for p in found if p.fund and p.fund.enrollment.payout_profile_complete is False}
    rebates = Rebate.objects.filter(
        payable_id__in=[payable.id for payable in found if payable.fund is None],
        enrollment__payout_profile_complete=False,
    )
    return claims | {payable_id for payable_id in rebates.values_list("payable_id", flat=True) if payable_id}
