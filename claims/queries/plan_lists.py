"""The plans that pages list: filtered, in pages, with what was asked for, granted and claimed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import IntegerField, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from claims import states
from claims.models import Claim, Plan, PlanActivity, PlanQuerySet
from partners.models import Person

PAGE = 50
HAVE_CLAIMED = (
    states.SUBMITTED,
    states.IN_REVIEW,
    states.ACTION_REQUIRED,
    states.APPROVED,
    states.PAID,
    states.DISPUTED,
)


def sum_of(rows: object, column: str) -> Coalesce:
    """The sum of a column over the activities of each plan."""
    one = rows.values("plan").annotate(sum=Sum(column)).values("sum")  # type: ignore[attr-defined]
    return Coalesce(Subquery(one, output_field=IntegerField()), 0)


def with_sums(plans: PlanQuerySet) -> PlanQuerySet:
    """Each plan with `requested`, `granted` and `claimed` in minor units."""
    activities = PlanActivity.objects.filter(plan=OuterRef("pk")).order_by()
    claims = Claim.objects.filter(plan_activity__plan=OuterRef("pk"), status__in=HAVE_CLAIMED).order_by()
    claimed = claims.values("plan_activity__plan").annotate(sum=Sum("claimed_minor")).values("sum")
    return plans.annotate(
        requested=sum_of(activities, "requested_minor"),
        granted=sum_of(activities, "approved_minor"),
        claimed=Coalesce(Subquery(claimed, output_field=IntegerField()), 0),
    )


def narrowed(person: Person, *, status: str = "", turn: str = "", text: str = "") -> PlanQuerySet:
    """The plans that a person sees and that fit the filters, newest first."""
    found = Plan.objects.visible_to(person)
    if status:
        found = found.filter(status=status)
    if turn:
        found = found.filter(status__in=[code for code, said in states.PLAN_STATUSES.items() if said[1] == turn])
    if text:
        found = found.filter(Q(title__icontains=text) | Q(number__icontains=text) | Q(partner__name__icontains=text))
    return found


@dataclass(frozen=True)
class PlanPage:
    """One page of plans, how many fit the filters, and the id to go on from (None at the end)."""

    plans: Sequence[Plan]
    total: int
    older: int | None


def page_of_plans(found: PlanQuerySet, *, before: int | None = None) -> PlanPage:
    """The plans, newest first, in pages of 50 that end before the plan `before`."""
    total = found.count()
    if before is not None:
        found = found.filter(id__lt=before)
    page = list(with_sums(found).with_names().prefetch_related("activities__activity").order_by("-id")[: PAGE + 1])
    return PlanPage(page[:PAGE], total, page[PAGE - 1].pk if len(page) > PAGE else None)


def all_of(found: PlanQuerySet) -> Iterator[Plan]:
    """Every plan that fits, newest first, for an export."""
    rows = with_sums(found).with_names().prefetch_related("activities__activity").order_by("-id")
    yield from rows.iterator(chunk_size=500)
