"""Exchange rates: the newest of each pair, and a form to load more."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from coop.lib.errors import Refused
from coop.lib.forms import add_refusal
from coop.lib.web import asked_number, now
from funds.models import ExchangeRate
from funds.operations.payments import READERS
from funds.operations.rates import load_rates, plain
from partners.permissions import require_role
from partners.states import FINANCE
from partners.web.request import PersonRequest

PAGE = 50
SHOWN = 20  # faults of a file


class RatesForm(forms.Form):
    """A file of rates."""

    file = forms.FileField(
        label="File of rates",
        help_text="CSV with the columns base, quote, on, rate and source: EUR, USD, 2023-10-31, 1.0619, ECB.",
        error_messages={
            "required": "Choose the file of rates",
            "empty": "The file is empty. Choose the file once more.",
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rates(request: PersonRequest) -> HttpResponse:
    """The rates, last loaded first; a POST loads a file."""
    require_role(request.user, *READERS, to="see exchange rates")
    form = RatesForm(request.POST, request.FILES) if request.method == "POST" else RatesForm()
    if request.method == "POST" and form.is_valid():
        try:
            loaded = load_rates(file=form.cleaned_data["file"], by=request.user, at=now(request))
        except Refused as refusal:
            if refusal.code == "not_allowed":
                raise
            refusal.errors, more = refusal.errors[:SHOWN], len(refusal.errors) - SHOWN
            add_refusal(form, refusal, {error.field: "file" for error in refusal.errors} | {"": "file"})
            if more > 0:
                form.add_error("file", f"And {more:,} more.")
        else:
            known = f" {loaded.unchanged:,} were known already." if loaded.unchanged else ""
            messages.success(request, f"{loaded.new:,} rate{'' if loaded.new == 1 else 's'} loaded.{known}")
            return redirect("rates")
    before = asked_number(request, "before")
    found = ExchangeRate.objects.visible_to(request.user).order_by("-id")
    rows = list((found if before is None else found.filter(id__lt=before))[: PAGE + 1])
    here = reverse("rates")
    context = {
        "form": form,
        "rates": [(rate, plain(rate.rate)) for rate in rows[:PAGE]],
        "may_load": request.user.role == FINANCE,
        "older_url": f"{here}?before={rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
        "newer_url": here if before else "",
        "crumbs": [{"label": "Finance", "url": reverse("finance")}],
    }
    return render(request, "funds/rates.html", context, status=400 if form.errors else 200)
