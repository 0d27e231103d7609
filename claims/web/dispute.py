"""Disputes: the partner's objection, and the vendor's page on which another person decides it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims import letters, states
from claims.due import dispute_due, due_day
from claims.letters import APPROVE, RETURN, UPHOLD
from claims.models import Claim
from claims.operations.disputes import GRANT, decide_dispute, dispute_claim, take_dispute
from claims.operations.disputes import RETURN as GIVE_BACK
from claims.operations.disputes import UPHOLD as LET_STAND
from claims.operations.verdicts import fix_of, in_words
from claims.permissions import has_declined
from claims.queries.vendor import decisions_of, findings_for_review
from claims.web.access import own_claim
from claims.web.decide import all_valid, check_page, decided_by, go_on
from claims.web.decisions import decision_rows
from claims.web.review import beside, due, facts, line_rows, record, results, told
from claims.web.review_answer import Answer, answer_of
from claims.web.review_evidence import evidence_of
from claims.web.review_forms import decisions_on, declined, reason_choices
from claims.web.standing import dispute_deadline, may_dispute
from coop.lib.dates import show_day, show_deadline, show_instant
from coop.lib.errors import InsufficientFunds, Invalid, Refused, Stale, WindowClosed, WrongStatus
from coop.lib.forms import add_refusal
from coop.lib.web import now
from partners.web.request import PersonRequest

OUTCOMES = {
    GRANT: "Grant it: pay what is accepted below",
    GIVE_BACK: "Return the claim, to be mended",
    LET_STAND: "Uphold the first decision",
}
# What each outcome means for the letter.
VERDICTS = {GRANT: APPROVE, GIVE_BACK: RETURN, LET_STAND: UPHOLD}


class DisputeForm(forms.Form):
    """Why a decision is wrong."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Why is the decision wrong?",
        help_text="Say what was overlooked, and where it stands in your documents; links may help. Nothing else of the "
        "claim changes.",
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": "Say why the decision is wrong: whoever decides now reads it"},
    )


