"""A plan's own page, check and send, the receipt; taking it back, cancelling it, and beginning its next version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from claims import rules, states
from claims.due import due_day
from claims.models import Plan, PlanActivity
from claims.operations.plans import amend_plan, cancel_plan, submit_plan, withdraw_plan
from claims.queries.catalog import current_catalog
from claims.queries.plan_deciders import deciders_of
from claims.queries.plan_facts import findings_of_plan
from claims.queries.plans import changes_between, open_amendment
from claims.web.forms import country_name
from claims.web.plan_access import closed_for_writing, own_plan, plan_for
from claims.web.plan_after import after_sending
from claims.web.plan_editor import about_rows, editor, fixes, on_top, overtaken, shown
from claims.web.plan_forms import CancelForm, SendForm
from claims.web.plan_standing import effect_of, requested
from coop.lib.dates import show_day, show_deadline, show_instant
from coop.lib.errors import NotFound, Refused, Stale
from coop.lib.forms import add_refusal
from coop.lib.web import asked_number, now, whole_number
from funds.web.clocks import earned_in, span, time_left
from partners.web.request import PersonRequest


@login_required
@require_safe
def plan(request: PersonRequest, plan_id: int) -> HttpResponse:
    """An open plan is written here, one that was sent is read; the vendor's people go to its review."""
    found = plan_for(request, plan_id)
    if request.user.is_vendor:
        return redirect("plan-review", plan_id)
    return editor(request, found) if found.is_open else after_sending(request, found)


# --- Check and send ---------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_send(request: PersonRequest, plan_id: int) -> HttpResponse:
    """What would be sent, what is missing, and the button that sends it.

    A plan is sent once: whoever sends it a second time, or refreshes, comes to the receipt.
    """
    found = own_plan(request, plan_id)
    if found.status == states.SUBMITTED:
        return redirect("plan-receipt", found.pk)
    if not found.is_open:
        return redirect("plan", found.pk)
    form = SendForm(request.POST or None, initial={"revision": found.revision})
    conflict = refusal = None
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["revision"]
        try:
            submit_plan(found.pk, revision=seen, by=request.user, at=now(request))
            return redirect("plan-receipt", found.pk)
        except Refused as refused:
            found = own_plan(request, plan_id)
            if not found.is_open:  # the same request came twice, and the other one was faster
                return redirect("plan-receipt" if found.status == states.SUBMITTED else "plan", found.pk)
            if isinstance(refused, Stale):
                data = on_top(request, found)
                data.pop("declared", None)
                conflict = overtaken(request, found, SendForm(data), seen)
                form = SendForm(initial={"revision": found.revision})
            else:
                refusal = refused
                if not refused.findings:
                    add_refusal(form, refused)
    status = 409 if conflict else refusal.status if refusal else 400 if form.is_bound and form.errors else 200
    context = sending_page(found, now(request)) | {"form": form, "conflict": conflict}
    return render(request, "claims/plans/send.html", context, status=status)


def sending_page(found: Plan, at: datetime) -> dict[str, Any]:
    """What `claims/plans/send.html` shows: the answers on cards, what the rules say, and the button when nothing is missing."""
    findings = findings_of_plan(found, at=at)
    given = shown(found, findings)
    failed = rules.failed(findings)
    activities = list(found.activities.all())
    effect = effect_of(found)
    missing = [] if activities else ["Add at least one activity."]
    # The rule of the fund's money says the same; without it the shortfall is said here.
    if effect.over and not any(one.kind == "money_there" for one in failed):
        missing.append(
            f"You ask for {effect.asked}, and {effect.there} is there: {effect.over} too much. Ask for that much less."
        )
    period, zone = found.fund.earning_period, found.fund.program.time_zone
    left, tone = time_left(period.use_close_at, at=at, zone=zone)
    return {
        "plan": found,
        "cards": cards(found),
        "effect": effect,
        "to_fix": [one for one in given if one["outcome"] == rules.FAILED],
        "others": [one for one in given if one["outcome"] in (rules.WARNING, rules.PERSON)],
        "passed": [one for one in given if one["outcome"] == rules.PASSED],
        "missing": missing,
        "number": len(failed) + len(missing),
        "ready": not failed and not missing,
        "fixes": fixes(found),
        "again": found.sendings > 0,
        "changes": changes_between(found) if found.amends_id else [],
        "use_by": show_deadline(period.use_close_at, zone),
        "use_left": left,
        "use_tone": tone,
    }


def cards(found: Plan) -> list[dict[str, Any]]:
    """What the plan says, topic by topic, each with the link that changes it."""
    about = {
        "title": "About the plan",
        "rows": [{**row, "change_url": ""} for row in about_rows(found)],
        "action_url": reverse("plan-about", args=[found.pk]),
        "action_label": "Change",
    }
    areas = solution_areas()
    return [about, *(activity_card(found, activity, areas) for activity in found.activities.all())]


def activity_card(found: Plan, activity: PlanActivity, areas: Mapping[str, str]) -> dict[str, Any]:
    return {
        "title": activity.title,
        "action_url": reverse("plan-activity", args=[found.pk, activity.pk]),
        "action_label": "Change",
        "rows": activity_rows(found, activity, areas),
    }


