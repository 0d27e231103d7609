"""The page on which a claim is reviewed: checks, lines, evidence. What is decided there is sent by claims/web/decide.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims import letters, states
from claims.due import due_day, review_due
from claims.letters import RETURN
from claims.models import Claim
from claims.operations.review import note_internally, start_review
from claims.permissions import has_declined
from claims.queries.book import metrics_asked
from claims.queries.precedents import precedents_of
from claims.queries.vendor import (
    UNDECIDED,
    decisions_of,
    findings_for_review,
    history_with,
    open_pairs_of,
)
from claims.queries.worklist import next_waiting
from claims.web.decisions import decision_rows
from claims.web.forms import country_name
from claims.web.history import timeline
from claims.web.review_answer import Answer, answer_of
from claims.web.review_evidence import evidence_of, files_of_line
from claims.web.review_forms import InternalForm
from claims.web.worklist import address_of
from coop.lib.dates import show_day, show_deadline, show_instant
from coop.lib.errors import NotFound
from coop.lib.web import now
from funds.web.clocks import earned_in
from partners.models import Event
from partners.permissions import require_role
from partners.states import AUDITOR, CHANNEL_MANAGER, FINANCE, PROGRAM_ADMIN
from partners.web.request import PersonRequest

# Whose role lets them look; only the first of them decides.
NOTED = "claim.noted"
LOOKERS = (CHANNEL_MANAGER, FINANCE, PROGRAM_ADMIN, AUDITOR)


def find_claim(request: PersonRequest, claim_id: int) -> Claim:
    """The claim with all that a reviewer looks at; every role of the vendor may look. Raises NotAllowed, NotFound."""
    require_role(request.user, *LOOKERS, to="review claims")
    claims = (
        Claim.objects.visible_to(request.user)
        .with_names()
        .select_related("reviewer", "submitted_by", "first_decided_by", "disputed_by", "fund__enrollment")
        .select_related("plan_activity__plan", "plan_activity__activity")
    )
    claim = claims.prefetch_related("lines", "documents__stored").filter(id=claim_id).first()
    if claim is None:
        raise NotFound("There is no such claim.")
    return claim


# --- The page ---------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: PersonRequest, claim_id: int) -> HttpResponse:
    """A claim with its checks, lines and evidence. A POST starts the review, notes something, or adds up what was entered."""
    claim = find_claim(request, claim_id)
    act = request.POST.get("act")
    if act == "start":
        start_review(claim.pk, by=request.user, at=now(request))
        messages.success(request, "You are reviewing this claim. Others see that.")
        return redirect("review", claim_id)
    if act == "note":
        return write_note(request, claim)
    if claim.status not in UNDECIDED or request.user.role != CHANNEL_MANAGER:
        return record(request, claim)
    answer = answer_of(request, claim)
    if request.method == "POST":
        for form in answer.bound:
            form.is_valid()  # reads what can be read; errors are for the check, not for adding up
        if request.htmx:  # type: ignore[attr-defined]
            return render(request, "claims/review/_total.html", totals(claim, answer, now(request)))
    return show(request, claim, answer, with_errors=False)


def write_note(request: PersonRequest, claim: Claim) -> HttpResponse:
    """Keep an internal note, and go back to the claim."""
    form = InternalForm(request.POST)
    if form.is_valid():
        note_internally(claim.pk, text=form.cleaned_data["text"], by=request.user, at=now(request))
        messages.success(request, "Your note is kept. The partner does not see it.")
    else:
        messages.error(request, "Write the note first.")
    return redirect("review", claim.pk)


def show(
    request: PersonRequest,
    claim: Claim,
    answer: Answer,
    *,
    status: int = 200,
    conflict: str = "",
    with_errors: bool = True,
) -> HttpResponse:
    at = now(request)
    evidence = evidence_of(claim, answer.documents)
    context = {
        "claim": claim,
        "form": answer.note,
        "forms": answer.forms if with_errors else [],
        "with_errors": with_errors,
        "rows": line_rows(answer, evidence, with_errors=with_errors),
        "lede": lede(claim),
        "facts": facts(claim),
        "results": results(claim),
        "findings": findings_for_review(claim, at=at),
        "evidence": evidence,
        "doubles": [(pair.pk, states.DUPLICATE_KINDS[pair.kind]) for pair in open_pairs_of(claim, request.user)],
        **told(request, claim),
        "conflict": conflict,
        "others_review": claim.reviewer_id is not None and claim.reviewer_id != request.user.pk,
        "may_start": claim.reviewer_id is None,
        "second": has_declined(request.user, claim),
        "since": show_instant(claim.turn_since),
        "due": due(claim, at),
        "crumbs": [{"label": "Worklist", "url": reverse("worklist")}],
        **beside(request, claim),
        **clocks(claim, at),
        **totals(claim, answer, at),
    }
    return render(request, "claims/review/review.html", context, status=status)


def beside(request: PersonRequest, claim: Claim) -> dict[str, Any]:
    """What is known of like cases, of the partner, of earlier decisions, and what colleagues noted."""
    return {
        "precedents": precedents_of(claim, request.user),
        "history": history_with(claim, request.user),
        "decisions": decision_rows(decisions_of(claim)),
        "internal": InternalForm(),
    }


def clocks(claim: Claim, at: datetime) -> dict[str, Any]:
    zone = claim.fund.program.time_zone
    return {
        "at": at,
        "cure": show_deadline(claim.fund.cure_close_at, zone),
        "close": show_deadline(claim.fund.claims_close_at, zone),
        "closed": at >= claim.fund.claims_close_at,
    }


def line_rows(answer: Answer, evidence: list[dict[str, Any]], *, with_errors: bool) -> list[dict[str, Any]]:
    """The lines with their forms, their files and what is wrong with what was entered."""
    return [
        {
            "form": form,
            "line": form.line,
            "files": files_of_line(evidence, form.line.pk),
            "errors": [error for errors in form.errors.values() for error in errors]
            if with_errors and form.is_bound
            else [],
        }
        for form in answer.lines
    ]


def record(request: PersonRequest, claim: Claim, *, status: int = 200) -> HttpResponse:
    """A claim to look at: one that waits for no decision, or any for those who do not decide.

    What the reader had written for a decision that came too late is given back.
    """
    sent = request.POST.items() if request.method == "POST" else ()
    written = [str(value).strip() for name, value in sent if name.endswith(("reason", "note", "message"))]
    decides = request.user.role == CHANNEL_MANAGER
    following = next_waiting(request.user, now(request)) if decides else None
    context = {
        "claim": claim,
        "lede": lede(claim),
        "undecided": claim.status in UNDECIDED,
        "disputed": claim.status == states.DISPUTED,
        "letter": letters.letter_of(claim),
        "written": [text for text in written if text],
        "too_late": status != 200,
        "facts": facts(claim),
        "results": results(claim),
        "lines": [(line, claim.show(line.amount_minor)) for line in claim.lines.all()],
        "claimed": claim.show(claim.claimed_minor),
        "evidence": evidence_of(claim),
        **told(request, claim),
        "decisions": decision_rows(decisions_of(claim)),
        "decides": decides,
        "next_url": address_of(*following) if following else "",
        "since": show_instant(claim.turn_since),
        "crumbs": [{"label": "Worklist", "url": reverse("worklist")}]
        if decides
        else [{"label": "Claims", "url": reverse("claims")}],
    }
    return render(request, "claims/review/record.html", context, status=status)


def lede(claim: Claim) -> str:
    activity = f"{claim.activity.name[:1].lower()}{claim.activity.name[1:]}"
    return f"{claim.partner.name} asks for {claim.show(claim.claimed_minor)} for {activity}."


def told(request: PersonRequest, claim: Claim) -> dict[str, Any]:
    """What happened so far; and apart from it what the vendor's people noted for each other."""
    events = events_of(request, claim)
    return {
        "events": timeline(event for event in events if event.verb != NOTED),
        "notes": timeline(event for event in events if event.verb == NOTED),
    }


