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
from claims.queries.worklist import VIEWS, Item, coverage, worklist
from coop.lib.dates import show_day
from coop.lib.web import asked_number, now
from partners.permissions import require_role
from partners.states import CHANNEL_MANAGER
from partners.web.request import PersonRequest

PAGES = {CLAIM: "review", DISPUTE: "dispute-decision", PLAN: "plan-review"}
KIND_NAMES = {CLAIM: "Claim", DISPUTE: "Dispute", PLAN: "Plan"}


class ViewForm(forms.Form):
    """Of which partner the list shows work; the view is kept."""

    show = forms.CharField(required=False, widget=forms.HiddenInput)
    partner = forms.ChoiceField(label="Partner", required=False)

    def __init__(self, *args: Any, partners: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "All partners"), *((str(pk), name) for pk, name in partners)]
        self.fields["partner"].choices = choices  # type: ignore[attr-defined]


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
    partner = asked_number(request, "partner")
    away = coverage(request.user, at.date())
    page = worklist(
        request.user,
        at,
        view=view,
        partner_id=partner,
        covered=away.partners,
        after=request.GET.get("after", ""),
    )
    here = reverse("worklist")
    kept = {"show": view, **({"partner": partner} if partner else {})}
    named = dict(page.partners).get(partner or 0, "")
    context = {
        "page": page,
        "rows": [row_of(item, request) for item in page.items],
        "can_pick": any(item.kind == CLAIM for item in page.items),
        "view": view,
        "narrowed": bool(view or partner),
        "views": [
            {"label": label, "url": f"{here}?{urlencode({'show': code})}" if code else here, "here": code == view}
            for code, label in VIEWS.items()
            if code != "covered" or away.partners or view == "covered"
        ],
        "away": away.sentences,
        "filter_form": ViewForm({"show": view, "partner": partner or ""}, partners=page.partners),
        "active": [{"label": label, "url": here} for label in (VIEWS[view] if view else "", named) if label],
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
