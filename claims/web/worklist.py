"""The channel manager's worklist: what to decide next, and why."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims.priority import CLAIM, DISPUTE, PLAN
from claims.queries.worklist import VIEWS, Item, Page, coverage, worklist
from coop.lib.dates import show_day
from coop.lib.web import asked_number, asked_text, now
from partners.permissions import require_role
from partners.states import CHANNEL_MANAGER
from partners.web.request import PersonRequest

PAGES = {CLAIM: "review", DISPUTE: "dispute-decision", PLAN: "plan-review"}
KIND_NAMES = {CLAIM: "Claim", DISPUTE: "Dispute", PLAN: "Plan"}


class ViewForm(forms.Form):
    """Whose work the list shows, of which program, and by what number or title; the view is kept."""

    show = forms.CharField(required=False, widget=forms.HiddenInput)
    partner = forms.ChoiceField(label="Partner", required=False)
    program = forms.ChoiceField(label="Program", required=False)
    q = forms.CharField(
        label="Name or number", max_length=100, required=False, widget=forms.TextInput(attrs={"type": "search"})
    )

    def __init__(self, *args: Any, page: Page, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field, found in (("partner", page.partners), ("program", page.programs)):
            choices = [("", f"All {field}s"), *((str(pk), name) for pk, name in found)]
            self.fields[field].choices = choices  # type: ignore[attr-defined]


def address_of(kind: str, record_id: int) -> str:
    """The page on which a thing of the worklist is decided."""
    return reverse(PAGES[kind], args=[record_id])


@login_required
@require_safe
def worklist_page(request: PersonRequest) -> HttpResponse:
    require_role(request.user, CHANNEL_MANAGER, to="decide on claims")
    at = now(request)
    view = request.GET.get("show", "")
    view = view if view in VIEWS else ""
    partner, program = asked_number(request, "partner"), asked_number(request, "program")
    words = asked_text(request, "q").strip()[:100]
    away = coverage(request.user, at.date())
    page = worklist(
        request.user,
        at,
        view=view,
        partner_id=partner,
        program_id=program,
        words=words,
        covered=away.partners,
        after=request.GET.get("after", ""),
    )
    here = reverse("worklist")
    asked = {"show": view, "partner": partner, "program": program, "q": words}
    kept = {name: value for name, value in asked.items() if value}
    labels = {
        "show": VIEWS[view],
        "partner": dict(page.partners).get(partner or 0, "Another partner"),
        "program": dict(page.programs).get(program or 0, "Another program"),
        "q": f"“{words}”",
    }
    context = {
        "page": page,
        "rows": [row_of(item, request) for item in page.items],
        "can_pick": any(item.kind == CLAIM for item in page.items),
        "view": view,
        "narrowed": bool(kept),
        "views": [
            {"label": label, "url": f"{here}?{urlencode({'show': code})}" if code else here, "here": code == view}
            for code, label in VIEWS.items()
            if code != "covered" or away.partners or view == "covered"
        ],
        "away": away.sentences,
        "filter_form": ViewForm({name: value or "" for name, value in asked.items()}, page=page),
        "active": [
            {"label": labels[name], "url": f"{here}?{urlencode({one: kept[one] for one in kept if one != name})}"}
            for name in kept
        ],
        "clear_url": here,
        "next_url": address_of(*page.following) if page.following else "",
        "older_url": f"{here}?{urlencode({**kept, 'after': page.after})}" if page.after else "",
        "newer_url": f"{here}?{urlencode(kept)}" if request.GET.get("after") else "",
    }
    return render(request, "claims/worklist.html", context)


def row_of(item: Item, request: PersonRequest) -> dict[str, Any]:
    """One row as the template shows it."""
    record: Any = item.record
    ago = {0: "Today", 1: "Yesterday"}.get(item.age_days, f"{item.age_days} days ago")
    who = ""
    if record.reviewer_id and record.status != "submitted":
        name = "You are" if record.reviewer_id == request.user.pk else f"{record.reviewer.name} is"
        who = f"{name} reviewing it since {show_day(record.turn_since.date())}"
    return {
        "item": item,
        "kind": KIND_NAMES[item.kind],
        "pick": item.kind == CLAIM,
        "title": record.title,
        "url": address_of(item.kind, record.pk),
        "partner": record.partner.name,
        "number": f"{record}",
        "about": record.activity.name if item.kind != PLAN else "",
        "ago": ago,
        "who": who,
    }
