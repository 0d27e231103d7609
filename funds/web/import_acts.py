"""Committing, discarding and reversing an import."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from coop.lib import money
from coop.lib.errors import LookAgain, Refused, WrongStatus
from coop.lib.forms import add_refusal
from coop.lib.nudge import nudge
from coop.lib.web import now
from funds.models import Import
from funds.operations.earnings import commit_import, discard_import
from funds.operations.reversal import require_reversible, reverse_import
from funds.queries.effects import summary_of
from funds.queries.import_effects import effects_page
from funds.queries.vendor import program_names
from funds.web.import_page import any_posted, shown_effects, shown_total
from funds.web.imports import find_import, lines_text, revision_of
from partners.permissions import require_role
from partners.states import FINANCE
from partners.web.request import PersonRequest


class ReverseForm(forms.Form):
    """Why an import is taken back."""

    reason = forms.CharField(
        label="Why is it reversed?",
        help_text="It stands in the log and at the import. Partners see the entries, not this text.",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why the import is reversed"},
    )


@login_required
@require_POST
def import_commit(request: PersonRequest, import_id: int) -> HttpResponse:
    """Post it now or, if it is large, by a worker; if things changed since it was shown, show what it would do now."""
    try:
        delivery = commit_import(import_id, revision=revision_of(request), by=request.user, at=now(request))
    except LookAgain:
        return redirect("import", import_id)  # the import keeps the reason, and its page shows it
    if delivery.asked_for:
        nudge("coop.commit_imports")
    else:
        messages.success(request, f"{lines_text(any_posted(delivery))} committed. The funds show them now.")
    return redirect("import", import_id)


@login_required
@require_POST
def import_discard(request: PersonRequest, import_id: int) -> HttpResponse:
    discard_import(import_id, revision=revision_of(request), by=request.user, at=now(request))
    messages.success(request, "The import is discarded. Nothing of it was posted.")
    return redirect("imports")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_reverse(request: PersonRequest, import_id: int) -> HttpResponse:
    """What reversing would do and why it may be refused; a POST does it, with the reason."""
    delivery = find_import(request, import_id)
    require_role(request.user, FINANCE, to="reverse imports")
    if delivery.status != "committed" or delivery.asked_for:
        return redirect("import", import_id)
    form = ReverseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and take_back(request, delivery, form):
        return redirect("import", import_id)
    programs = program_names()
    page = effects_page(delivery)
    obstacle = obstacle_to(request, delivery)
    context = {
        "delivery": delivery,
        "form": form,
        "obstacle": obstacle,
        "summary": summary_of(delivery),
        "number": lines_text(any_posted(delivery)),
        "changed": delivery.changed,
        "totals": [shown_total(row, programs) for row in delivery.totals],
        "effects": shown_reversal(page.effects),
        "more": bool(page.after),
        "crumbs": [
            {"label": "Imports", "url": reverse("imports")},
            {"label": str(delivery), "url": reverse("import", args=[delivery.pk])},
        ],
    }
    return render(request, "funds/import_reverse.html", context, status=400 if form.errors else 200)


def shown_reversal(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the funds hold now, and would hold after the reversal."""
    rows = []
    for row, shown in zip(found, shown_effects(found), strict=True):
        amounts = {"now": "", "change": "Rebate only", "after": "", "below": False}
        if row["fund"]:
            now_minor, taken = row["now_minor"], money.from_text(row["change"], row["currency"])
            back = money.display(-taken, row["currency"])
            amounts = {
                "now": money.display(now_minor, row["currency"]),
                "change": f"+{back}" if taken < 0 else back,
                "after": money.display(now_minor - taken, row["currency"]),
                "below": now_minor - taken < 0,
            }
        rows.append({**shown, **amounts})
    return rows


def obstacle_to(request: PersonRequest, delivery: Import) -> str:
    """Why the import cannot be reversed now; empty where nothing stands in the way."""
    try:
        require_reversible(delivery, at=now(request))
    except WrongStatus as refusal:
        return refusal.message
    return ""


def take_back(request: PersonRequest, delivery: Import, form: ReverseForm) -> bool:
    """Whether the import is reversed, or a worker will do it; what stands in the way is shown in the form."""
    try:
        done = reverse_import(
            delivery.pk,
            reason=form.cleaned_data["reason"],
            revision=revision_of(request),
            by=request.user,
            at=now(request),
        )
    except Refused as refusal:
        if refusal.code not in ("wrong_status", "invalid", "in_progress"):
            raise
        add_refusal(form, refusal)
        return False
    if done.status == "reversed":
        messages.success(request, "The import is reversed. Every fund it touched has an entry that says so.")
    else:
        nudge("coop.commit_imports")
    return True