def events_of(request: PersonRequest, claim: Claim) -> list[Event]:
    return list(Event.objects.visible_to(request.user).about("claim", claim.pk).select_related("actor")[:200])


def totals(claim: Claim, answer: Answer, at: datetime) -> dict[str, Any]:
    """What the decisions entered so far come to, and what they do to the fund."""
    said = [form.said() for form in answer.lines]
    files = sum(form["outcome"].value() == RETURN for form in answer.documents)
    verdict = letters.verdict_of([*(line.decision for line in said), *([RETURN] if files else [])])
    approved = sum(line.approved_minor for line in said)
    returned = sum(line.decision == RETURN for line in said)
    fund, held = claim.fund, claim.held_minor
    late = at >= fund.claims_close_at
    moved = {"in_review": -held, "approved": approved, "expired" if late else "available": held - approved}
    if verdict == RETURN:
        moved = {}
    effect = [
        {
            "label": label,
            "now": fund.show(getattr(fund, f"{bucket}_minor")),
            "after": fund.show(getattr(fund, f"{bucket}_minor") + moved.get(bucket, 0)),
            "changed": bool(moved.get(bucket)),
        }
        for bucket, label in (
            ("available", "Available"),
            ("in_review", "In review"),
            ("approved", "Approved"),
            *((("expired", "Expired"),) if late else ()),
        )
    ]
    return {
        "claim": claim,
        "verdict": verdict,
        "approved": claim.show(approved),
        "claimed": claim.show(claim.claimed_minor),
        "difference": claim.show(claim.claimed_minor - approved) if claim.claimed_minor != approved else "",
        "returned": returned,
        "returned_files": files,
        "late": late,
        "effect": effect,
    }


