"""The tasks of an open claim that are one form each: about the activity, and the results."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims import rules
from claims.models import Category, Claim
from claims.operations.drafting import update_claim
from claims.queries import findings_of
from claims.queries.book import activity_day, metrics_asked, offered_activities
from claims.web.access import closed_for_writing, own_claim
from claims.web.conflict import conflict_of, with_revision
from claims.web.forms import AboutForm, ResultsForm, about_values, grouped
from claims.web.places import field_of, task_of
from claims.web.progress import shown_findings
from coop.lib.errors import Refused, Stale
from coop.lib.forms import add_refusal
from coop.lib.web import now
from funds.web.clocks import earned_in
from partners.web.request import PersonRequest


def notes_for(claim: Claim, task: str) -> dict[str, str]:
    """What the reviewer wrote on the fields of a task, by the name of the form's field."""
    return {field_of(fix["field"]): fix["message"] for fix in claim.returned_fixes if task_of(fix["field"]) == task}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim_about(request: PersonRequest, claim_id: int) -> HttpResponse:
    """What was done, when and where. Dates that no rule allows are saved in a draft, and said beside the field."""
    claim = own_claim(request, claim_id)
    if not claim.is_open:
        return closed_for_writing(request, claim)
    form = about_form(claim, request.POST or None)
    conflict = None
    if request.method == "POST" and form.is_valid():
        values = form.changes()
        seen = form.cleaned_data["revision"]
        values["title"] = values["title"] or claim.title
        try:
            update_claim(claim.pk, values, revision=seen, by=request.user, at=now(request))
        except Stale:
            claim = own_claim(request, claim_id)
            if not claim.is_open:
                return closed_for_writing(request, claim)
            form = about_form(claim, with_revision(request, claim))
            conflict = conflict_of(request, claim, form, seen=seen)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            return saved(request, claim_id)
    period = claim.fund.earning_period
    context = {
        "claim": claim,
        "form": form,
        "conflict": conflict,
        "notes": notes_for(claim, "about"),
        "advice": shown_findings(claim, advice(request, claim)),
        "fund_name": f"{earned_in(period)}, {claim.fund.program}, {claim.fund.location}",
    }
    return render(request, "claims/about.html", context, status=answer(form, conflict))


def about_form(claim: Claim, data: Any) -> AboutForm:
    day = activity_day(claim)
    offered = list(
        offered_activities(claim.fund.program.code, day, country=claim.country, partner=claim.partner.external_id)
    )
    if claim.activity not in offered:
        offered.append(claim.activity)
    groups = grouped(offered, Category.objects.all(), day)
    period = claim.fund.earning_period
    return AboutForm(data, groups=groups, use=(period.use_from, period.use_to), initial=about_values(claim))


def advice(request: PersonRequest, claim: Claim) -> list[rules.Finding]:
    """What the rules find wrong in what was given; what is only missing still is not advice."""
    given = {"activity_from": claim.activity_from, "activity_to": claim.activity_to, "activity": claim.activity_id}
    failed = rules.failed(findings_of(claim, at=now(request)))
    return [found for found in failed if task_of(found.field) == "about" and given.get(found.field)]


def saved(request: PersonRequest, claim_id: int) -> HttpResponse:
    """On to the hub; back to the page where the rules find that something given cannot be."""
    claim = own_claim(request, claim_id)
    if advice(request, claim):
        messages.warning(request, "Saved. The rules do not allow it yet: see below.")
        return redirect("claim-about", claim_id)
    messages.success(request, "Saved.")
    return redirect("claim", claim_id)


def answer(form: Any, conflict: Any) -> int:
    """The HTTP status of a page with a form: refused input is a 400, an overtaken one a 409."""
    return 409 if conflict else 400 if form.is_bound and form.errors else 200


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim_results(request: PersonRequest, claim_id: int) -> HttpResponse:
    """The results that the activity asks for."""
    claim = own_claim(request, claim_id)
    if not claim.is_open:
        return closed_for_writing(request, claim)
    form = results_form(claim, request.POST or None)
    conflict = None
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["revision"]
        try:
            update_claim(claim.pk, {"metrics": form.values()}, revision=seen, by=request.user, at=now(request))
        except Stale:
            claim = own_claim(request, claim_id)
            if not claim.is_open:
                return closed_for_writing(request, claim)
            form = results_form(claim, with_revision(request, claim))
            conflict = conflict_of(request, claim, form, seen=seen)
        except Refused as refusal:
            add_refusal(form, refusal, {f"metrics.{metric.code}": metric.code for metric in form.metrics})
        else:
            messages.success(request, "Saved.")
            return redirect("claim", claim_id)
    context = {"claim": claim, "form": form, "conflict": conflict, "fields": noted(form, notes_for(claim, "results"))}
    context["back"] = reverse("claim", args=[claim.pk])
    return render(request, "claims/results.html", context, status=answer(form, conflict))


def results_form(claim: Claim, data: Any) -> ResultsForm:
    metrics = metrics_asked(claim)
    return ResultsForm(data, metrics=metrics, initial={"revision": claim.revision, **claim.metrics})


def noted(form: ResultsForm, notes: dict[str, str]) -> list[dict[str, Any]]:
    """The fields with the reviewer's notes."""
    return [{"field": form[metric.code], "note": notes.get(metric.code, "")} for metric in form.metrics]
