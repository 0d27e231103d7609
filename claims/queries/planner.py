"""What the planner looks at: what of a fund is planned, drafted or reserved, the last safe days, and what others do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q

from claims import states
from claims.models import Claim, PlanActivity
from coop.lib.dates import business_days_after, public_holidays
from funds.models import Fund

FEWEST_PARTNERS = 3  # fewer could be recognised
SUGGESTIONS = 5

RESERVED, SENT, DRAFT, CLAIM, IDEA = "Approved plan", "Sent plan", "Draft plan", "Draft claim", "Idea"


@dataclass(frozen=True)
class Intended:
    """Something that would take money of a fund. What is reserved for it already is no longer available."""

    kind: str
    name: str
    minor: int
    starts_on: date | None = None
    ends_on: date | None = None
    reference: int | None = None  # the plan or the claim

    @property
    def reserved(self) -> bool:
        return self.kind == RESERVED


@dataclass(frozen=True)
class Outlook:
    """A fund with all that is intended."""

    fund: Fund
    intended: list[Intended]

    @property
    def wanted_minor(self) -> int:
        """What is intended and not reserved yet."""
        return sum(one.minor for one in self.intended if not one.reserved)

    @property
    def unplanned_minor(self) -> int:
        """What would be left without a plan, and so expire; below zero where more is intended than there is."""
        return self.fund.available_minor - self.wanted_minor


def intentions(fund: Fund) -> list[Intended]:
    """The plans and draft claims of a fund. Of an amendment only what it asks for on top counts."""
    live = (states.APPROVED, states.SUBMITTED, *states.PLAN_OPEN)
    rows = PlanActivity.objects.filter(plan__fund=fund, plan__status__in=live, closed_at__isnull=True)
    rows = rows.select_related("plan", "follows").order_by("starts_on", "id")
    planned = [
        Intended(kind_of(row), row.title, asked_minor(row), row.starts_on, row.ends_on, row.plan_id) for row in rows
    ]
    drafts = Claim.objects.filter(fund=fund, status=states.DRAFT, plan_activity__isnull=True).order_by("id")
    claims = [
        Intended(CLAIM, claim.title, claim.claimed_minor, claim.activity_from, claim.activity_to, claim.pk)
        for claim in drafts
    ]
    return [one for one in planned + claims if one.minor > 0]


def kind_of(row: PlanActivity) -> str:
    return {states.APPROVED: RESERVED, states.SUBMITTED: SENT}.get(row.plan.status, DRAFT)


def asked_minor(row: PlanActivity) -> int:
    if row.plan.status == states.APPROVED:
        return row.reserved_minor
    return row.requested_minor - (row.follows.reserved_minor if row.follows else 0)


# --- The last safe days -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SafeDays:
    """Until when one can still begin. `send_plan_by` leaves the vendor its business days to decide before the start."""

    start_by: date
    send_plan_by: date
    claim_by: date


def safe_days(fund: Fund, days: int) -> SafeDays:
    """For work that takes so many days: it must end inside the use period, and its claim be sent by the deadline."""
    start_by = fund.earning_period.use_to - timedelta(days=days - 1)
    holidays = public_holidays(fund.program.holiday_country)
    send_by = start_by - timedelta(days=1)
    while business_days_after(send_by, states.REVIEW_BUSINESS_DAYS, holidays) >= start_by:
        send_by -= timedelta(days=1)
    return SafeDays(start_by, send_by, fund.claims_close_on)


# --- What others do -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Popular:
    """An activity, and how many other partners of the program claimed it."""

    code: str
    name: str
    partners: int


def popular_activities(fund: Fund, offered: Iterable[str]) -> list[Popular]:
    """What at least three other partners of the program sent claims for, most partners first. Counts only, no names."""
    found = (
        Claim.objects.filter(fund__program=fund.program_id, activity__code__in=list(offered))
        .exclude(Q(partner=fund.partner_id) | Q(submitted_at__isnull=True))
        .values_list("activity__code", "activity__name")
        .annotate(partners=Count("partner", distinct=True))
        .filter(partners__gte=FEWEST_PARTNERS)
        .order_by("-partners", "activity__name")
    )
    return [Popular(*row) for row in found[:SUGGESTIONS]]
