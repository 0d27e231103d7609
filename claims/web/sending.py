"""Check and send, the receipt, and withdrawing."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from claims import rules, states
from claims.due import due_day, review_due
from claims.models import Claim
from claims.operations.sending import submit_claim, withdraw_claim
from claims.permissions import may_write
from claims.queries import findings_of
from claims.queries.book import metrics_asked, proofs_asked
from claims.queries.partner import history_of
from claims.rules.facts import Proof
from claims.web.access import claim_for, own_claim, review_of
from claims.web.after import line_row
from claims.web.conflict import conflict_of, with_revision
from claims.web.forms import SendForm, country_name
from claims.web.hub import fixes
from claims.web.papers import files, name_of
from claims.web.progress import shown_findings
from claims.web.standing import deadline_of
from coop.lib.dates import show_day, show_deadline, show_instant
from coop.lib.errors import NotFound, Refused, Stale
from coop.lib.forms import add_refusal
from coop.lib.money import display
from coop.lib.web import now, whole_number
from funds.queries.payables import PAYABLE_WITHIN_BUSINESS_DAYS
from funds.web.clocks import earned_in, span, time_left
from partners.models import Event
from partners.web.request import PersonRequest


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim_send(request: PersonRequest, claim_id: int) -> HttpResponse:
    """What would be sent, what is missing, and the button that sends it.

    A claim is sent once: whoever sends it a second time, or refreshes, comes to the receipt.
    """
    claim = own_claim(request, claim_id)
    if was_sent(claim):
        return redirect("claim-receipt", claim.pk)
    if not claim.is_open:
        return redirect("claim", claim.pk)
    form = SendForm(request.POST or None, initial={"revision": claim.revision})
    conflict = refusal = None
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["revision"]
        try:
            submit_claim(claim.pk, revision=seen, by=request.user, at=now(request))
            return redirect("claim-receipt", claim.pk)
        except Refused as refused:
            claim = own_claim(request, claim_id)
            if was_sent(claim):  # the same request came twice, and the other one was faster
                return redirect("claim-receipt", claim.pk)
            if not claim.is_open:
                return redirect("claim", claim.pk)
            if isinstance(refused, Stale):
                data = with_revision(request, claim)
                data.pop("declared", None)
                conflict = conflict_of(request, claim, SendForm(data), seen=seen)
                form = SendForm(initial={"revision": claim.revision})
            else:
                refusal = refused
                if not refused.findings:
                    add_refusal(form, refused)
    status = 409 if conflict else refusal.status if refusal else 400 if form.is_bound and form.errors else 200
    return render(request, "claims/send.html", sending_page(request, claim, form, conflict), status=status)


def was_sent(claim: Claim) -> bool:
    return claim.sendings > 0 and not claim.is_open and claim.status not in (states.WITHDRAWN, states.LAPSED)


def sending_page(request: PersonRequest, claim: Claim, form: SendForm, conflict: Any) -> dict[str, Any]:
    """What `claims/send.html` shows: the answers on cards, what the rules say, and the button when nothing is missing."""
    at = now(request)
    findings = findings_of(claim, at=at)
    zone = claim.fund.program.time_zone
    left, tone = time_left(deadline_of(claim), at=at, zone=zone)
    shown = shown_findings(claim, findings)
    failed = rules.failed(findings)
    asked = fixes(claim, history_of(claim, request.user)) if claim.status == states.ACTION_REQUIRED else []
    return {
        "claim": claim,
        "form": form,
        "conflict": conflict,
        "fixes": asked,
        "untouched": sum(not fix["touched"] for fix in asked),
        "cards": cards(claim),
        "to_fix": [found for found in shown if found["outcome"] == rules.FAILED],
        "others": [found for found in shown if found["outcome"] in (rules.WARNING, rules.PERSON)],
        "passed": [found for found in shown if found["outcome"] == rules.PASSED],
        "number": len(failed),
        "ready": not failed,
        "amount": claim.show(claim.claimed_minor),
        "again": claim.sendings > 0,
        "deadline": show_deadline(deadline_of(claim), zone),
        "deadline_left": left,
        "deadline_tone": tone,
        "files": files(claim) if not failed else [],
    }


def cards(claim: Claim) -> list[dict[str, Any]]:
    """The answers of each task, with the link that changes them."""
    about = reverse("claim-about", args=[claim.pk])
    dates = span(claim.activity_from, claim.activity_to)
    found = [
        {
            "title": "About the activity",
            "action_url": about,
            "action_label": "Change",
            "rows": [
                {"key": "Activity", "value": claim.activity.name},
                {"key": "When", "value": dates},
                {"key": "Country", "value": country_name(claim.country)},
                {"key": "Your name for it", "value": claim.title},
                {"key": "Fund", "value": f"{earned_in(claim.fund.earning_period)}, {claim.fund.program}"},
            ],
        },
        cost_card(claim),
        proof_card(claim),
    ]
    metrics = metrics_asked(claim)
    if metrics:
        found.append(
            {
                "title": "Results",
                "action_url": reverse("claim-results", args=[claim.pk]),
                "action_label": "Change",
                "rows": [{"key": metric.name, "value": claim.metrics.get(metric.code, "")} for metric in metrics],
            }
        )
    return found


def cost_card(claim: Claim) -> dict[str, Any]:
    rows = [
        {
            "key": name_of(line),
            "amount": claim.show(line.amount_minor),
            "change_url": reverse("claim-line", args=[claim.pk, line.pk]),
        }
        for line in claim.lines.all()
    ]
    if len(rows) > 1:
        rows.append({"key": "Total", "amount": claim.show(claim.claimed_minor)})
    if not rows:
        rows = [{"key": "Invoices and in-house work", "value": ""}]
    card = {"title": "Invoices and in-house work", "rows": rows}
    if claim.lines.all():
        return card
    lines = reverse("claim-lines", args=[claim.pk])
    return {**card, "action_url": lines, "action_label": "Change"}


def proof_card(claim: Claim) -> dict[str, Any]:
    """What is given for each proof; evidence of money stands with the lines."""
    given: dict[str, list[str]] = {}
    for document in claim.documents.all():
        given.setdefault(document.kind, []).append(document.filename or document.url)
    wanted = {p.code: p for p in proofs_asked(claim) if p.code not in states.MONEY_EVIDENCE}
    rows = [
        {"key": proof.name, "value": "\n".join(given.get(code, []))}
        for code, proof in wanted.items()
        if given.get(code) or (proof.required and not grouped_with_given(proof, wanted, given))
    ]
    if given.get("other"):
        rows.append({"key": "Anything else", "value": "\n".join(given["other"])})
    rows = rows or [{"key": "Proof", "value": "This activity asks for no further proof"}]
    url = reverse("claim-proof", args=[claim.pk])
    return {"title": "Proof of execution", "action_url": url, "action_label": "Change", "rows": rows}


def grouped_with_given(proof: Proof, wanted: dict[str, Proof], given: dict[str, list[str]]) -> bool:
    """Whether another proof of the same group is given, so that this one is not missing."""
    return bool(proof.group) and any(given.get(code) for code, other in wanted.items() if other.group == proof.group)


# --- The receipt ------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def claim_receipt(request: PersonRequest, claim_id: int) -> HttpResponse:
    """What was sent last, when, and what happens next. It can be printed and read again at any time."""
    claim = claim_for(request, claim_id)
    if request.user.is_vendor:
        return redirect(review_of(claim))
    sent = next((event for event in history_of(claim, request.user) if event.verb == "claim.submitted"), None)
    if sent is None:
        raise NotFound("This claim was not sent, so there is no receipt.")
    zone = claim.fund.program.time_zone
    period = claim.fund.earning_period
    context = {
        "claim": claim,
        "amount": display(int(sent.data["amount"]), sent.data["currency"]),
        "sent_at": show_instant(sent.at, zone),
        "total": display(int(sent.data["amount"]), sent.data["currency"]).rpartition(" ")[0],
        "changed_since": claim.is_open,
        "lines": [] if claim.is_open else [line_row(claim, line) for line in claim.lines.all()],
        "files": [] if claim.is_open else files(claim),
        "fingerprints": sent.data.get("files", []) if claim.is_open else [],
        "due": show_day(due_day(review_due(sent.at, claim.fund.program), zone)),
        "pay_days": PAYABLE_WITHIN_BUSINESS_DAYS,
        "cure": show_deadline(claim.fund.cure_close_at, zone),
        "fund_name": f"{earned_in(period)}, {claim.fund.program}",
        "facts": receipt_facts(claim, sent, zone),
    }
    return render(request, "claims/receipt.html", context)


def exact(sent: Event, zone: str) -> str:
    """The instant to the microsecond, as it is stored, in the program's zone."""
    local = sent.at.astimezone(ZoneInfo(zone))
    return f"{show_day(local.date())}, {local:%H:%M:%S.%f} {zone}"


