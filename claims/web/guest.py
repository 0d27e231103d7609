"""The pages of an agency's guest: what one was asked to do, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims import states
from claims.models import Invitation
from claims.queries import document_kinds
from claims.queries.guests import tasks_done_by, tasks_for
from claims.web.access import claim_to_work_on
from claims.web.papers import file_row, name_of
from claims.web.standing import deadline_of
from coop.lib.dates import show_deadline, show_instant
from coop.lib.errors import NotFound
from coop.lib.web import now, refusal_page
from funds.web.clocks import time_left
from partners.states import AGENCY
from partners.web.request import PersonRequest

WORK = {
    "about": "claim-about",
    "invoice": "claim-lines",
    "csr": "claim-lines",
    "proof": "claim-proof",
    "results": "claim-results",
}
WHAT = {
    "about": "Say what was done, when and where.",
    "invoice": "Add your invoices, each with its file. You see only those that you added.",
    "csr": "Describe the work, who did it and what it cost. You see only what you added.",
    "proof": "Upload what shows that the work was done. You see only what you uploaded.",
    "results": "Report what the work achieved.",
}


# All that a guest may open, by the names of the addresses; each page asks again what of it the guest may see.
OPEN = {
    "home",
    "guest-task",
    "task-done",
    "claim-about",
    "claim-lines",
    "claim-line",
    "claim-line-new",
    "claim-line-remove",
    "claim-work",
    "claim-work-new",
    "claim-proof",
    "claim-results",
    "notices",
    "notices-read",
    "notice-open",
    "notice-read",
    "notice-ways",
    "mails",
    "mail",
    "mail-body",
    "mail-stop",
    "dates",
    "dates-subscribe",
    "dates-unsubscribe",
    "dates-programs",
    "calendar-feed",
    "document-content",
    "document-page",
    "document-preview",
    "document-remove",
    "glossary",
    "healthz",
    "clock",
    "styleguide",
}


class GuestWallMiddleware:
    """A page that nobody opened for agencies' guests does not exist for them, whoever writes it and whenever."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        person, found = request.user, request.resolver_match
        if not person.is_authenticated or person.role != AGENCY or found is None or found.namespace == "api":
            return None
        name = found.url_name or ""
        if name in OPEN or name.startswith("account_"):
            return None
        return refusal_page(request, NotFound("There is no such page."))


def home_of_guest(request: PersonRequest) -> HttpResponse:
    """What the guest was asked to do, the oldest first, and what is done."""
    context = {
        "tasks": [task_row(request, invitation) for invitation in tasks_for(request.user)],
        "done": [
            {
                "label": f"{states.TASKS[one.task]}: {one.claim.title}",
                "sub": f"for {one.claim.partner}, {show_instant(one.done_at)}" if one.done_at else "",
            }
            for one in tasks_done_by(request.user)
        ],
    }
    return render(request, "claims/home_of_guest.html", context)


def task_row(request: PersonRequest, invitation: Invitation) -> dict[str, Any]:
    """One thing that somebody was asked to do, as `_components/needs_you.html` takes it."""
    claim = invitation.claim
    zone = claim.fund.program.time_zone
    closes = deadline_of(claim)
    left, _ = time_left(closes, at=now(request), zone=zone)
    page = reverse("guest-task", args=[invitation.pk])
    if request.user.role != AGENCY:
        page = reverse("claim", args=[claim.pk])
    said = f" “{invitation.note}”" if invitation.note else ""
    return {
        "label": f"{states.TASKS[invitation.task]} of “{claim.title}”",
        "url": page,
        "hint": f"{invitation.invited_by.name} of {claim.partner} asked you.{said}",
        "due": f"by {show_deadline(closes, zone).partition(',')[0]}, {left}",
        "amount": "",
        "currency": "",
    }


@login_required
@require_safe
def guest_task(request: PersonRequest, invitation_id: int) -> HttpResponse:
    """One task: who asked, until when, what was given so far, and the way to say that it is done. Raises NotFound."""
    invitation = tasks_for(request.user).filter(id=invitation_id).first()
    if invitation is None or request.user.role != AGENCY:
        raise NotFound("There is no such task. It may have been taken back, or the claim was sent.")
    claim = claim_to_work_on(request, invitation.claim_id, invitation.task)
    zone = claim.fund.program.time_zone
    left, tone = time_left(deadline_of(claim), at=now(request), zone=zone)
    address = reverse(WORK[invitation.task], args=[claim.pk])
    kinds = document_kinds(claim)
    lines = {line.pk: line for line in claim.lines.all()}
    documents = [d for d in claim.documents.all() if of_task(d.kind, invitation.task)]
    context = {
        "claim": claim,
        "invitation": invitation,
        "title": states.TASKS[invitation.task],
        "what": WHAT[invitation.task],
        "work_url": f"{address}?kind={invitation.task}" if invitation.task in states.LINE_KINDS else address,
        "asked_at": show_instant(invitation.invited_at, zone),
        "deadline": show_deadline(deadline_of(claim), zone),
        "deadline_left": left,
        "deadline_tone": tone,
        "lines": [{"name": name_of(line), "amount": claim.show(line.amount_minor)} for line in claim.lines.all()],
        "files": [file_row(document, kinds, lines, may_remove=True) for document in documents],
    }
    return render(request, "claims/guest_task.html", context)


def of_task(kind: str, task: str) -> bool:
    """Whether documents of a kind belong to a task."""
    return kind == task if task in states.MONEY_EVIDENCE else task == "proof" and kind not in states.MONEY_EVIDENCE
