"""The page on which a claim is reviewed: checks, lines, evidence. What is decided there is sent by claims/web/decide.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims import letters, states
from claims.letters import RETURN
from claims.models import Claim, Document
from claims.operations.review import start_review
from claims.queries import document_kinds
from claims.queries.book import metrics_asked
from claims.queries.vendor import UNDECIDED, history_with
from claims.queries.worklist import next_claim
from claims.web.forms import country_name
from claims.web.history import timeline
from claims.web.review_forms import LineForm, NoteForm
from coop.lib.dates import business_days_after, show_day, show_deadline, show_instant
from coop.lib.errors import NotFound
from coop.lib.web import now
from funds.web.clocks import earned_in
from partners.models import Event
from partners.permissions import require_role
from partners.states import AUDITOR, CHANNEL_MANAGER, FINANCE, PROGRAM_ADMIN
from partners.web.request import PersonRequest

# Whose role lets them look; only the first of them decides.
LOOKERS = (CHANNEL_MANAGER, FINANCE, PROGRAM_ADMIN, AUDITOR)

Answer = tuple[list[LineForm], NoteForm]


def find_claim(request: PersonRequest, claim_id: int) -> Claim:
    """The claim with all that a reviewer looks at; every role of the vendor may look. Raises NotAllowed, NotFound."""
    require_role(request.user, *LOOKERS, to="review claims")
    claims = Claim.objects.visible_to(request.user).with_names().select_related("reviewer", "submitted_by")
    claim = claims.prefetch_related("lines", "documents__stored").filter(id=claim_id).first()
    if claim is None:
        raise NotFound("There is no such claim.")
    return claim


def answer_of(request: PersonRequest, claim: Claim) -> Answer:
    """The forms of a review, filled from what was sent; without it, with what is known."""
    sent = request.POST if any(name.startswith("line-") for name in request.POST) else None
    lines = [LineForm(sent, claim=claim, line=line) for line in claim.lines.all()]
    note = NoteForm(request.POST if "revision" in request.POST else None, initial={"revision": claim.revision})
    return lines, note


# --- The page ---------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: PersonRequest, claim_id: int) -> HttpResponse:
    """A claim with its checks, lines and evidence. A POST starts the review, or adds up what was entered so far."""
    claim = find_claim(request, claim_id)
    if request.method == "POST" and request.POST.get("act") == "start":
        start_review(claim.pk, by=request.user, at=now(request))
        messages.success(request, "You are reviewing this claim. Others see that.")
        return redirect("review", claim_id)
    if claim.status not in UNDECIDED or request.user.role != CHANNEL_MANAGER:
        return record(request, claim)
    lines, note = answer_of(request, claim)
    if request.method == "POST":
        for form in lines:
            form.is_valid()  # reads what can be read; errors are for the check, not for adding up
        if request.htmx:  # type: ignore[attr-defined]
            return render(request, "claims/review/_total.html", totals(claim, lines, now(request)))
    return show(request, claim, lines, note, with_errors=False)


def show(
    request: PersonRequest,
    claim: Claim,
    lines: list[LineForm],
    note: NoteForm,
    *,
    status: int = 200,
    conflict: str = "",
    with_errors: bool = True,
) -> HttpResponse:
    at = now(request)
    kinds = document_kinds(claim)
    documents = list(claim.documents.all())
    rows = [
        {
            "form": form,
            "line": form.line,
            "files": [file_row(d, kinds) for d in documents if d.line_id == form.line.pk],
            "errors": [error for errors in form.errors.values() for error in errors]
            if with_errors and form.is_bound
            else [],
        }
        for form in lines
    ]
    context = {
        "claim": claim,
        "form": note,
        "forms": [*lines, note] if with_errors else [],
        "with_errors": with_errors,
        "rows": rows,
        "lede": lede(claim),
        "facts": facts(claim),
        "results": results(claim),
        "files": [file_row(document, kinds) for document in documents],
        "history": history_with(claim, request.user),
        "events": timeline(events_of(request, claim)),
        "at": at,
        "conflict": conflict,
        "others_review": claim.reviewer_id is not None and claim.reviewer_id != request.user.pk,
        "may_start": claim.reviewer_id is None,
        "since": show_instant(claim.turn_since),
        "due": due(claim, at),
        "cure": show_deadline(claim.fund.earning_period.cure_close_at, claim.fund.program.time_zone),
        "close": show_deadline(claim.fund.earning_period.claims_close_at, claim.fund.program.time_zone),
        "closed": at >= claim.fund.earning_period.claims_close_at,
        "crumbs": [{"label": "Worklist", "url": reverse("worklist")}],
        **totals(claim, lines, at),
    }
    return render(request, "claims/review/review.html", context, status=status)


def record(request: PersonRequest, claim: Claim, *, status: int = 200) -> HttpResponse:
    """A claim to look at: one that waits for no decision, or any for those who do not decide.

    What the reader had written for a decision that came too late is given back.
    """
    sent = request.POST.items() if request.method == "POST" else ()
    written = [str(value).strip() for name, value in sent if name.endswith(("reason", "note", "message"))]
    decides = request.user.role == CHANNEL_MANAGER
    following = next_claim(request.user, now(request)) if decides else None
    kinds = document_kinds(claim)
    known = [text for text in written if text]
    context = {
        "claim": claim,
        "lede": lede(claim),
        "undecided": claim.status in UNDECIDED,
        "letter": letters.letter_of(claim),
        "written": known,
        "too_late": status != 200,
        "facts": facts(claim),
        "results": results(claim),
        "lines": [(line, claim.show(line.amount_minor)) for line in claim.lines.all()],
        "claimed": claim.show(claim.claimed_minor),
        "files": [file_row(document, kinds) for document in claim.documents.all()],
        "events": timeline(events_of(request, claim)),
        "next_url": reverse("review", args=[following]) if following else "",
        "since": show_instant(claim.turn_since),
        "crumbs": [{"label": "Worklist", "url": reverse("worklist")}]
        if decides
        else [{"label": "Claims", "url": reverse("claims")}],
    }
    return render(request, "claims/review/record.html", context, status=status)


def lede(claim: Claim) -> str:
    activity = f"{claim.activity.name[:1].lower()}{claim.activity.name[1:]}"
    return f"{claim.partner.name} asks for {claim.show(claim.claimed_minor)} for {activity}."


def events_of(request: PersonRequest, claim: Claim) -> list[Event]:
    return list(Event.objects.visible_to(request.user).about("claim", claim.pk).select_related("actor")[:50])


def totals(claim: Claim, lines: Sequence[LineForm], at: datetime) -> dict[str, Any]:
    """What the decisions entered so far come to, and what they do to the fund."""
    said = [form.said() for form in lines]
    verdict = letters.verdict_of([line.decision for line in said])
    approved = sum(line.approved_minor for line in said)
    returned = sum(line.decision == "return" for line in said)
    fund, held = claim.fund, claim.held_minor
    late = at >= fund.earning_period.claims_close_at
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
        {
            "key": "Sent",
            "value": f"{show_instant(claim.submitted_at)} by {claim.submitted_by}"  # type: ignore[arg-type]
            + (f", for the {ordinal(claim.sendings)} time" if claim.sendings > 1 else ""),
        },
    ]


def ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def results(claim: Claim) -> list[dict[str, Any]]:
    wanted = metrics_asked(claim)
    return [{"key": metric.name, "value": str(claim.metrics.get(metric.code, ""))} for metric in wanted]


def due(claim: Claim, at: datetime) -> dict[str, str]:
    if claim.submitted_at is None:
        return {}
    day = business_days_after(claim.submitted_at.date(), states.REVIEW_BUSINESS_DAYS)
    days = (day - at.date()).days
    left = "overdue" if days < 0 else "today" if days == 0 else f"in {days} day{'' if days == 1 else 's'}"
    return {
        "day": show_day(day),
        "left": left,
        "tone": "problem" if days < 0 else "attention" if days == 0 else "",
    }


def file_row(document: Document, kinds: dict[str, str]) -> dict[str, str]:
    """One piece of evidence for files.html: files are downloaded, links lead to the page."""
    return {
        "name": str(document),
        "url": document.url or f"{reverse('document-content', args=[document.pk])}?download=1",
        "kind": kinds.get(document.kind, document.kind),
        "size": "Link to a page of somebody else" if document.url else filesizeformat(document.size),
        "sha256": document.sha256,
        "added": document.note,
    }
