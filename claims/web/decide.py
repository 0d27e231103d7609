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
from claims.operations.review import approve_claim, reject_claim, return_claim
from claims.operations.verdicts import DocumentDecision, Fix, LineDecision, in_words
from claims.queries.vendor import UNDECIDED, findings_for_review
from claims.queries.worklist import next_waiting
from claims.web.review import find_claim, record, show
from claims.web.review_answer import Answer, answer_of
from claims.web.review_forms import FixList, decisions_on, declined, first_fixes, places_of
from claims.web.worklist import address_of
from coop.lib.dates import show_deadline, show_instant
from coop.lib.errors import Invalid, Stale, WrongStatus
from coop.lib.forms import add_refusal
from coop.lib.web import now, whole_number
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
    answer = answer_of(request, claim)
    if overtaken(claim, answer):
        return conflict(request, claim, answer)
    if not all_valid(answer.forms):
        return show(request, claim, answer, status=400)
    said = [form.said() for form in answer.lines]
    documents = decisions_on(answer.documents)
    verdict = letters.verdict_of(
        [*(line.decision for line in said), *(d.decision for d in documents if d.decision == RETURN)]
    )
    if verdict == RETURN:
        return compose_return(request, claim, answer, None)
    if request.POST.get("act") == "confirm":
        return send(request, claim, answer, verdict, said)
    note = answer.note.cleaned_data["note"]
    text = letters.one_reason(said, note) if verdict == DECLINE else note
    letter = letters.compose(
        claim,
        verdict,
        said,
        documents=declined(answer.documents),
        note=text,
        reviewer=request.user.name,
        at=now(request),
    )
    approved = claim.show(sum(line.approved_minor for line in said))
    label = f"Approve {approved}" if verdict == APPROVE else "Decline this claim"
    return check_page(request, claim, letter, label, "review-decision")


def check_page(
    request: PersonRequest, claim: Claim, letter: letters.Letter, label: str, page: str, *, change: str = ""
) -> HttpResponse:
    """The letter before it is sent from `page`; `change` is the page where the decision is written."""
    kept = [(name, value) for name, value in request.POST.items() if name not in ("csrfmiddlewaretoken", "act")]
    change = change or ("review-return" if letter.verdict == RETURN else "review")
    context = {
        "claim": claim,
        "letter": letter,
        "label": label,
        "confirm_url": reverse(page, args=[claim.pk]),
        "change_url": reverse(change, args=[claim.pk]),
        "kept": kept,
        "crumbs": crumbs_to(claim),
    }
    return render(request, "claims/review/check.html", context)


def crumbs_to(claim: Claim) -> list[dict[str, str]]:
    return [
        {"label": "Worklist", "url": reverse("worklist")},
        {"label": claim.number, "url": reverse("review", args=[claim.pk])},
    ]


def send(
    request: PersonRequest,
    claim: Claim,
    answer: Answer,
    verdict: str,
    said: Sequence[Said],
    *,
    fixes: Sequence[Fix] = (),
    decisions: Sequence[LineDecision] | None = None,
    documents: Sequence[DocumentDecision] | None = None,
) -> HttpResponse:
    """Send the decision, and go on with what waits next. What was overtaken is shown beside what was entered."""
    words = answer.note.cleaned_data["note"]
    known: dict[str, Any] = {
        "documents": decisions_on(answer.documents) if documents is None else documents,
        "revision": answer.note.cleaned_data["revision"],
        "by": request.user,
        "at": now(request),
    }
    decisions = [form.decision() for form in answer.lines] if decisions is None else decisions
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
        return conflict(request, find_claim(request, claim.pk), answer)
    except Invalid as refusal:
        add_refusal(answer.note, refusal)
        return show(request, claim, answer, status=400)
    return go_on(request, claim, done)


def go_on(request: PersonRequest, claim: Claim, done: str) -> HttpResponse:
    """After a decision: say so, and open what waits next."""
    messages.success(request, f"{done}. {claim.partner.name} reads your letter on claim {claim.number} now.")
    following = next_waiting(request.user, now(request))
    return redirect(address_of(*following)) if following else redirect("worklist")


def overtaken(claim: Claim, answer: Answer) -> bool:
    """Whether somebody changed the claim since the page was read on which this was entered."""
    note = answer.note
    note.is_valid()
    seen = note.cleaned_data.get("revision") if note.is_bound else claim.revision
    return claim.status not in UNDECIDED or seen != claim.revision


def conflict(request: PersonRequest, claim: Claim, answer: Answer) -> HttpResponse:
    """Somebody was faster: what they did, and the reader's own input on the claim as it stands now."""
    if claim.status not in UNDECIDED:
        return record(request, claim, status=412)
    last = Event.objects.visible_to(request.user).about("claim", claim.pk).exclude(verb="claim.noted")
    event = last.select_related("actor").first()
    what = "changed the claim"
    if event:
        what = {"claim.review_started": "started to review this claim", "claim.submitted": "sent this claim again"}.get(
            event.verb, what
        )
    who = event.actor.name if event and event.actor else "Somebody"
    since = f" on {show_instant(event.at)}" if event else ""
    text = f"{who} {what}{since}, after you opened this page. Nothing was sent. What you entered is kept below."
    return show(request, claim, answer.at_revision(claim.revision), status=412, conflict=text)


