"""The tasks of an open claim that are one form each: about the activity, and the results."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from claims import rules
from claims.models import Activity, Category, Claim
from claims.operations.drafting import update_claim
from claims.queries import findings_of
from claims.queries.book import activity_day, metrics_asked, offered_activities
from claims.queries.catalog import solution_areas_on
from claims.web.access import claim_to_work_on, closed_for_writing
from claims.web.answers import answer_of_text
from claims.web.autosave import saved_as_written
from claims.web.conflict import conflict_of, reading, with_revision
from claims.web.forms import AboutForm, ResultsForm, about_values, grouped
from claims.web.marks import here, mark, without_others
from claims.web.places import field_of, task_of
from coop.lib import kept
from coop.lib.errors import Refused, Stale
from coop.lib.forms import add_refusal
from coop.lib.web import now
from funds.web.clocks import earned_in
from partners.web.request import PersonRequest


def notes_for(claim: Claim, task: str) -> dict[str, str]:
    """What the reviewer wrote on the fields of a task, by the name of the form's field."""
    return {field_of(fix["field"]): fix["message"] for fix in claim.returned_fixes if task_of(fix["field"]) == task}


def found_for(request: PersonRequest, claim: Claim, task: str) -> list[rules.Finding]:
    """What the rules say of the fields of a task now."""
    findings = without_others(claim, findings_of(claim, at=now(request)))
    return [found for found in findings if task_of(found.field) == task]


# --- About the activity -----------------------------------------------------------------------------------------------


@kept.keeps_words
@require_http_methods(["GET", "HEAD", "POST"])
def claim_about(request: PersonRequest, claim_id: int) -> HttpResponse:
    """What was done, when and where. Dates that no rule allows are saved in a draft, and said beside the field."""
    claim = claim_to_work_on(request, claim_id, "about")
    if not claim.is_open:
        return closed_for_writing(request, claim)
    form = about_form(claim, kept.written(request, lambda: about_form(claim, None)))
    conflict = None
    if kept.is_autosave(request):
        return saved_as_written(request, claim, form, lambda seen: save_about(request, claim, form.changes(), seen))
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["revision"]
        try:
            save_about(request, claim, form.changes(), seen)
        except Stale:
            claim = claim_to_work_on(request, claim_id, "about")
            if not claim.is_open:
                return closed_for_writing(request, claim)
            form = about_form(claim, with_revision(request, claim))
            if not form.has_changed():
                return saved(request, claim)
            conflict = conflict_of(request, claim, form, seen=seen)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            return saved(request, claim_to_work_on(request, claim_id, "about"))
    period = claim.fund.earning_period
    findings = found_for(request, claim, "about")
    mark(form, findings)
    context = {
        "claim": claim,
        "form": form,
        "conflict": conflict,
        "kept": kept.kept(request) if request.method != "POST" else None,
        "notes": notes_for(claim, "about"),
        "advice": here(findings, form),
        "fund_name": "" if claim.for_guest else f"{earned_in(period)}, {claim.fund.program}, {claim.fund.location}",  # type: ignore[attr-defined]
    }
    return render(request, "claims/about.html", context, status=answer(form, conflict, request))


def save_about(request: PersonRequest, claim: Claim, values: dict[str, Any], seen: int | None) -> Claim:
    """Save what could be read. What others changed elsewhere in the claim since it was read is no conflict. Raises Stale."""
    if "title" in values:
        values["title"] = values["title"] or claim.title
    seen = reading(claim, seen, "about")
    return update_claim(claim.pk, values, revision=seen, by=request.user, at=now(request))


def about_form(claim: Claim, data: Any) -> AboutForm:
    day = activity_day(claim)
    offered = list(
        offered_activities(claim.fund.program.code, day, country=claim.country, partner=claim.partner.external_id)
    )
    if claim.activity not in offered:
        offered.append(claim.activity)
    areas = solution_areas_on(day)
    if claim.solution_area and claim.solution_area not in dict(areas):
        areas = [*areas, (claim.solution_area, claim.solution_area)]
    period = claim.fund.earning_period
    return AboutForm(
        data,
        groups=grouped(offered, Category.objects.all(), day),
        use=(period.use_from, period.use_to),
        areas=areas,
        initial=about_values(claim),
    )


