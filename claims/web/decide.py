"""Sending a decision: the check page with the letter, the fix list of a return, and what happens when somebody was faster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims import letters
from claims.letters import APPROVE, DECLINE, RETURN, Said
from claims.models import Claim
from claims.operations.review import Fix, LineDecision, approve_claim, reject_claim, return_claim
from claims.queries.vendor import UNDECIDED
from claims.queries.worklist import next_claim
from claims.web.review import answer_of, find_claim, record, show
from claims.web.review_forms import FixList, LineForm, NoteForm, known_place, places_of
from coop.lib.dates import show_deadline, show_instant
from coop.lib.errors import Invalid, Stale, WrongStatus
from coop.lib.forms import add_refusal
from coop.lib.web import now
from partners.models import Event
from partners.permissions import require_role
from partners.states import CHANNEL_MANAGER
from partners.web.request import PersonRequest


def decided_by(request: PersonRequest, claim_id: int) -> Claim:
    """The claim, for somebody whose role decides. Raises NotAllowed, NotFound."""
    require_role(request.user, CHANNEL_MANAGER, to="decide on claims")
    return find_claim(request, claim_id)


def all_valid(checked: Iterable[forms.BaseForm | forms.BaseFormSet[Any]]) -> bool:
    """Whether all are valid; every one is asked, so that every one knows its errors."""
    return False not in {form.is_valid() for form in checked}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def review_decision(request: PersonRequest, claim_id: int) -> HttpResponse:
    """The check page: the letter as the partner will read it. Confirmed there, the decision is sent."""
    if request.method != "POST":
        return redirect("review", claim_id)
    claim = decided_by(request, claim_id)
    lines, note = answer_of(request, claim)
    if overtaken(claim, note):
        return conflict(request, claim, lines, note)
    if not all_valid([*lines, note]):
        return show(request, claim, lines, note, status=400)
    said = [form.said() for form in lines]
    verdict = letters.verdict_of([line.decision for line in said])
    if verdict == RETURN:
        return compose_return(request, claim, lines, note, None)
    if request.POST.get("act") == "confirm":
        return send(request, claim, lines, note, verdict, said)
    text = letters.one_reason(said, note.cleaned_data["note"]) if verdict == DECLINE else note.cleaned_data["note"]
    letter = letters.compose(claim, verdict, said, note=text, reviewer=request.user.name, at=now(request))
    approved = claim.show(sum(line.approved_minor for line in said))
    label = f"Approve {approved}" if verdict == APPROVE else "Decline this claim"
    return check_page(request, claim, letter, label, reverse("review-decision", args=[claim.pk]))


def check_page(request: PersonRequest, claim: Claim, letter: letters.Letter, label: str, url: str) -> HttpResponse:
    kept = [(name, value) for name, value in request.POST.items() if name not in ("csrfmiddlewaretoken", "act")]
    context = {
        "claim": claim,
        "letter": letter,
        "label": label,
        "confirm_url": url,
        "change_url": reverse("review-return" if letter.verdict == RETURN else "review", args=[claim.pk]),
        "kept": kept,
        "crumbs": [
            {"label": "Worklist", "url": reverse("worklist")},
            {"label": claim.number, "url": reverse("review", args=[claim.pk])},
        ],
    }
    return render(request, "claims/review/check.html", context)


def send(
    request: PersonRequest,
    claim: Claim,
    lines: list[LineForm],
    note: NoteForm,
    verdict: str,
    said: Sequence[Said],
    *,
    fixes: Sequence[Fix] = (),
    decisions: Sequence[LineDecision] | None = None,
) -> HttpResponse:
    """Send the decision, and go on with the next claim. What was overtaken is shown beside what was entered."""
    decisions = [form.decision() for form in lines] if decisions is None else decisions
    words = note.cleaned_data["note"]
    known: dict[str, Any] = {"revision": note.cleaned_data["revision"], "by": request.user, "at": now(request)}
    try:
        if verdict == APPROVE:
            sent = approve_claim(claim.pk, decisions=decisions, note=words, **known)
            done = f"Approved: {sent.show(sent.approved_minor)}"
        elif verdict == DECLINE:
            reject_claim(claim.pk, reason=letters.one_reason(said, words), **known)
            done = "Declined"
        else:
            sent = return_claim(claim.pk, fixes=fixes, decisions=decisions, note=words, **known)
            count = len(sent.returned_fixes)
            done = f"Returned with {count} fix{'' if count == 1 else 'es'}"
    except (Stale, WrongStatus):
        return conflict(request, find_claim(request, claim.pk), lines, note)
    except Invalid as refusal:
        add_refusal(note, refusal)
        return show(request, claim, lines, note, status=400)
    messages.success(request, f"{done}. {claim.partner.name} reads your letter on claim {claim.number} now.")
    following = next_claim(request.user, now(request))
    return redirect("review", following) if following else redirect("worklist")


def overtaken(claim: Claim, note: NoteForm) -> bool:
    """Whether somebody changed the claim since the page was read on which this was entered."""
    note.is_valid()
    seen = note.cleaned_data.get("revision") if note.is_bound else claim.revision
    return claim.status not in UNDECIDED or seen != claim.revision


def conflict(request: PersonRequest, claim: Claim, lines: list[LineForm], note: NoteForm) -> HttpResponse:
    """Somebody was faster: what they did, and the reader's own input on the claim as it stands now."""
    if claim.status not in UNDECIDED:
        return record(request, claim, status=412)
    last = Event.objects.visible_to(request.user).about("claim", claim.pk).select_related("actor").first()
    what = "changed the claim"
    if last:
        what = {"claim.review_started": "started to review this claim", "claim.submitted": "sent this claim again"}.get(
            last.verb, what
        )
    who = last.actor.name if last and last.actor else "Somebody"
    since = f" on {show_instant(last.at)}" if last else ""
    fresh = NoteForm({**note.data.dict(), "revision": claim.revision} if note.is_bound else None)  # type: ignore[attr-defined]
    text = f"{who} {what}{since}, after you opened this page. Nothing was sent. What you entered is kept below."
    return show(request, claim, lines, fresh, status=412, conflict=text)