def facts(claim: Claim) -> list[dict[str, Any]]:
    period = claim.fund.earning_period
    days = [show_day(day) if day else "" for day in (claim.activity_from, claim.activity_to)]
    when = f"{days[0]} to {days[1]}" if all(days) else ""
    return [
        {"key": "Partner", "value": f"{claim.partner.name}, {claim.fund.location.name}"},
        {"key": "Activity", "value": claim.activity.name},
        {"key": "Took place", "value": when},
        {"key": "Country", "value": country_name(claim.country)},
        *([{"key": "Solution area", "value": claim.solution_area}] if claim.solution_area else []),
        {
            "key": "Fund",
            "value": f"{earned_in(period)} ({period}), {claim.fund.program.name}, to be used "
            f"{show_day(period.use_from)} to {show_day(period.use_to)}",
        },
        *plan_fact(claim),
        {
            "key": "Sent",
            "value": f"{show_instant(claim.submitted_at)} by {claim.submitted_by}"  # type: ignore[arg-type]
            + (f", for the {ordinal(claim.sendings)} time" if claim.sendings > 1 else ""),
        },
    ]


def plan_fact(claim: Claim) -> list[dict[str, Any]]:
    """The activity of a plan that the claim is made on, with what was approved for it."""
    planned = claim.plan_activity
    if planned is None:
        return []
    approved = f", {claim.show(planned.approved_minor)} approved" if planned.approved_minor is not None else ""
    url = reverse("plan", args=[planned.plan_id])
    return [{"key": "Plan", "value": f"{planned.plan}: {planned.title}{approved}", "url": url}]


def ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def results(claim: Claim) -> list[dict[str, Any]]:
    wanted = metrics_asked(claim)
    return [{"key": metric.name, "value": str(claim.metrics.get(metric.code, ""))} for metric in wanted]


def due(claim: Claim, at: datetime) -> dict[str, str]:
    """By when the decision is due, and how near that is."""
    if claim.submitted_at is None:
        return {}
    zone = claim.fund.program.time_zone
    day = due_day(claim.review_due_at or review_due(claim.submitted_at, claim.fund.program), zone)
    days = (day - at.astimezone(ZoneInfo(zone)).date()).days
    left = "overdue" if days < 0 else "today" if days == 0 else f"in {days} day{'' if days == 1 else 's'}"
    return {
        "day": show_day(day),
        "left": left,
        "tone": "problem" if days < 0 else "attention" if days == 0 else "",
    }
