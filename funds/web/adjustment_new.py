"""A new adjustment: choose a fund, say what and why, look at the entries, and only then ask for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from coop.lib.errors import NotAllowed, Refused, Stale
from coop.lib.forms import AmountField, DayField, add_refusal
from coop.lib.web import asked_text, now
from funds import states
from funds.models import Fund
from funds.operations.adjusting import LONGEST_NOTE, closed, instead
from funds.operations.adjustments import preview_adjustment, request_adjustment
from funds.queries.adjustments import funds_named, rollover_targets
from funds.web.adjustments import crumbs, facts, lower_first, name_of, shown, what
from funds.web.clocks import earned_in
from partners.permissions import require_role
from partners.states import FINANCE
from partners.web.request import PersonRequest

# What a person chooses: the purpose, and for a correction the sign.
ACTS = {
    "add": ("correction", "Add to the fund"),
    "take": ("correction", "Take from the fund"),
    "rollover": ("rollover", "Move to another half's fund"),
    "to_rebate": ("to_rebate", "Pay out as rebate"),
    "write_off": ("write_off", "Write off what is missing"),
}


class AdjustmentForm(forms.Form):
    """What is to happen to a fund, and why. What the fund does not allow is not offered."""

    act = forms.ChoiceField(
        label="What is to happen",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what is to happen"},
    )
    amount = AmountField(label="Amount", error_messages={"required": "Enter the amount"})
    to_fund = forms.TypedChoiceField(
        label="Into which fund",
        help_text="For a move to another half only",
        required=False,
        coerce=int,
        empty_value=None,
    )
    reason_code = forms.ChoiceField(
        label="Reason",
        choices=[("", "Choose a reason"), *states.REASON_CODES.items()],
        help_text="The partner reads it beside the entry",
        error_messages={"required": "Choose the reason"},
    )
    effective_on = DayField(
        label="Effective on",
        help_text="The day that it is for",
        error_messages={"required": "Enter the day that it is for"},
    )
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The partner reads this too. Needed for an operations adjustment and a policy exception.",
    )

    def __init__(self, *args: Any, fund: Fund, at: datetime, **options: Any) -> None:
        super().__init__(*args, **options)
        targets = rollover_targets(fund, at=at)
        offered = [act for act in ACTS if may_be_offered(act, fund, targets, at)]
        self.fields["act"].choices = [(act, ACTS[act][1]) for act in offered]  # type: ignore[attr-defined]
        self.fields["amount"].currency = fund.currency  # type: ignore[attr-defined]
        if "rollover" in offered:
            names = [(target.pk, f"{earned_in(target.earning_period)}, {target.program}") for target in targets]
            self.fields["to_fund"].choices = [("", "Choose a fund"), *names]  # type: ignore[attr-defined]
        else:
            del self.fields["to_fund"]

    def wanted(self) -> dict[str, Any]:
        """The answers as the operation takes them."""
        given = self.cleaned_data
        act = given["act"]
        return {
            "purpose": ACTS[act][0],
            "amount_minor": -given["amount"] if act == "take" else given["amount"],
            "reason_code": given["reason_code"],
            "effective_on": given["effective_on"],
            "note": given["note"],
            "to_fund_id": given.get("to_fund") if act == "rollover" else None,
        }


def may_be_offered(act: str, fund: Fund, targets: list[Fund], at: datetime) -> bool:
    """Whether an act can lead anywhere with this fund. The operation tests it all the same."""
    open_still = at < fund.claims_close_at
    if act == "add":
        return open_still
    if act in ("rollover", "to_rebate"):
        return open_still and fund.available_minor > 0 and (act == "to_rebate" or bool(targets))
    return act == "take" or fund.overdrawn


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def adjustment_new(request: PersonRequest) -> HttpResponse:
    """Choose the fund, say what and why, check the entries, and only then ask for it."""
    require_role(request.user, FINANCE, to="adjust funds")
    at = now(request)
    asked = request.POST.get("fund") or request.GET.get("fund", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    fund = Fund.objects.visible_to(request.user).with_names().filter(id=number).first()
    if fund is None:
        return choose_fund(request)
    if request.method != "POST":
        return form_page(request, AdjustmentForm(fund=fund, at=at, initial={"effective_on": at.date()}), fund, at)
    form = AdjustmentForm(request.POST, fund=fund, at=at)
    step = request.POST.get("step", "check")
    if not form.is_valid() or step == "change":
        return form_page(request, form, fund, at)
    try:
        if step == "post":
            return ask_for(request, form, fund, at)
        return check_page(request, form, fund, at)
    except NotAllowed:
        raise
    except Stale as refusal:
        return check_page(request, form, Fund.objects.with_names().get(id=fund.pk), at, changed=refusal.message)
    except Refused as refusal:
        add_refusal(form, refusal, {"purpose": "act"})
        return form_page(request, form, fund, at)


def choose_fund(request: PersonRequest) -> HttpResponse:
    text = asked_text(request, "q").strip()[:80]
    found = funds_named(request.user, text) if len(text) > 1 else []
    here = reverse("adjustment-new")
    items = [
        {
            "label": f"{fund.partner}, {fund.location}",
            "url": f"{here}?fund={fund.pk}",
            "hint": f"{earned_in(fund.earning_period)}, {fund.program}",
            "amount": fund.show(fund.available_minor),
            "due": "available",
        }
        for fund in found
    ]
    return render(request, "funds/adjustment_fund.html", {"text": text, "items": items, "crumbs": crumbs()})


def form_page(request: PersonRequest, form: AdjustmentForm, fund: Fund, at: datetime) -> HttpResponse:
    closed_text = f"{closed(fund)} {instead(fund, at)}" if at >= fund.claims_close_at else ""
    context = {
        "form": form,
        "fund": fund,
        "name": name_of(fund),
        "closed": closed_text,
        "limit": fund.show(fund.program.four_eyes_minor),
        "crumbs": crumbs(),
    }
    return render(request, "funds/adjustment_new.html", context, status=400 if form.errors else 200)


def check_page(
    request: PersonRequest, form: AdjustmentForm, fund: Fund, at: datetime, *, changed: str = ""
) -> HttpResponse:
    """The preview: the entries that it would post, and the fund before and after them."""
    preview = preview_adjustment(fund.pk, **form.wanted(), by=request.user, at=at)
    adjustment = preview.adjustment
    needed = adjustment.second_person_needed
    context = {
        "fund": fund,
        "title": what(adjustment),
        "name": name_of(fund),
        "kept": [
            (name, request.POST.get(name, ""))
            for name in ("act", "amount", "to_fund", "reason_code", "effective_on", "note")
        ],
        "facts": facts(adjustment),
        "preview": shown(preview),
        "needed": needed,
        "limit": fund.show(fund.program.four_eyes_minor),
        "label": f"{'Request' if needed else 'Post'} adjustment: {lower_first(what(adjustment))}",
        "changed": changed,
        "crumbs": crumbs(),
    }
    return render(request, "funds/adjustment_check.html", context)


def ask_for(request: PersonRequest, form: AdjustmentForm, fund: Fund, at: datetime) -> HttpResponse:
    """Ask for what was checked. `seen` is the number of entries that the fund had then: a second click finds another."""
    seen = request.POST.get("seen", "")
    adjustment = request_adjustment(
        fund.pk,
        **form.wanted(),
        seen_entries=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else -1,
        by=request.user,
        at=at,
    )
    done = "is posted" if adjustment.status == "posted" else "waits for a second person of finance"
    messages.success(request, f"{adjustment} {done}: {lower_first(what(adjustment))}.")
    return redirect("adjustment", adjustment.pk)
