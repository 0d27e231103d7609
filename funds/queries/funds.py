"""Which funds a page shows, and what it must know beside their totals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q

from coop.lib.errors import NotFound
from funds.models import Fund, FundQuerySet, Payment, PaymentItem, ProgramThreshold
from funds.queries.deadlines import closes_at, open_still
from partners.models import Person


def funds_of(person: Person) -> FundQuerySet:
    """The funds that a person sees, with the names that pages show, the nearest claim deadline first."""
    found = Fund.objects.visible_to(person).with_names().select_related("enrollment")
    return found.order_by(closes_at(), "id")


def fund_seen_by(person: Person, fund_id: int) -> Fund:
    """The fund, if the person may see it. Raises NotFound."""
    fund = funds_of(person).filter(id=fund_id).first()
    if fund is None:
        raise NotFound("There is no such fund.")
    return fund


def live_funds(person: Person, *, at: datetime) -> FundQuerySet:
    """Funds that still take or will take claims, and those whose approved money is on its way."""
    return funds_of(person).filter(open_still(at) | Q(in_review_minor__gt=0) | Q(approved_minor__gt=0))


def claimable_funds(person: Person, *, at: datetime) -> FundQuerySet:
    """Funds whose work may be done or claimed now: the use period has begun and the claim deadline is ahead."""
    return funds_of(person).filter(open_still(at), earning_period__use_open_at__lte=at)


def thresholds(funds: Iterable[Fund]) -> dict[int, int]:
    """For each fund's id, the co-op in minor units below which it becomes rebate; 0 where there is no threshold."""
    wanted = list(funds)
    rows = list(ProgramThreshold.objects.filter(program_id__in={fund.program_id for fund in wanted}))
    found = {}
    for fund in wanted:
        day = fund.earning_period.earn_to
        valid = (
            row.amount_minor
            for row in rows
            if row.program_id == fund.program_id
            and row.valid_from <= day
            and (row.valid_to is None or day <= row.valid_to)
        )
        found[fund.id] = next(valid, 0)
    return found


def payments_for(person: Person, reference_type: str, references: Sequence[str]) -> dict[str, Payment]:
    """The latest payment of each reference ("claim", "17") as far as the person may see it."""
    items = (
        PaymentItem.objects.filter(
            payable__reference_type=reference_type,
            payable__reference__in=references,
            payment__in=Payment.objects.visible_to(person),
        )
        .select_related("payment", "payable")
        .order_by("id")
    )
    return {item.payable.reference: item.payment for item in items}
