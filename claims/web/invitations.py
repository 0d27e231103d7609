"""Who works on a claim: asking colleagues and agencies' guests to do a task, and taking a task back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from claims import states
from claims.models import Claim, Invitation
from claims.operations.invitations import finish_task, invite, revoke
from claims.permissions import WRITERS
from claims.queries.guests import people_on
from claims.web.access import closed_for_writing, own_claim
from claims.web.standing import deadline_of
from coop.lib import kept
from coop.lib.dates import show_deadline, show_instant
from coop.lib.errors import Refused
from coop.lib.forms import add_refusal
from coop.lib.web import now
from partners.mails import mail_first_password
from partners.models import Person
from partners.states import AGENCY, ROLES
from partners.web.request import PersonRequest

SOMEBODY_NEW = "new"


class InviteForm(forms.Form):
    """One task for one person: somebody who is known here, or somebody new at an agency."""

    task = forms.ChoiceField(
        label="Which task",
        choices=list(states.TASKS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the task"},
    )
    person = forms.ChoiceField(
        label="Who", widget=forms.RadioSelect, error_messages={"required": "Choose who shall do it"}
    )
    name = forms.CharField(label="Name of the person at the agency", max_length=200, required=False)
    email = forms.EmailField(label="E-mail address of the person at the agency", required=False)
    note = forms.CharField(
        label="Note",
        help_text="What you need from them, for example “the call log of February”",
        max_length=500,
        required=False,
    )

    def __init__(self, *args: Any, people: list[Person], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["person"].choices = [  # type: ignore[attr-defined]
            *((str(person.pk), f"{person.name}, {ROLES[person.role].lower()}") for person in people),
            (SOMEBODY_NEW, "Somebody at an agency, as a guest who sees this task only"),
        ]

    def values(self) -> dict[str, Any]:
        """The request as its operation takes it."""
        given = self.cleaned_data
        found: dict[str, Any] = {"task": given["task"], "note": given["note"]}
        if given["person"] != SOMEBODY_NEW:
            return {**found, "person_id": int(given["person"])}
        return {**found, "email": given["email"], "name": given["name"]}


def askable(claim: Claim, person: Person) -> list[Person]:
    """Who can be asked by name: colleagues, and guests of the organisation's agencies."""
    known = Q(partner_id=claim.partner_id) | Q(invitations__claim__partner_id=claim.partner_id)
    found = Person.objects.filter(known, is_active=True, role__in=[*WRITERS, AGENCY]).exclude(id=person.pk)
    return list(found.distinct().order_by("name", "id"))


@kept.keeps_words
@require_http_methods(["GET", "HEAD", "POST"])
def claim_people(request: PersonRequest, claim_id: int) -> HttpResponse:
    """Everybody who was asked to do a task of this claim, and the form that asks one more."""
    claim = own_claim(request, claim_id)
    if not claim.is_open:
        return closed_for_writing(request, claim)
    form = InviteForm(
        request.POST or None,
        people=askable(claim, request.user),
        initial={"task": request.GET.get("task", "")},
    )
    if request.method == "POST" and form.is_valid():
        try:
            invitation = invite(claim.pk, **form.values(), by=request.user, at=now(request))
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            return asked(request, invitation)
    zone = claim.fund.program.time_zone
    context = {
        "claim": claim,
        "form": form,
        "people": [row(invitation, zone) for invitation in people_on(claim)],
        "deadline": show_deadline(deadline_of(claim), zone),
    }
    return render(request, "claims/people.html", context, status=400 if form.errors else 200)


def asked(request: PersonRequest, invitation: Invitation) -> HttpResponse:
    """Whoever has no password yet is sent the mail by which one sets it; the answer says what was done."""
    person, task = invitation.person, states.TASKS[invitation.task].lower()
    said = f"{person.name} is asked to do this task: {task}."
    if person.role == AGENCY and mail_first_password(person, request):
        said += f" A mail to {person.email} says how to set a password."
    messages.success(request, said)
    return redirect("claim-people", invitation.claim_id)


def row(invitation: Invitation, zone: str) -> dict[str, Any]:
    done = invitation.done_at
    return {
        "id": invitation.pk,
        "name": invitation.person.name,
        "role": ROLES[invitation.person.role],
        "task": states.TASKS[invitation.task],
        "note": invitation.note,
        "asked": f"{invitation.invited_by.name}, {show_instant(invitation.invited_at, zone)}",
        "status": "Done" if done else "Asked",
        "tone": "done" if done else "active",
        "done": show_instant(done, zone) if done else "",
    }


@login_required
@require_POST
def claim_person_remove(request: PersonRequest, claim_id: int, invitation_id: int) -> HttpResponse:
    """Take a task back. What the person saved stays."""
    claim = own_claim(request, claim_id)
    if not claim.invitations.filter(id=invitation_id).exists():
        return redirect("claim-people", claim.pk)
    invitation = revoke(invitation_id, by=request.user, at=now(request))
    messages.success(request, f"{invitation.person.name} is not asked any more. What was saved stays.")
    return redirect("claim-people", claim.pk)


@login_required
@require_POST
def task_done(request: PersonRequest, invitation_id: int) -> HttpResponse:
    """Say that one has done what one was asked to do."""
    note = request.POST.get("note", "").strip()
    invitation = finish_task(invitation_id, note=note, by=request.user, at=now(request))
    messages.success(request, f"Done: {states.TASKS[invitation.task].lower()} of “{invitation.claim.title}”.")
    if request.user.role == AGENCY:
        return redirect("home")
    return redirect("claim", invitation.claim_id)