# --- Returning --------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def review_return(request: PersonRequest, claim_id: int) -> HttpResponse:
    """The fix list: composed, checked as a letter, sent."""
    claim = decided_by(request, claim_id)
    if request.method != "POST" and claim.status not in UNDECIDED:
        return record(request, claim)
    answer = answer_of(request, claim)
    if request.method != "POST":
        return compose_return(request, claim, answer, None)
    if overtaken(claim, answer):
        return conflict(request, claim, answer)
    act = request.POST.get("act")
    if act == "compose":
        all_valid(answer.bound)
        return compose_return(request, claim, answer, None)
    fixes = fix_list(request, claim, more=act == "add")
    if act in ("add", "back"):
        return compose_return(request, claim, answer, fixes, with_errors=False)
    if not all_valid([*answer.bound, answer.note, fixes]):
        return compose_return(request, claim, answer, fixes, status=400)
    entered = fixes.fixes()
    if act == "confirm":
        return send_return(request, claim, answer, entered)
    letter = letters.compose(
        claim,
        RETURN,
        [],
        fixes=[words for _, words, _ in entered],
        documents=declined(answer.documents),
        note=answer.note.cleaned_data["note"],
        reviewer=request.user.name,
        at=now(request),
    )
    label = f"Return with {len(entered)} fix{'' if len(entered) == 1 else 'es'}"
    return check_page(request, claim, letter, label, "review-return")


def fix_list(request: PersonRequest, claim: Claim, *, more: bool = False) -> Any:
    data = request.POST.copy()
    if more:
        data["fix-TOTAL_FORMS"] = str((whole_number(data.get("fix-TOTAL_FORMS") or "") or 0) + 1)
    return FixList(data, prefix="fix", form_kwargs={"places": places_of(claim)})


def compose_return(
    request: PersonRequest,
    claim: Claim,
    answer: Answer,
    fixes: Any,
    *,
    status: int = 200,
    with_errors: bool = True,
) -> HttpResponse:
    """The page on which the fix list is written. It begins with the failed checks and with what was marked Return."""
    if fixes is None:
        all_valid(answer.bound)
        first = first_fixes(claim, findings_for_review(claim, at=now(request)), answer.lines, answer.documents)
        fixes = FixList(prefix="fix", initial=first, form_kwargs={"places": places_of(claim)})
    context = {
        "claim": claim,
        "form": answer.note,
        "fixes": fixes,
        "forms": [*fixes.forms, answer.note] if with_errors and fixes.is_bound else [],
        "errors": [{"text": text, "href": "#id_fix-0-message"} for text in fixes.non_form_errors()]
        if with_errors and fixes.is_bound
        else [],
        "kept": [(name, value) for name, value in request.POST.items() if name.startswith(("line-", "doc-"))],
        "cure": show_deadline(claim.fund.cure_close_at, claim.fund.program.time_zone),
        "crumbs": crumbs_to(claim),
    }
    return render(request, "claims/review/return.html", context, status=status)


def send_return(
    request: PersonRequest, claim: Claim, answer: Answer, entered: Sequence[tuple[str, str, str]]
) -> HttpResponse:
    """Words for a line or document that is to be returned are the reason of its decision; all others stand in the list."""
    by_source = {source: words for _, words, source in entered if source}
    by_place = dict(reversed([(field, words) for field, words, source in entered if not source]))
    decisions = []
    for form in answer.lines if answer.lines and answer.lines[0].is_bound else ():
        decision = form.decision()
        words = by_source.get(f"line-{form.line.pk}") or by_place.get(f"lines.{form.line.pk}", "")
        if decision.decision != RETURN:
            decisions.append(decision)
        elif words:
            code = decision.reason_code if in_words("claim", RETURN, decision.reason_code, words) == words else ""
            decisions.append(LineDecision(form.line.pk, RETURN, None, words, code))
    documents = []
    names = {form.document.pk: f"“{form.document}”: " for form in answer.documents}
    for said in decisions_on(answer.documents):
        words = by_source.get(f"doc-{said.document_id}", "").removeprefix(names[said.document_id])
        if said.decision != RETURN:
            documents.append(said)
        elif words:
            code = said.reason_code if in_words("document", RETURN, said.reason_code, words) == words else ""
            documents.append(DocumentDecision(said.document_id, RETURN, words, code))
    # A line is mended on itself, whatever place was chosen for its words.
    own = {f"line-{form.line.pk}": f"lines.{form.line.pk}" for form in answer.lines}
    fixes = [Fix(own.get(source, field), words) for field, words, source in entered]
    return send(request, claim, answer, RETURN, [], fixes=fixes, decisions=decisions, documents=documents)