def saved(request: PersonRequest, claim: Claim) -> HttpResponse:
    """On to the hub; back to the page where the rules find that something given cannot be."""
    kept.forget(request)
    findings = found_for(request, claim, "about")
    if here(findings, about_form(claim, None)):
        messages.warning(request, "Saved. The rules do not allow it yet: see below.")
        return redirect("claim-about", claim.pk)
    messages.success(request, "Saved.")
    return redirect(claim.hub_url)  # type: ignore[attr-defined]


def answer(form: Any, conflict: Any, request: PersonRequest) -> int:
    """The HTTP status of a page with a form: refused input is a 400, an overtaken one a 409."""
    if request.method != "POST":
        return 200
    return 409 if conflict else 400 if form.errors else 200


# --- Results ----------------------------------------------------------------------------------------------------------


@kept.keeps_words
@require_http_methods(["GET", "HEAD", "POST"])
def claim_results(request: PersonRequest, claim_id: int) -> HttpResponse:
    """The results that the activity asks for."""
    claim = claim_to_work_on(request, claim_id, "results")
    if not claim.is_open:
        return closed_for_writing(request, claim)
    form = results_form(claim, kept.written(request, lambda: results_form(claim, None)))
    conflict = None
    if kept.is_autosave(request):
        return saved_as_written(
            request, claim, form, lambda seen: save_results(request, claim, form, seen), places(form)
        )
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["revision"]
        try:
            save_results(request, claim, form, seen)
        except Stale:
            claim = claim_to_work_on(request, claim_id, "results")
            if not claim.is_open:
                return closed_for_writing(request, claim)
            form = results_form(claim, with_revision(request, claim))
            if not form.has_changed():
                return on(request, claim)
            conflict = conflict_of(request, claim, form, seen=seen)
        except Refused as refusal:
            add_refusal(form, refusal, places(form))
        else:
            return on(request, claim)
    findings = found_for(request, claim, "results")
    mark(form, findings)
    context = {
        "claim": claim,
        "form": form,
        "conflict": conflict,
        "kept": kept.kept(request) if request.method != "POST" else None,
        "advice": here(findings, form),
        "fields": noted(form, notes_for(claim, "results")),
        "back": claim.hub_url,  # type: ignore[attr-defined]
    }
    return render(request, "claims/results.html", context, status=answer(form, conflict, request))


def on(request: PersonRequest, claim: Claim) -> HttpResponse:
    kept.forget(request)
    messages.success(request, "Saved.")
    return redirect(claim.hub_url)  # type: ignore[attr-defined]


def places(form: ResultsForm) -> dict[str, str]:
    """The fields of the form by what operations call them."""
    return {f"metrics.{metric.code}": metric.code for metric in form.metrics}


def save_results(request: PersonRequest, claim: Claim, form: ResultsForm, seen: int | None) -> Claim:
    """Save the answers that could be read. Raises Stale, Invalid."""
    seen = reading(claim, seen, "results")
    return update_claim(claim.pk, {"metrics": form.values()}, revision=seen, by=request.user, at=now(request))


def results_form(claim: Claim, data: Any) -> ResultsForm:
    metrics = metrics_asked(claim)
    given = {metric.code: answer_of_text(metric, claim.metrics.get(metric.code, "")) for metric in metrics}
    return ResultsForm(data, metrics=metrics, names=names_of(metrics), initial={"revision": claim.revision, **given})


def names_of(metrics: Any) -> dict[str, str]:
    """The names of the activities that answers may choose among."""
    codes = {code for metric in metrics for code in metric.choices}
    return dict(Activity.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}


def noted(form: ResultsForm, notes: dict[str, str]) -> list[dict[str, Any]]:
    """The fields with the reviewer's notes."""
    return [{"field": form[metric.code], "note": notes.get(metric.code, "")} for metric in form.metrics]