# --- Returning --------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def review_return(request: PersonRequest, claim_id: int) -> HttpResponse:
    """The fix list: composed, checked as a letter, sent."""
    claim = decided_by(request, claim_id)
    if request.method != "POST" and claim.status not in UNDECIDED:
        return record(request, claim)
    lines, note = answer_of(request, claim)
    if request.method != "POST":
        return compose_return(request, claim, lines, note, None)
    if overtaken(claim, note):
        return conflict(request, claim, lines, note)
    act = request.POST.get("act")
    fixes = fix_list(request, claim, more=act == "add")
    if act in ("add", "back"):
        return compose_return(request, claim, lines, note, fixes, with_errors=False)
    bound = [form for form in lines if form.is_bound]
    if not all_valid([*bound, note, fixes]):
        return compose_return(request, claim, lines, note, fixes, status=400)
    entered = fixes.fixes()
    if act == "confirm":
        return send_return(request, claim, bound, note, entered)
    letter = letters.compose(
        claim,
        RETURN,
        [],
        fixes=[words for _, words in entered],
        note=note.cleaned_data["note"],
        reviewer=request.user.name,
        at=now(request),
    )
    label = f"Return with {len(entered)} fix{'' if len(entered) == 1 else 'es'}"
    return check_page(request, claim, letter, label, reverse("review-return", args=[claim.pk]))


def fix_list(request: PersonRequest, claim: Claim, *, more: bool = False) -> Any:
    data = request.POST.copy()
    if more:
        data["fix-TOTAL_FORMS"] = str(int(data.get("fix-TOTAL_FORMS") or 0) + 1)
    return FixList(data, prefix="fix", form_kwargs={"places": places_of(claim)})


def compose_return(
    request: PersonRequest,
    claim: Claim,
    lines: list[LineForm],
    note: NoteForm,
    fixes: Any,
    *,
    status: int = 200,
    with_errors: bool = True,
) -> HttpResponse:
    """The page on which the fix list is written. It begins with the failed checks and the lines marked Return."""
    places = places_of(claim)
    if fixes is None:
        first = [
            {"field": known_place(finding["field"], places), "message": finding["fix"]}
            for finding in claim.findings
            if finding["outcome"] == "failed"
        ]
        first += [
            {"field": f"lines.{form.line.pk}", "message": form.cleaned_data["reason"]}
            for form in lines
            if form.is_bound and form.cleaned_data.get("outcome") == "return"
        ]
        fixes = FixList(prefix="fix", initial=first, form_kwargs={"places": places})
    context = {
        "claim": claim,
        "form": note,
        "fixes": fixes,
        "forms": [*fixes.forms, note] if with_errors and fixes.is_bound else [],
        "errors": [{"text": text, "href": "#id_fix-0-message"} for text in fixes.non_form_errors()]
        if with_errors and fixes.is_bound
        else [],
        "kept": [(name, value) for name, value in request.POST.items() if name.startswith("line-")],
        "cure": show_deadline(claim.fund.earning_period.cure_close_at, claim.fund.program.time_zone),
        "crumbs": [
            {"label": "Worklist", "url": reverse("worklist")},
            {"label": claim.number, "url": reverse("review", args=[claim.pk])},
        ],
    }
    return render(request, "claims/review/return.html", context, status=status)


def send_return(
    request: PersonRequest, claim: Claim, lines: list[LineForm], note: NoteForm, entered: Sequence[tuple[str, str]]
) -> HttpResponse:
    """Words for a line that is to be returned are the reason of its decision; all others stand in the fix list."""
    words = dict(reversed([(field, text) for field, text in entered]))
    decisions = []
    for form in lines:
        place, decision = f"lines.{form.line.pk}", form.decision()
        if decision.decision != "return":
            decisions.append(decision)
        elif place in words:
            decisions.append(LineDecision(form.line.pk, "return", None, words[place]))
    of_lines = {f"lines.{decision.line_id}": decision.reason for decision in decisions if decision.decision == "return"}
    fixes = [Fix(field, text) for field, text in entered if of_lines.get(field) != text]
    return send(request, claim, lines, note, RETURN, [], fixes=fixes, decisions=decisions)
