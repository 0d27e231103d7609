"""Reads across rows: the facts that the rules look at. What single pages ask for is in the modules beside this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from claims import rules, states
from claims.models import Claim, ClaimLine, Document, PlanActivity
from claims.queries.book import activity_day, book_for, case_of_claim, proofs_possible, share_book
from claims.queries.duplicates import duplicates_of, duplicates_of_all
from claims.queries.elsewhere import Counted, counted, counted_for_each, is_limited, rates_for
from claims.queries.fund_facts import period_facts, spread
from claims.rules.book import Book, Case
from claims.rules.facts import DocumentFacts, DuplicateFacts, Facts, LineFacts, PlanFacts
from claims.rules.findings import Finding
from funds.models import Fund

GRANTED = ("approve", "approve_less")
STANDING = (states.APPROVED, states.CLOSED)  # plans whose approvals hold, or held when the work began


def facts_of(claim: Claim, at: datetime, fund: Fund | None = None) -> Facts:
    """The facts of a claim as it stands at an instant. Pass `fund` where it is locked and fresher than the claim's."""
    fund = fund or claim.fund
    period = fund.earning_period
    book, case = book_for(claim), case_of_claim(claim, fund)
    facts = Facts(
        **period_facts(fund.program, period, fund, at),
        case=case,
        currency=claim.currency,
        returned=claim.sendings > 0,
        sent_in_time=claim.first_submitted_at is not None and claim.first_submitted_at < fund.claims_close_at,
        activity_name=claim.activity.name,
        activity_from=claim.activity_from,
        activity_to=claim.activity_to,
        activity_valid=claim.activity.holds_on(activity_day(claim)),
        held_minor=claim.held_minor,
        payout_profile_complete=fund.enrollment.payout_profile_complete,
        lines=[line_facts(line) for line in claim.lines.all()],
        documents=[document_facts(document) for document in claim.documents.all()],
        metrics=claim.metrics,
        solution_area=claim.solution_area,
        rates=rates_for(book, case, fund.currency, min(case.day, at.date())),
    )
    if claim.plan_activity is not None:
        plan = facts_of_planned(claim, claim.plan_activity, at)
        facts = replace(facts, plan=plan, held_minor=kept_for(claim, at))
    facts = replace(facts, **beside(claim, book, case, fund))
    # What was sent, or decided, is counted already.
    new = 0 if claim.held_minor or claim.approved_minor else facts.claimed_minor
    return replace(facts, **spread(book, case, fund, claim.solution_area, new))


def beside(claim: Claim, book: Book, case: Case, fund: Fund) -> dict[str, Any]:
    """What stands beside a claim: evidence that was given before, and what others hold where a limit counts it."""
    together: Together | None = getattr(claim, "together", None)
    found: dict[str, Any] = {"duplicates": together.duplicates_of(claim) if together else duplicates_of(claim)}
    if is_limited(book, case):
        others = together.counted(claim, fund) if together else counted_beside(claim, fund)
        found |= {"used_in_fund_minor": others.fund, "used_in_program_minor": others.program}
    return found


def counted_beside(claim: Claim, fund: Fund) -> Counted:
    return counted(fund.partner, fund.earning_period, fund, claim.activity, but_claim=claim)


class Together:
    """What several claims of one list share, read once for all of them when it is first needed."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self.claims = claims
        self.known: dict[tuple[int, int, int], dict[int, Counted]] = {}

    @cached_property
    def duplicates(self) -> dict[int, list[DuplicateFacts]]:
        return duplicates_of_all(self.claims)

    def duplicates_of(self, claim: Claim) -> list[DuplicateFacts]:
        return self.duplicates.get(claim.pk, [])

    def counted(self, claim: Claim, fund: Fund) -> Counted:
        """What all claims hold or were granted for the activity, less what this one does."""
        key = (fund.partner_id, fund.earning_period_id, fund.pk)
        if key not in self.known:
            self.known[key] = counted_for_each(fund.partner, fund.earning_period, fund, with_plans=False)
        all_of_them = self.known[key].get(claim.activity_id, Counted())
        own = claim.held_minor + claim.approved_minor
        return Counted(all_of_them.fund - own, all_of_them.program - own)


def judge_together(claims: Iterable[Claim], book: Book) -> None:
    """Let many claims be judged by the same rules, with as few queries as one of them."""
    listed = list(claims)
    share_book(listed, book)
    together = Together(listed)
    for claim in listed:
        claim.together = together  # type: ignore[attr-defined]


def line_facts(line: ClaimLine) -> LineFacts:
    return LineFacts(
        str(line.pk),
        line.kind,
        line.supplier,
        line.invoice_number,
        line.invoiced_on,
        line.amount_minor,
        line.cost_minor,
        line.description,
        line.details,
    )


def document_facts(document: Document) -> DocumentFacts:
    return DocumentFacts(document.kind, str(document.line_id) if document.line_id else None, document.dated_on)


def facts_of_planned(claim: Claim, planned: PlanActivity, at: datetime) -> PlanFacts:
    """The activity of a plan that a claim is made on; after the claim deadline its plan reserves nothing any more."""
    return PlanFacts(
        number=planned.plan.number,
        title=planned.title,
        activity=planned.activity.code,
        approved_on=min(approvals(planned, claim.fund.program.time_zone), default=None),
        starts_on=planned.starts_on,
        ends_on=planned.ends_on,
        left_minor=left_of(planned, claim, at),
    )


def left_of(planned: PlanActivity, claim: Claim, at: datetime) -> int:
    """What a plan has for a claim, in minor units: what it still reserves, and what the claim took out of it already."""
    return (planned.reserved_minor if at < claim.fund.claims_close_at else 0) + claim.from_plan_minor


def kept_for(claim: Claim, at: datetime) -> int:
    """What the fund keeps for a claim beside what is available, in minor units: what it holds, and what its plan reserves."""
    if claim.plan_activity is None:
        return claim.held_minor
    return claim.held_minor - claim.from_plan_minor + left_of(claim.plan_activity, claim, at)


def approvals(planned: PlanActivity | None, zone: str) -> Iterator[date]:
    """The days on which an activity was approved, in this version of its plan and in those before it.

    None where it is not approved now: a plan that was cancelled or that lapsed approves nothing any more.
    """
    if planned is None or planned.plan.status not in STANDING:
        return
    while planned is not None:
        if planned.decision in GRANTED and planned.plan.decided_at is not None:
            yield planned.plan.decided_at.astimezone(ZoneInfo(zone)).date()
        planned = planned.follows if planned.follows_id else None


def findings_of(claim: Claim, at: datetime) -> list[Finding]:
    """What the rules say of a claim now: advice for the writer of a draft, checks for a reviewer."""
    return rules.evaluate(book_for(claim), facts_of(claim, at=at))


def document_kinds(claim: Claim) -> dict[str, str]:
    """The kinds a document of this claim may have, with their names: evidence of money, then the activity's proofs."""
    proofs = {proof.code: proof.name for proof in proofs_possible(claim)}
    return {**states.MONEY_EVIDENCE, **proofs, "other": "Other"}
