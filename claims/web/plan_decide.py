"""Sending the decision on a plan: the check page with the letter, and what happens when somebody was faster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims import states
from claims.letters import APPROVE, DECLINE
from claims.models import Plan
from claims.operations.plan_review import approve_plan
from claims.plan_letters import Said, compose, verdict_of
from claims.web.plan_access import history_of
from claims.web.plan_review import answer_of, crumbs, find_plan, record, show, why_not
from claims.web.plan_review_forms import ActivityDecisionForm, NoteForm
from claims.web.plan_standing import approved, told
from coop.lib.errors import InsufficientFunds, Invalid, Refused, Stale, WindowClosed, WindowNotOpen, WrongStatus
from coop.lib.web import now
from partners.models import Person
from partners.web.request import PersonRequest

DONE = {states.APPROVED: "Approved", states.RETURNED: "Returned", states.DECLINED: "Declined"}


def all_valid(checked: Iterable[forms.BaseForm]) -> bool:
    """Whether all are valid; every one is asked, so that every one knows its errors."""
    return False not in {form.is_valid() for form in checked}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_decision(request: PersonRequest, plan_id: int) -> HttpResponse:
    """The check page: the letter as the partner will read it. Confirmed there, the decision is sent."""
    if request.method != "POST":
        return redirect("plan-review", plan_id)
    plan = find_plan(request, plan_id)
    refused, covered = why_not(request, plan, now(request))
    if refused:
        return record(request, plan, refused=refused, status=403)
    activities, note = answer_of(request, plan)
    if overtaken(plan, note):
        return conflict(request, plan, activities, note)
    if not all_valid([*activities, note]):
        return show(request, plan, activities, note, status=400, covered=covered)
    if request.POST.get("act") == "confirm":
        return send(request, plan, activities, note, covered)
    return check(request, plan, [form.said() for form in activities], note, covered)


def check(
    request: PersonRequest, plan: Plan, said: Sequence[Said], note: NoteForm, covered: Person | None
) -> HttpResponse:
    verdict = verdict_of([one.decision for one in said])
    letter = compose(
        plan,
        verdict,
        said,
        note=note.cleaned_data["note"],
        decider=request.user.name,
        acting_for=covered.name if covered else "",
        at=now(request),
    )
    amount = plan.show(sum(one.approved_minor for one in said))
    label = {APPROVE: f"Approve {amount}", DECLINE: "Decline this plan"}.get(verdict, "Return this plan")
    context = {
        "plan": plan,
        "letter": letter,
        "label": label,
        "kept": [(name, value) for name, value in request.POST.items() if name not in ("csrfmiddlewaretoken", "act")],
        "crumbs": [*crumbs(request), {"label": str(plan), "url": reverse("plan-review", args=[plan.pk])}],
    }
    return render(request, "claims/plan_review/check.html", context)


def send(
    request: PersonRequest,
    plan: Plan,
    activities: list[ActivityDecisionForm],
    note: NoteForm,
    covered: Person | None,
) -> HttpResponse:
    """Send the decision. What was overtaken, or what the fund does not hold, is shown beside what was entered."""
    try:
        sent = approve_plan(
            plan.pk,
            decisions=[form.decision() for form in activities],
            note=note.cleaned_data["note"],
            revision=note.cleaned_data["revision"],
            by=request.user,
            at=now(request),
        )
    except (Stale, WrongStatus) as refusal:
        return conflict(request, find_plan(request, plan.pk), activities, note, refusal)
    except (Invalid, InsufficientFunds, WindowClosed, WindowNotOpen) as refusal:
        for text in [error.message for error in refusal.errors] or [refusal.message]:
            note.add_error(None, text)
        return show(request, plan, activities, note, status=refusal.status, covered=covered)
    amount = f": {sent.show(approved(sent.activities.all()))}" if sent.status == states.APPROVED else ""
    messages.success(request, f"{DONE[sent.status]}{amount}. {plan.partner.name} reads your letter on plan {plan} now.")
    return redirect("worklist")


def overtaken(plan: Plan, note: NoteForm) -> bool:
    """Whether somebody changed the plan since the page was read on which this was entered."""
    note.is_valid()
    seen = note.cleaned_data.get("revision") if note.is_bound else plan.revision
    return plan.status != states.SUBMITTED or seen != plan.revision


def conflict(
    request: PersonRequest,
    plan: Plan,
    activities: list[ActivityDecisionForm],
    note: NoteForm,
    refusal: Refused | None = None,
) -> HttpResponse:
    """Somebody was faster: who and what they did, and the reader's own input on the plan as it stands now."""
    if plan.status != states.SUBMITTED:
        sent = request.POST.items()
        written = [str(value).strip() for name, value in sent if name.endswith(("-reason", "note"))]
        return record(request, plan, written=[text for text in written if text], status=412)
    last = next(iter(history_of(plan, request.user)), None)
    said = told(last, plan.currency) if last else {"who": "Somebody", "what": "changed the plan", "when": "just now"}
    text = f"{said['who']} {said['what'].rstrip(',')}, {said['when']}, after you opened this page. "
    fresh = NoteForm({**note.data.dict(), "revision": plan.revision} if note.is_bound else None)  # type: ignore[attr-defined]
    rows, _ = answer_of(request, plan)
    all_valid(rows)  # reads what was entered
    return show(
        request,
        plan,
        rows,
        fresh,
        status=412,
        conflict=f"{text}Nothing was sent. What you entered is kept below.",
    )