def receipt_facts(claim: Claim, sent: Event, zone: str) -> list[dict[str, str]]:
    dates = span(claim.activity_from, claim.activity_to)
    again = sent.data.get("sending", 1) > 1
    return [
        {"key": "Sent again at" if again else "Sent at", "value": exact(sent, zone)},
        {"key": "By", "value": sent.actor.name if sent.actor else ""},
        {"key": "Activity", "value": f"{claim.activity.name}: {claim.title}"},
        {"key": "When", "value": dates},
        {"key": "Fund", "value": f"{earned_in(claim.fund.earning_period)}, {claim.fund.program}"},
    ]


# --- Withdrawing ------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim_withdraw(request: PersonRequest, claim_id: int) -> HttpResponse:
    """Say what withdrawing does to the money and to the claim, then do it."""
    claim = own_claim(request, claim_id)
    if claim.status not in states.CLAIMS["withdraw"] or not may_write(request.user, claim):
        messages.info(request, f"Claim {claim.number} is {claim.status_name.lower()}; it cannot be withdrawn any more.")
        return redirect("claim", claim.pk)
    if request.method == "POST":
        withdraw_claim(
            claim.pk,
            revision=whole_number(request.POST.get("revision", "")),
            by=request.user,
            at=now(request),
        )
        done = "is withdrawn" if claim.sendings else "is given up"
        messages.success(request, f"Claim {claim.number} {done}.")
        return redirect("claim", claim.pk)
    zone = claim.fund.program.time_zone
    late = now(request) >= claim.fund.claims_close_at
    context = {
        "claim": claim,
        "sent": claim.sendings > 0,
        "held": claim.show(claim.held_minor) if claim.held_minor else "",
        "late": late,
        "deadline": show_deadline(claim.fund.claims_close_at, zone),
    }
    return render(request, "claims/withdraw.html", context)
