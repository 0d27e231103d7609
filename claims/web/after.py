"""What became of a claim that was sent: where it stands, the decision, what was sent, and what one can do."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from claims import states
from claims.letters import letter_of
from claims.models import Claim, ClaimLine
from claims.permissions import may_write
from claims.queries.book import metrics_asked
from claims.queries.vendor import decisions_of
from claims.web.answers import said_answer
from claims.web.decisions import decision_rows
from claims.web.duplicates import hints_for
from claims.web.forms import country_name
from claims.web.history import timeline
from claims.web.papers import files, name_of
from claims.web.paying import payment_facts
from claims.web.standing import dispute_deadline, may_dispute, standing_of
from claims.web.writing import names_of
from coop.lib.dates import show_day, show_deadline
from coop.lib.web import now
from funds.models import Payment
from funds.queries.funds import payments_for
from funds.web.clocks import earned_in, span
from partners.models import Delegation, Event
from partners.queries import covering
from partners.web.request import PersonRequest


def after_sending(request: PersonRequest, shown: Claim, events: list[Event]) -> HttpResponse:
    at = now(request)
    payment = payment_of(request, shown)
    standing = standing_of(shown, payment, at=at)
    return render(
        request,
        "claims/after.html",
        {
            "claim": shown,
            "standing": standing,
            "letter": letter_of(shown),
            "lines": [line_row(shown, line) for line in shown.lines.all()],
            "decided": shown.status in (states.APPROVED, states.PAID),
            "total": number(shown, shown.claimed_minor),
            "total_approved": number(shown, shown.approved_minor),
            "total_difference": number(shown, shown.claimed_minor - shown.approved_minor)
            if shown.claimed_minor != shown.approved_minor
            else "",
            "payment": payment_facts(shown, payment) if shown.status in (states.APPROVED, states.PAID) else [],
            "files": files(shown),
            "events": timeline(events),
            "may_withdraw": may_write(request.user, shown) and shown.status in states.CLAIMS["withdraw"],
            "facts": facts(shown),
            "was_sent": shown.sendings > 0,
            "decisions": decision_rows(decisions_of(shown)),
            **disputing(request, shown),
            "covered": covered(shown, at),
            "hints": [hint for hints in hints_for(shown).values() for hint in hints],
            "found": [{**found, "rule": ""} for found in shown.findings],
        },
    )


def covered(shown: Claim, at: datetime) -> str:
    """Who stands in for the reviewer who has the claim."""
    if shown.status not in (states.IN_REVIEW, states.DISPUTED) or shown.reviewer_id is None:
        return ""
    stand_ins = covering(shown.reviewer_id, at.date())
    return ", ".join(
        f"Covered by {one.to.name} until {show_day(one.ends_on)}" for one in stand_ins if covers(one, shown)
    )


def covers(stand_in: Delegation, shown: Claim) -> bool:
    """Whether a delegation is for the claim's partner: one that names none is for all."""
    named = {partner.pk for partner in stand_in.partners.all()}
    return not named or shown.partner_id in named


def disputing(request: PersonRequest, shown: Claim) -> dict[str, str]:
    """Where and until when the decision can be disputed, for who may and while one can."""
    if not (may_write(request.user, shown) and may_dispute(shown, now(request))):
        return {}
    until = show_deadline(dispute_deadline(shown), shown.fund.program.time_zone)
    return {"dispute_url": reverse("claim-dispute", args=[shown.pk]), "dispute_until": until}


def payment_of(request: PersonRequest, shown: Claim) -> Payment | None:
    if shown.status not in (states.APPROVED, states.PAID):
        return None
    return payments_for(request.user, "claim", [str(shown.pk)]).get(str(shown.pk))


def number(shown: Claim, minor: int) -> str:
    return shown.show(minor).rpartition(" ")[0]


def line_row(shown: Claim, line: ClaimLine) -> dict[str, str]:
    kind = states.LINE_KINDS[line.kind]
    dated = f", {show_day(line.invoiced_on)}" if line.invoiced_on else ""
    approved = line.approved_minor
    return {
        "name": name_of(line),
        "kind": f"{kind}{dated}",
        "amount": number(shown, line.amount_minor),
        "approved": "" if approved is None else number(shown, approved),
        "difference": number(shown, line.amount_minor - approved) if approved not in (None, line.amount_minor) else "",
    }


def facts(shown: Claim) -> list[dict[str, str]]:
    """What the claim says about the activity and its results."""
    dates = span(shown.activity_from, shown.activity_to)
    metrics = metrics_asked(shown)
    names = names_of(metrics)
    results = [
        {"key": metric.name, "value": said_answer(metric, shown.metrics.get(metric.code, ""), names)}
        for metric in metrics
    ]
    planned = shown.plan_activity
    plan = (
        [{"key": "Plan", "value": str(planned.plan), "url": reverse("plan", args=[planned.plan_id])}] if planned else []
    )
    return [
        {"key": "Activity", "value": shown.activity.name},
        {"key": "When", "value": dates},
        {"key": "Country", "value": country_name(shown.country)},
        {
            "key": "Fund",
            "value": f"{earned_in(shown.fund.earning_period)}, {shown.fund.program}",
            "url": reverse("fund", args=[shown.fund_id]),
        },
        *plan,
        *results,
    ]
