"""Which events of plans, claims and rules are told to whom, in which words. docs/notices.md has the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from claims.notices import claims, plans, rules, tasks
from partners.audience import Audience
from partners.models import Event
from partners.telling import ToldOf

VERBS: dict[str, Callable[[Sequence[Event], Audience], Iterable[ToldOf]]] = {
    "claim.submitted": claims.submitted,
    "claim.disputed": claims.disputed,
    "claim.returned": claims.returned,
    "claim.dispute_returned": claims.returned,
    "claim.approved": claims.approved,
    "claim.dispute_granted": claims.approved,
    "claim.rejected": claims.declined,
    "claim.dispute_upheld": claims.upheld,
    "claim.review_overdue": claims.overdue,
    "claim.lapsed": claims.lapsed,
    "claim.task_given": tasks.given,
    "claim.task_done": tasks.done,
    "plan.submitted": plans.submitted,
    "plan.returned": plans.returned,
    "plan.approved": plans.approved,
    "plan.declined": plans.declined,
    "plan.review_overdue": plans.overdue,
    "plan.lapsed": plans.lapsed,
    "rule_draft.requested": rules.requested,
    "catalog.published": rules.published,
}
