"""The channel manager's worklist: which claim to decide next, and why."""

from __future__ import annotations

from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims.queries.vendor import VIEWS, next_claim, worklist
from coop.lib import money
from coop.lib.web import now
from partners.permissions import require_role
from partners.states import CHANNEL_MANAGER
from partners.web.request import PersonRequest


class ViewForm(forms.Form):
    """Whose claims the list shows."""

    show = forms.ChoiceField(label="Show", choices=list(VIEWS.items()), required=False)


@login_required
@require_safe
def worklist_page(request: PersonRequest) -> HttpResponse:
    require_role(request.user, CHANNEL_MANAGER, to="decide on claims")
    at = now(request)
    view = request.GET.get("show", "")
    view = view if view in VIEWS else ""
    page = worklist(request.user, at, view=view, after=request.GET.get("after", ""))
    following = next_claim(request.user, at)
    here = reverse("worklist")
    context = {
        "page": page,
        "view": view,
        "total": money.display(page.total_minor, page.items[0].claim.currency) if page.items else "",
        "filter_form": ViewForm({"show": view}),
        "active": [{"label": VIEWS[view], "url": here}] if view else [],
        "clear_url": here,
        "next_url": reverse("review", args=[following]) if following else "",
        "older_url": f"{here}?{urlencode({'show': view, 'after': page.after})}" if page.after else "",
        "newer_url": f"{here}?{urlencode({'show': view})}" if request.GET.get("after") else "",
    }
    return render(request, "claims/worklist.html", context)
