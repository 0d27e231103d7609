"""The dates on which something ends that one can still act on: the one list behind the dates page, the feed and reminders.

Each kind has its own function, which takes the rows to look at; `dates_of` puts together what one person may act on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q

from claims import states
from claims.due import dispute_until
from claims.models import Claim, ClaimQuerySet, Invitation, Plan
from claims.models.plans import PlanQuerySet
from claims.queries.partner import with_deadline
from coop.lib import money
from funds.models import EarningPeriod, Fund, FundQuerySet
from funds.notices.words import named
from funds.queries.deadlines import closes_at
from partners.models import Person
from partners.states import AGENCY, CHANNEL_MANAGER, FINANCE, PARTNER_ROLES, PROGRAM_ADMIN

USE_ENDS, CLAIM_BY, MEND_BY, DISPUTE_BY, REVIEW_BY, TASK_BY, CLOSING = (
    "use_ends",
    "claim_by",
    "mend_by",
    "dispute_by",
    "review_by",
    "task_by",
    "closing",
)
KINDS = {
    USE_ENDS: "Marketing must be done",
    CLAIM_BY: "Claims must be sent",
    MEND_BY: "A returned claim must be mended",
    DISPUTE_BY: "A declined claim can be disputed",
    REVIEW_BY: "A decision is due",
    TASK_BY: "A task of yours must be done",
    CLOSING: "A period closes",
}


@dataclass(frozen=True)
class DateToAct:
    """One date. `at` is the first instant that is too late; `uid` stays when the date moves.

    `page` is the name of the page to act on and the id that it takes.
    """

    uid: str
    kind: str
    at: datetime
    zone: str
    title: str
    text: str
    page: tuple[str, int]
    subject_type: str
    subject: str
    partner_id: int | None
    program: str  # code
    program_name: str
    amount_minor: int | None = None
    currency: str = ""

    @property
    def amount(self) -> str:
        """The money at stake for people; empty where there is none."""
        return "" if self.amount_minor is None else money.display(self.amount_minor, self.currency)


# --- The partner's dates ----------------------------------------------------------------------------------------------


def dates_of_funds(funds: FundQuerySet, at: datetime) -> list[DateToAct]:
    """Until when the work of each fund must be done, and until when it must be claimed, while money is left in it.

    What is an estimate still has no date to act on: it may become rebate.
    """
    left = funds.with_names().annotate(closes=closes_at(), left=F("available_minor") + F("reserved_minor"))
    left = left.filter(settled_at__isnull=False, left__gt=0, closes__gt=at)
    drafts = Count("claims", filter=Q(claims__status=states.DRAFT))
    found = []
    for fund in left.annotate(drafts=drafts).order_by("closes", "id"):
        period = fund.earning_period
        if period.use_close_at > at:
            words = f"Do the marketing that {named(fund)} is to pay"
            text = "Work that is done later cannot be claimed from this fund."
            found.append(of_fund(fund, USE_ENDS, period.use_close_at, words, text))
        number: int = fund.drafts  # type: ignore[attr-defined]
        drafted = f" {number} draft{'' if number == 1 else 's'} not sent yet." if number else ""
        text = f"What is not claimed by then expires.{drafted}"
        found.append(of_fund(fund, CLAIM_BY, fund.claims_close_at, f"Claim what is left of {named(fund)}", text))
    return found


def of_fund(fund: Fund, kind: str, ends_at: datetime, title: str, text: str) -> DateToAct:
    return DateToAct(
        uid=f"{kind}-fund-{fund.pk}",
        kind=kind,
        at=ends_at,
        zone=fund.program.time_zone,
        title=title,
        text=text,
        page=("fund", fund.pk),
        subject_type="fund",
        subject=str(fund.pk),
        partner_id=fund.partner_id,
        program=fund.program.code,
        program_name=fund.program.name,
        amount_minor=fund.available_minor + fund.reserved_minor,
        currency=fund.currency,
    )


def dates_of_returned_claims(claims: ClaimQuerySet, at: datetime) -> list[DateToAct]:
    """Until when each returned claim must be mended and sent again."""
    returned = with_deadline(claims.with_names()).filter(Q(status=states.ACTION_REQUIRED, deadline__gt=at))
    found = []
    for claim in returned.order_by(F("deadline").asc(), "id"):
        number = len(claim.returned_fixes)
        text = f"{number} thing{'' if number == 1 else 's'} to mend. After this the claim lapses and its money expires."
        found.append(of_claim(claim, MEND_BY, ends(claim), f"Mend and send “{claim.title}” again", text))
    return found


def ends(claim: Claim) -> datetime:
    """The instant from which a claim that the partner may still write is late (`with_deadline`)."""
    deadline: datetime = claim.deadline  # type: ignore[attr-defined]
    return deadline


def dates_of_declined_claims(claims: ClaimQuerySet, at: datetime) -> list[DateToAct]:
    """Until when each declined claim can be disputed."""
    since = at - timedelta(days=states.DAYS_TO_DISPUTE + 2)
    declined = claims.with_names().filter(status=states.REJECTED, disputed_at__isnull=True, decided_at__gt=since)
    found = []
    for claim in declined.order_by("decided_at", "id"):
        if claim.decided_at is not None and (until := dispute_until(claim.decided_at, claim.fund.program)) > at:
            words = f"Dispute the decision on “{claim.title}”, if you do not agree"
            found.append(of_claim(claim, DISPUTE_BY, until, words, "After this the decision stands."))
    return found


def of_claim(claim: Claim, kind: str, ends_at: datetime, title: str, text: str, page: str = "claim") -> DateToAct:
    return DateToAct(
        uid=f"{kind}-claim-{claim.pk}",
        kind=kind,
        at=ends_at,
        zone=claim.fund.program.time_zone,
        title=title,
        text=f"{claim.number}, {claim.fund.program.name}. {text}",
        page=(page, claim.pk),
        subject_type="claim",
        subject=str(claim.pk),
        partner_id=claim.partner_id,
        program=claim.fund.program.code,
        program_name=claim.fund.program.name,
        amount_minor=claim.held_minor or claim.claimed_minor or None,
        currency=claim.currency,
    )


def dates_of_tasks(invitations: Iterable[Invitation], at: datetime) -> list[DateToAct]:
    """Until when what somebody was asked to do must be done. It names no money: a guest sees none."""
    asked = list(invitations)
    claims = with_deadline(Claim.objects.with_names()).filter(
        Q(id__in={one.claim_id for one in asked}, deadline__gt=at)
    )
    still_open = claims.in_bulk()
    return [of_task(one, still_open[one.claim_id]) for one in asked if one.claim_id in still_open]


def of_task(invitation: Invitation, claim: Claim) -> DateToAct:
    return DateToAct(
        uid=f"{TASK_BY}-invitation-{invitation.pk}",
        kind=TASK_BY,
        at=ends(claim),
        zone=claim.fund.program.time_zone,
        title=f"{states.TASKS[invitation.task]} of “{claim.title}”",
        text=f"Asked by {invitation.invited_by.name}. The claim must be sent by then.",
        page=("guest-task", invitation.pk),
        subject_type="invitation",
        subject=str(invitation.pk),
        partner_id=claim.partner_id,
        program=claim.fund.program.code,
        program_name=claim.fund.program.name,
    )


# --- The vendor's dates -----------------------------------------------------------------------------------------------


def dates_of_reviews(claims: ClaimQuerySet, plans: PlanQuerySet) -> list[DateToAct]:
    """Until when each claim, dispute and plan that waits for a decision is due, those that are overdue too."""
    found = []
    for claim in claims.with_names().filter(status__in=states.WAITING, review_due_at__isnull=False):
        words = "Decide the dispute of" if claim.status == states.DISPUTED else "Decide"
        title, text = f"{words} “{claim.title}”", f"Sent by {claim.partner.name}."
        found.append(of_claim(claim, REVIEW_BY, claim.review_due_at, title, text, page="review"))  # type: ignore[arg-type]
    waiting = plans.filter(status=states.SUBMITTED, review_due_at__isnull=False)
    sent = waiting.select_related("partner", "fund__program").prefetch_related("activities")
    return found + [of_plan(plan) for plan in sent]


def of_plan(plan: Plan) -> DateToAct:
    assert plan.review_due_at is not None  # noqa: S101 - asked for by who calls
    return DateToAct(
        uid=f"{REVIEW_BY}-plan-{plan.pk}",
        kind=REVIEW_BY,
        at=plan.review_due_at,
        zone=plan.fund.program.time_zone,
        title=f"Decide “{plan.title}”",
        text=f"{plan}, {plan.fund.program.name}. Sent by {plan.partner.name}.",
        page=("plan-review", plan.pk),
        subject_type="plan",
        subject=str(plan.pk),
        partner_id=plan.partner_id,
        program=plan.fund.program.code,
        program_name=plan.fund.program.name,
        amount_minor=sum(activity.requested_minor for activity in plan.activities.all()),
        currency=plan.currency,
    )


def dates_of_closings(at: datetime) -> list[DateToAct]:
    """When the coming threshold tests and expiries of periods with funds run, which finance looks at before."""
    coming = Q(settle_at__gt=at) | Q(claims_close_at__gt=at)
    periods = EarningPeriod.objects.filter(coming, funds__isnull=False).distinct().select_related("program")
    found = []
    for period in periods.order_by("claims_close_at", "id"):
        ends = (("threshold test", period.settle_at), ("claim deadline", period.claims_close_at))
        for what, ends_at in ends:
            if ends_at > at:
                found.append(
                    DateToAct(
                        uid=f"{CLOSING}-{what.replace(' ', '-')}-period-{period.pk}",
                        kind=CLOSING,
                        at=ends_at,
                        zone=period.program.time_zone,
                        title=f"The {what} of {period.program.name}, {period}",
                        text="See before it runs what it will post.",
                        page=("period-closing", period.pk),
                        subject_type="earning_period",
                        subject=str(period.pk),
                        partner_id=None,
                        program=period.program.code,
                        program_name=period.program.name,
                    )
                )
    return found


# --- All of one person ------------------------------------------------------------------------------------------------


def dates_of(person: Person, at: datetime) -> list[DateToAct]:
    """Every date on which something ends that the person can still act on, the nearest first."""
    if not person.is_active:
        return []
    claims = Claim.objects.visible_to(person)
    if person.role == AGENCY:
        found = dates_of_tasks(Invitation.objects.open().filter(person=person).select_related("invited_by"), at)
    elif person.role in PARTNER_ROLES:
        found = dates_of_funds(Fund.objects.visible_to(person), at)
        found += dates_of_returned_claims(claims, at) + dates_of_declined_claims(claims, at)
    elif person.role == CHANNEL_MANAGER:
        found = dates_of_reviews(claims, Plan.objects.visible_to(person))
    elif person.role in (FINANCE, PROGRAM_ADMIN):
        found = dates_of_closings(at)
    else:
        found = []
    return sorted(found, key=lambda date: (date.at, date.uid))
