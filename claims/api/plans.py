"""Plans: written and sent by partners, decided by channel managers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from claims import states
from claims.api import plan_shapes as shapes
from claims.models import Plan
from claims.operations import plan_review, plan_writing, plans
from claims.operations.plan_review import PlanDecision
from coop.lib.api import filters
from coop.lib.api.fields import IDENTIFIER
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act, verb
from funds.models import Fund

REVIEWS = ("approve", "give_back", "decline")


def turn(text: str) -> str:
    """Raises ValueError for what is nobody's turn."""
    turns = sorted({whose for _, whose, _ in states.PLAN_STATUSES.values()})
    if text not in turns:
        raise ValueError(f"Use {', '.join(turns)}.")
    return text


def statuses_of(whose: str) -> list[str]:
    return [status for status, row in states.PLAN_STATUSES.items() if row[1] == whose]


class PlanViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """What partners intend to do. Drafts are the partner's own paper: the vendor sees a plan once it was sent."""

    queryset = Plan.objects.all()
    serializer_class = shapes.PlanOut
    missing = "There is no such plan."
    ordering = ("-id",)
    filters = {
        "partner": filters.by_id("partner_id"),
        "fund": filters.by_id("fund_id"),
        "status": filters.by_choice("status", states.PLAN_STATUSES),
        "number": filters.by_text("number"),
        "whose_turn": filters.by_any_of("status", turn, statuses_of),
    }

    @property
    def write_scope(self) -> str:  # type: ignore[override]
        return "reviews:write" if self.action in REVIEWS else "plans:write"

    def get_queryset(self) -> QuerySet[Any]:
        rows = Plan.objects.visible_to(self.person).with_names()
        return rows.prefetch_related("people", "activities__activity", "activities__claims")

    @act(takes=shapes.PlanIn, status=201)
    def create(self, request: Request) -> Response:
        """Begin a draft for one fund, with any number of activities."""
        taken = self.take(currency=self.currency_of_fund())
        plan = plan_writing.write_new_plan(
            fund_id=taken.pop("fund"),
            title=taken.get("title", ""),
            people=taken.get("people", ()),
            activities=[as_values(row) for row in taken.get("activities", ())],
            by=self.person,
            at=self.at,
        )
        return self.answer_fresh(plan)

    @act(takes=shapes.PlanChange)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a draft or a returned plan: its title, its people, or its whole list of activities."""
        changes = self.take(partial=True, currency=self.get_object().currency)
        if "activities" in changes:
            changes["activities"] = [as_values(row) for row in changes["activities"]]
        plan = plan_writing.rewrite_plan(int(pk), changes, revision=self.revision, by=self.person, at=self.at)
        return self.answer_fresh(plan)

    @verb("submit")
    def submit(self, request: Request, pk: str) -> Response:
        """Send a plan to be approved."""
        self.take()
        return self.answer_fresh(plans.submit_plan(int(pk), revision=self.revision, by=self.person, at=self.at))

    @verb("withdraw")
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take a plan back before it is decided: it is a draft again."""
        self.take()
        return self.answer_fresh(plans.withdraw_plan(int(pk), revision=self.revision, by=self.person, at=self.at))

    @verb("approve", takes=shapes.PlanDeciding)
    def approve(self, request: Request, pk: str) -> Response:
        """Decide a plan activity by activity: what is approved is reserved. One to be returned returns the plan."""
        return self.decide(plan_review.approve_plan, pk)

    @verb("return", takes=shapes.PlanDeciding)
    def give_back(self, request: Request, pk: str) -> Response:
        """Give a plan back to be mended."""
        return self.decide(plan_review.return_plan, pk)

    @verb("decline", takes=shapes.PlanDeciding)
    def decline(self, request: Request, pk: str) -> Response:
        """Decline a whole plan, with the reason that the partner reads."""
        return self.decide(plan_review.decline_plan, pk)

    @verb("amend")
    def amend(self, request: Request, pk: str) -> Response:
        """Begin the next version of an approved plan; answers with that draft. The approved one stays in force meanwhile."""
        self.take()
        return self.answer_fresh(plans.amend_plan(int(pk), revision=self.revision, by=self.person, at=self.at))

    @verb("cancel", takes=shapes.Cancelling)
    def cancel(self, request: Request, pk: str) -> Response:
        """Give a plan up: what is reserved and not claimed goes back."""
        self.get_object()
        done = plans.cancel_plan(int(pk), **self.take(), revision=self.revision, by=self.person, at=self.at)
        return self.answer_fresh(done)

    def decide(self, operation: Callable[..., Plan], pk: str) -> Response:
        taken = self.take(currency=self.get_object().currency)
        decisions = [
            PlanDecision(
                row["id"],
                row["decision"],
                row.get("approved_amount"),
                row.get("reason", ""),
                row.get("reason_code", ""),
            )
            for row in taken.get("decisions", [])
        ]
        plan = operation(
            int(pk),
            decisions=decisions,
            note=taken.get("note", ""),
            revision=self.revision,
            by=self.person,
            at=self.at,
        )
        return self.answer_fresh(plan)

    def currency_of_fund(self) -> str:
        """In which currency amounts are read; of a fund that is not seen it does not matter, as it is refused anyhow."""
        said = self.request.data.get("fund") if isinstance(self.request.data, dict) else None
        known = isinstance(said, str) and IDENTIFIER.fullmatch(said)
        fund = Fund.objects.visible_to(self.person).filter(id=int(str(said))).first() if known else None
        return fund.currency if fund else "USD"


def as_values(row: dict[str, Any]) -> dict[str, Any]:
    """One activity of a body as operations take it."""
    values = dict(row)
    if "requested_amount" in values:
        values["requested_minor"] = values.pop("requested_amount")
    return values