def solution_areas() -> dict[str, str]:
    """The names of the solution areas of all times, by their codes."""
    return {row["code"]: row["name"] for row in current_catalog().get("solution_areas", ())}


def activity_rows(found: Plan, activity: PlanActivity, areas: Mapping[str, str]) -> list[dict[str, str]]:
    code = activity.solution_area
    area = [{"key": "Solution area", "value": areas.get(code, code)}] if code else []
    return [
        {"key": "Activity", "value": activity.activity.name},
        {"key": "When", "value": span(activity.starts_on, activity.ends_on)},
        {"key": "Country", "value": country_name(activity.country)},
        *area,
        {"key": "Asked for", "amount": found.show(activity.requested_minor)},
        {"key": "Expected", "value": activity.expected_outcome},
    ]


@login_required
@require_safe
def plan_receipt(request: PersonRequest, plan_id: int) -> HttpResponse:
    """What was sent last, when, and what happens next. It can be read and printed again at any time."""
    found = plan_for(request, plan_id)
    if request.user.is_vendor:
        return redirect("plan-review", plan_id)
    if found.submitted_at is None:
        raise NotFound("This plan was not sent, so there is no receipt.")
    period, zone = found.fund.earning_period, found.fund.program.time_zone
    context = {
        "plan": found,
        "sent_at": show_instant(found.submitted_at, zone),
        "amount": found.show(requested(found.activities.all())),
        "rows": [
            {
                "name": activity.title,
                "when": span(activity.starts_on, activity.ends_on),
                "amount": found.show(activity.requested_minor),
            }
            for activity in found.activities.all()
        ],
        "changed_since": found.is_open,
        "fund_name": f"{earned_in(period)}, {found.fund.program}",
        "due": show_day(due_day(found.review_due_at, zone)) if found.review_due_at else "",
        "claim_by": show_deadline(found.fund.claims_close_at, zone),
        "deciders": [one.said for one in deciders_of(found, now(request).date())],
    }
    return render(request, "claims/plans/receipt.html", context)


# --- Taking back, cancelling, amending --------------------------------------------------------------------------------


def seen_revision(request: PersonRequest) -> int | None:
    return whole_number(request.POST.get("revision", ""))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_withdraw(request: PersonRequest, plan_id: int) -> HttpResponse:
    """Ask, then take a sent plan back into a draft."""
    found = own_plan(request, plan_id)
    if found.status not in states.PLANS["withdraw"]:
        messages.info(request, f"Plan {found} is {found.status_name.lower()}; it cannot be taken back any more.")
        return redirect("plan", found.pk)
    if request.method == "POST":
        withdraw_plan(found.pk, revision=seen_revision(request), by=request.user, at=now(request))
        messages.success(request, f"Plan {found} is a draft again.")
        return redirect("plan", found.pk)
    return render(request, "claims/plans/withdraw.html", {"plan": found})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_cancel(request: PersonRequest, plan_id: int) -> HttpResponse:
    """Say what cancelling releases, then do it."""
    found = own_plan(request, plan_id)
    if found.status not in states.PLANS["cancel"]:
        return closed_for_writing(request, found)
    form = CancelForm(request.POST or None, initial={"revision": found.revision})
    if request.method == "POST" and form.is_valid():
        try:
            cancel_plan(
                found.pk,
                reason=form.cleaned_data["reason"],
                revision=form.cleaned_data["revision"],
                by=request.user,
                at=now(request),
            )
        except Refused as refusal:
            found = own_plan(request, plan_id)
            if found.status not in states.PLANS["cancel"]:
                return closed_for_writing(request, found)
            add_refusal(form, refusal)
        else:
            messages.success(request, f"Plan {found} is cancelled.")
            return redirect("plan", found.pk)
    released = sum(activity.reserved_minor for activity in found.activities.all())
    context = {
        "plan": found,
        "form": form,
        "sent": found.status == states.APPROVED,
        "released": found.show(released) if released else "",
        "claim_by": show_deadline(found.fund.claims_close_at, found.fund.program.time_zone),
    }
    return render(request, "claims/plans/cancel.html", context, status=400 if form.is_bound and form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_amend(request: PersonRequest, plan_id: int) -> HttpResponse:
    """Say what a new version does, then begin it; the approved one holds until the new one is approved."""
    found = own_plan(request, plan_id)
    newer = open_amendment(found)
    if newer is not None:
        messages.info(request, "This plan has a newer version already: here it is.")
        return redirect("plan", newer.pk)
    if found.status != states.APPROVED:
        messages.info(request, f"Plan {found} is {found.status_name.lower()}; only an approved plan is amended.")
        return redirect("plan", found.pk)
    if request.method == "POST":
        draft = amend_plan(found.pk, revision=seen_revision(request), by=request.user, at=now(request))
        messages.success(request, f"{draft} is a draft. {found} stays in force until the new version is approved.")
        return redirect("plan", draft.pk)
    return render(request, "claims/plans/amend.html", {"plan": found, "only": asked_number(request, "activity")})
