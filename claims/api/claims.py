"""Claims: written and sent by partners, decided by channel managers."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from claims import states
from claims.api import serializers as shapes
from claims.models import Claim
from claims.operations import disputes, drafting, review, sending
from claims.operations.verdicts import DocumentDecision, Fix, LineDecision
from claims.queries import judge_together
from claims.queries.book import current_book
from coop.lib.api import filters
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act, verb

REVIEWS = ("start_review", "give_back", "approve", "reject", "decide_dispute")
NO_CLAIM = "There is no such claim."


def turn(text: str) -> str:
    """Raises ValueError for what is nobody's turn."""
    turns = sorted({whose for _, whose, _ in states.STATUSES.values()})
    if text not in turns:
        raise ValueError(f"Use {', '.join(turns)}.")
    return text


def by_turn() -> filters.Filter:
    """Claims by whose turn it is, which follows from the status."""
    return filters.by_any_of("status", turn, lambda whose: [s for s, row in states.STATUSES.items() if row[1] == whose])


class ClaimViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Requests to be paid back. Drafts are the partner's own paper: the vendor sees a claim once it was sent."""

    queryset = Claim.objects.all()
    serializer_class = shapes.ClaimOut
    missing = NO_CLAIM
    ordering = ("-id",)
    filters = {
        "partner": filters.by_id("partner_id"),
        "fund": filters.by_id("fund_id"),
        "activity": filters.by_code("activity__code"),
        "status": filters.by_choice("status", states.STATUSES),
        "number": filters.by_text("number"),
        "whose_turn": by_turn(),
    }

    @property
    def write_scope(self) -> str:  # type: ignore[override]
        return "reviews:write" if self.action in REVIEWS else "claims:write"

    def get_queryset(self) -> QuerySet[Any]:
        rows = Claim.objects.visible_to(self.person).with_names()
        return rows.select_related("fund__enrollment").prefetch_related("lines", "documents__stored")

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        if page:
            judge_together(page, current_book())
        return page

    def judged(self, taken: dict[str, Any]) -> dict[str, Any]:
        """What was said of lines and documents, with all that every decision takes."""
        return {
            "decisions": [
                LineDecision(
                    row["id"],
                    row["decision"],
                    row.get("approved_amount"),
                    row.get("reason", ""),
                    row.get("reason_code", ""),
                )
                for row in taken.get("decisions", [])
            ],
            "documents": [
                DocumentDecision(row["id"], row["decision"], row.get("reason", ""), row.get("reason_code", ""))
                for row in taken.get("documents", [])
            ],
            "revision": self.revision,
            "by": self.person,
            "at": self.at,
        }

    def fixes(self, taken: dict[str, Any]) -> list[Fix]:
        return [Fix(row.get("field", ""), row["message"]) for row in taken.get("fixes", [])]

    @act(takes=shapes.ClaimIn, status=201)
    def create(self, request: Request) -> Response:
        """Begin a draft against one fund for one activity."""
        taken = self.take()
        claim = drafting.create_claim(
            fund_id=taken.pop("fund"),
            activity_code=taken.pop("activity", ""),
            plan_activity_id=taken.pop("plan_activity", None),
            **taken,
            by=self.person,
            at=self.at,
        )
        return self.answer_fresh(claim)

    @act(takes=shapes.ClaimChange)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what a draft or a returned claim says about the activity."""
        self.get_object()
        changes = self.take(partial=True)
        claim = drafting.update_claim(int(pk), changes, revision=self.revision, by=self.person, at=self.at)
        return self.answer_fresh(claim)

    @verb("submit")
    def submit(self, request: Request, pk: str) -> Response:
        """Send a claim: its amount is held in review."""
        self.take()
        return self.answer_fresh(sending.submit_claim(int(pk), revision=self.revision, by=self.person, at=self.at))

    @verb("withdraw")
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take a claim back before a decision."""
        self.take()
        return self.answer_fresh(sending.withdraw_claim(int(pk), revision=self.revision, by=self.person, at=self.at))

    @verb("start_review")
    def start_review(self, request: Request, pk: str) -> Response:
        """Take a sent claim into review."""
        self.take()
        return self.answer_fresh(review.start_review(int(pk), revision=self.revision, by=self.person, at=self.at))

    @verb("return", takes=shapes.Returning)
    def give_back(self, request: Request, pk: str) -> Response:
        """Give a claim back with a fix list."""
        taken = self.take(currency=self.get_object().currency)
        fixes = self.fixes(taken)
        if taken.get("reason"):
            fixes.append(Fix("", taken["reason"]))
        claim = review.return_claim(int(pk), fixes=fixes, note=taken.get("note", ""), **self.judged(taken))
        return self.answer_fresh(claim)

    @verb("approve", takes=shapes.Approval)
    def approve(self, request: Request, pk: str) -> Response:
        """Approve a claim in full or, line by line, in part."""
        taken = self.take(currency=self.get_object().currency)
        return self.answer_fresh(review.approve_claim(int(pk), note=taken.get("note", ""), **self.judged(taken)))

    @verb("reject", takes=shapes.Rejection)
    def reject(self, request: Request, pk: str) -> Response:
        """Decline a whole claim, with the reason that the partner reads."""
        self.get_object()
        taken = self.take()
        said = self.judged(taken)
        said.pop("decisions")
        return self.answer_fresh(review.reject_claim(int(pk), reason=taken["reason"], **said))

    @verb("dispute", takes=shapes.Disputing)
    def dispute(self, request: Request, pk: str) -> Response:
        """Object to the decision that declined a claim; another person decides then."""
        self.get_object()
        taken = self.take()
        claim = disputes.dispute_claim(
            int(pk), reason=taken["reason"], revision=self.revision, by=self.person, at=self.at
        )
        return self.answer_fresh(claim)

    @verb("decide_dispute", takes=shapes.DisputeDecision)
    def decide_dispute(self, request: Request, pk: str) -> Response:
        """Grant a dispute, uphold the first decision, or return the claim. Never by who decided first."""
        taken = self.take(currency=self.get_object().currency)
        claim = disputes.decide_dispute(
            int(pk),
            outcome=taken["outcome"],
            fixes=self.fixes(taken),
            reason=taken.get("reason", ""),
            reason_code=taken.get("reason_code", ""),
            **self.judged(taken),
        )
        return self.answer_fresh(claim)