class OutcomeForm(forms.Form):
    """What becomes of a dispute, and why."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    dispute_outcome = forms.ChoiceField(
        label="Decision on the dispute",
        choices=list(OUTCOMES.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what becomes of the dispute"},
    )
    dispute_code = forms.ChoiceField(label="Why, from the list", required=False)
    dispute_reason = forms.CharField(
        label="Why, visible to the partner",
        help_text="In your own words; it may follow on one from the list",
        required=False,
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dispute_code"].choices = reason_choices("claim", "dispute")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and not self.words():
            self.add_error("dispute_reason", "Say why: the partner reads it")
        return given

    def words(self) -> str:
        given = self.cleaned_data
        return in_words("claim", "dispute", given["dispute_code"], given["dispute_reason"])


# --- The partner ------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim_dispute(request: PersonRequest, claim_id: int) -> HttpResponse:
    """The partner objects to the decision that declined a claim."""
    claim = own_claim(request, claim_id)
    if claim.status != states.REJECTED:
        messages.info(request, f"Claim {claim.number} is {claim.status_name.lower()}: there is nothing to dispute.")
        return redirect("claim", claim.pk)
    form = DisputeForm(request.POST or None, initial={"revision": claim.revision})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            dispute_claim(
                claim.pk, reason=given["reason"], revision=given["revision"], by=request.user, at=now(request)
            )
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(
                request, "Your dispute is with the vendor. Somebody who did not decide before decides now."
            )
            return redirect("claim", claim.pk)
    program, at = claim.fund.program, now(request)
    context = {
        "claim": claim,
        "form": form,
        "letter": letters.letter_of(claim),
        "until": show_deadline(dispute_deadline(claim), program.time_zone),
        "may": may_dispute(claim, at),
        "due": show_day(due_day(dispute_due(at, program), program.time_zone)),
    }
    return render(request, "claims/dispute.html", context, status=400 if form.errors else 200)


# --- The vendor -------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def dispute_decision(request: PersonRequest, claim_id: int) -> HttpResponse:
    """A disputed claim, with what was decided and why that is said to be wrong; decided here, after a look at the letter."""
    claim = decided_by(request, claim_id)
    if claim.status != states.DISPUTED:
        return record(request, claim, status=412 if request.method == "POST" else 200)
    act = request.POST.get("act")
    if act == "take":
        take_dispute(claim.pk, by=request.user, at=now(request))
        messages.success(request, "You have this dispute. Both sides see that.")
        return redirect("dispute-decision", claim.pk)
    answer = answer_of(request, claim, fresh=True)
    outcome = OutcomeForm(request.POST or None, initial={"revision": claim.revision})
    if request.method != "POST" or act == "back":
        return show_dispute(request, claim, answer, outcome, with_errors=False)
    if not all_valid([*answer.bound, outcome]) or not fits(answer, outcome):
        return show_dispute(request, claim, answer, outcome, status=400)
    if act == "confirm":
        return send_decision(request, claim, answer, outcome)
    return check_decision(request, claim, answer, outcome)


def fits(answer: Answer, outcome: OutcomeForm) -> bool:
    """Whether the lines and documents agree with the outcome; what does not is said in the form. Only for valid forms."""
    if outcome.cleaned_data["dispute_outcome"] != GRANT:
        return True
    said = [form.said() for form in answer.lines]
    returned = [d for d in decisions_on(answer.documents) if d.decision == RETURN]
    if returned or any(line.decision == RETURN for line in said):
        outcome.add_error("dispute_outcome", "Something is marked Return: return the claim, or decide that otherwise.")
    elif not sum(line.approved_minor for line in said):
        outcome.add_error("dispute_outcome", "Nothing would be approved: uphold the first decision instead.")
    return not outcome.errors


def check_decision(request: PersonRequest, claim: Claim, answer: Answer, outcome: OutcomeForm) -> HttpResponse:
    """The letter as the partner will read it."""
    said = [form.said() for form in answer.lines]
    chosen = outcome.cleaned_data["dispute_outcome"]
    files = {form.document.pk: form.document for form in answer.documents}
    fixes = [
        outcome.words(),
        *(line.reason for line in said if line.decision == RETURN),
        *(
            fix_of(files[d.document_id], d.words).message
            for d in decisions_on(answer.documents)
            if d.decision == RETURN
        ),
    ]
    letter = letters.compose(
        claim,
        VERDICTS[chosen],
        said,
        fixes=fixes if chosen == GIVE_BACK else (),
        documents=declined(answer.documents),
        note="" if chosen == GIVE_BACK else outcome.words(),
        reviewer=request.user.name,
        at=now(request),
    )
    approved = claim.show(sum(line.approved_minor for line in said))
    label = {
        GRANT: f"Grant the dispute and approve {approved}",
        GIVE_BACK: "Return the claim",
        LET_STAND: "Uphold the first decision",
    }[chosen]
    return check_page(request, claim, letter, label, "dispute-decision", change="dispute-decision")


def send_decision(request: PersonRequest, claim: Claim, answer: Answer, outcome: OutcomeForm) -> HttpResponse:
    given = outcome.cleaned_data
    chosen = given["dispute_outcome"]
    try:
        decided = decide_dispute(
            claim.pk,
            outcome=chosen,
            decisions=[form.decision() for form in answer.lines if form.is_bound] if chosen != LET_STAND else (),
            documents=decisions_on(answer.documents),
            reason=given["dispute_reason"],
            reason_code=given["dispute_code"],
            revision=given["revision"],
            by=request.user,
            at=now(request),
        )
    except (Stale, WrongStatus):
        fresh = decided_by(request, claim.pk)
        if fresh.status != states.DISPUTED:
            return record(request, fresh, status=412)
        outcome.add_error(None, "Somebody took this dispute after you opened the page. Look again, and send once more.")
        again = OutcomeForm({**request.POST.dict(), "revision": fresh.revision})
        return show_dispute(request, fresh, answer, again, status=412)
    except (Invalid, InsufficientFunds, WindowClosed) as refusal:
        add_refusal(outcome, refusal)
        return show_dispute(request, claim, answer, outcome, status=400)
    done = {
        GRANT: f"Dispute granted: {decided.show(decided.approved_minor)}",
        GIVE_BACK: "Returned after a dispute",
        LET_STAND: "First decision upheld",
    }[chosen]
    return go_on(request, claim, done)


def show_dispute(
    request: PersonRequest,
    claim: Claim,
    answer: Answer,
    outcome: OutcomeForm,
    *,
    status: int = 200,
    with_errors: bool = True,
) -> HttpResponse:
    at = now(request)
    second = has_declined(request.user, claim)
    evidence = evidence_of(claim, () if second else answer.documents)
    disputed_at = claim.disputed_at
    context = {
        "claim": claim,
        "form": outcome,
        "forms": [*answer.bound, outcome] if with_errors else [],
        "with_errors": with_errors,
        "rows": line_rows(answer, evidence, with_errors=with_errors),
        "letter": letters.letter_of(claim),
        "findings": findings_for_review(claim, at=at),
        "facts": facts(claim),
        "results": results(claim),
        "evidence": evidence,
        **told(request, claim),
        "disputed": show_instant(disputed_at) if disputed_at else "",
        "due": due(claim, at),
        "second": second,
        "others_review": claim.reviewer_id is not None and claim.reviewer_id != request.user.pk,
        "since": show_instant(claim.turn_since),
        "crumbs": [{"label": "Worklist", "url": reverse("worklist")}],
        **beside(request, claim),
        "decisions": decision_rows(decisions_of(claim)),
    }
    return render(request, "claims/dispute_decision.html", context, status=status)
