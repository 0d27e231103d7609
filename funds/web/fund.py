"""One fund: its clocks, its identity, its entries, and the earning lines behind an entry."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from coop.lib.dates import show_day, show_instant
from coop.lib.errors import NotFound
from coop.lib.money import display
from coop.lib.web import asked_text, now
from funds import references, states
from funds.models import Earning, Fund
from funds.operations.holds import overdrawn_text
from funds.queries.funds import funds_of, thresholds
from funds.queries.entries import EntryLine, EntryPage, entries_of
from funds.queries.lines import Line, earning_lines
from funds.web.cards import LABELS, fund_card, is_estimate, opens
from funds.web.clocks import both_clocks, earned_in
from partners import states as roles
from partners.web.request import PersonRequest

KINDS = {
    "earning": "Earned",
    "clawback": "Taken back",
    "adjustment": "Adjusted",
    "conversion": "Converted to rebate",
    "reserve": "Reserved for a plan",
    "release": "Released",
    "hold": "Held for a claim",
    "approval": "Approved",
    "payment": "Paid",
    "expiry": "Expired",
}
FIGURES = {states.EARNED: "Earned", states.ADJUSTED: "Adjustments", **LABELS}
WRITERS = (roles.MARKETER, roles.PARTNER_ADMIN)


def fund_for(request: PersonRequest, fund_id: int) -> Fund:
    """The fund, if the reader may see it. Raises NotFound."""
    fund = funds_of(request.user).filter(id=fund_id).first()
    if fund is None:
        raise NotFound("There is no such fund.")
    return fund


class EntryFilter(forms.Form):
    """Which entries to show; what is not known is not filtered by."""

    bucket = forms.ChoiceField(
        label="Where the money is",
        choices=[("", "Anywhere"), *FIGURES.items()],
        required=False,
    )
    kind = forms.ChoiceField(label="What happened", choices=[("", "Anything"), *KINDS.items()], required=False)
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    after = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


@login_required
@require_safe
def fund(request: PersonRequest, fund_id: int) -> HttpResponse:
    """One fund: both clocks, the identity with each figure a link to its entries, and the entries."""
    at = now(request)
    shown = fund_for(request, fund_id)
    asked = EntryFilter(request.GET)
    asked.is_valid()
    wanted = {name: asked.cleaned_data.get(name) for name in ("bucket", "kind", "before", "after")}
    entries = entries_of(
        shown,
        person=request.user,
        bucket=wanted["bucket"] or "",
        kind=wanted["kind"] or "",
        before=wanted["before"],
        after=wanted["after"],
    )
    filters = EntryFilter(initial={name: wanted[name] for name in ("bucket", "kind")})
    for paging in ("before", "after"):
        del filters.fields[paging]
    estimate = is_estimate(shown, at)
    context = {
        "fund": shown,
        "at": show_instant(at),
        "clocks": both_clocks(shown.earning_period, shown.program.time_zone),
        "card": fund_card(shown, at=at, whole=True),
        "sum_of": identity(shown),
        "estimate": estimate_note(shown) if estimate else "",
        "may_claim": may_start_claim(request, shown, at),
        "may_adjust": request.user.role == roles.FINANCE,
        "below_zero": overdrawn_text(shown) if shown.overdrawn else "",
        "filters": filters,
        "active": active_filters(shown, wanted),
        "columns": ["In", "Out", f"{FIGURES[wanted['bucket'] or states.AVAILABLE]} after"],
        "entries": entry_rows(shown, entries),
        "statement": entries,
        "pages": pages(shown, wanted, entries),
    }
    return render(request, "funds/fund.html", context)


def may_start_claim(request: PersonRequest, shown: Fund, at: datetime) -> bool:
    period = shown.earning_period
    open_now = period.use_open_at <= at < period.claims_close_at
    return request.user.role in WRITERS and open_now and shown.available_minor > 0


def identity(shown: Fund) -> list[dict[str, str]]:
    """The two figures on the left of the balance identity, each with the entries behind it."""
    page = reverse("fund", args=[shown.pk])
    return [
        {
            "label": FIGURES[name],
            "amount": shown.show(getattr(shown, f"{name}_minor")),
            "url": f"{page}?bucket={name}#entries",
        }
        for name in (states.EARNED, states.ADJUSTED)
    ]


def estimate_note(shown: Fund) -> str:
    """What has to happen before an estimate can be spent."""
    threshold = thresholds([shown])[shown.pk]
    period = shown.earning_period
    start = (
        f"Estimate, not spendable: earnings of this half may still change until {show_day(period.settle_on)}. "
        f"From {show_day(period.use_from)} it can be spent, and claims open on {opens(shown)}."
    )
    if not threshold:
        return start
    return f"{start} The fund must reach {shown.show(threshold)} of co-op; if it stays below, it is paid out as rebate instead."


def entry_rows(shown: Fund, entries: EntryPage) -> list[dict[str, Any]]:
    """The entries as a table shows them: day, words, reference, in, out, balance."""
    names = references.show_all((line.entry.reference_type, line.entry.reference) for line in entries.lines)
    return [entry_row(shown, line, names) for line in entries.lines]


def entry_row(shown: Fund, line: EntryLine, names: dict[tuple[str, str], references.Shown]) -> dict[str, Any]:
    entry = line.entry
    named = names[(entry.reference_type, entry.reference)]
    text, url = named.text, named.url
    if entry.reference_type == "import":
        text = "Earning lines"
        url = f"{reverse('fund-earnings', args=[shown.pk])}?{urlencode({'import': entry.reference})}"
    elif entry.reference_type == "earning_period":
        text = (
            f"{shown.earning_period} deadline" if entry.kind == "expiry" else f"{shown.earning_period} threshold test"
        )
    moved = ""
    if not line.change_minor:
        moved = f"{shown.show(entry.amount_minor)} from {entry.from_bucket} to {entry.to_bucket}".replace("_", " ")
    return {
        "day": show_day(entry.effective_on),
        "recorded": show_instant(entry.recorded_at),
        "what": entry.sentence,
        "detail": ", ".join(filter(None, (states.REASON_CODES.get(entry.reason_code, ""), entry.note, moved))),
        "reference": text,
        "url": url,
        "money_in": shown.show(line.change_minor).rpartition(" ")[0] if line.change_minor > 0 else "",
        "money_out": shown.show(-line.change_minor).rpartition(" ")[0] if line.change_minor < 0 else "",
        "balance": shown.show(line.balance_minor).rpartition(" ")[0],
    }


def active_filters(shown: Fund, wanted: dict[str, Any]) -> list[dict[str, str]]:
    """The filters that are on, each with the address that takes it away."""
    page = reverse("fund", args=[shown.pk])
    labels = {"bucket": FIGURES, "kind": KINDS}
    found = []
    for name, texts in labels.items():
        if wanted[name]:
            rest = {other: wanted[other] for other in labels if other != name and wanted[other]}
            found.append({"label": texts[wanted[name]], "url": f"{page}?{urlencode(rest)}#entries"})
    return found


def pages(shown: Fund, wanted: dict[str, Any], entries: EntryPage) -> dict[str, str]:
    page = reverse("fund", args=[shown.pk])
    kept = {name: wanted[name] for name in ("bucket", "kind") if wanted[name]}
    return {
        "newer": f"{page}?{urlencode({**kept, 'after': entries.newer})}#entries" if entries.newer else "",
        "older": f"{page}?{urlencode({**kept, 'before': entries.older})}#entries" if entries.older else "",
    }


# --- What is behind an entry ------------------------------------------------------------------------------------------


@login_required
@require_safe
def fund_earnings(request: PersonRequest, fund_id: int) -> HttpResponse:
    """The earning lines of one delivery that came into this fund."""
    shown = fund_for(request, fund_id)
    asked = request.GET.get("import", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        raise NotFound("There is no such delivery of earnings.")
    found = earning_lines(shown, person=request.user, delivery_id=int(asked), after=asked_text(request, "after"))
    if not found.number:
        raise NotFound("There is no such delivery of earnings.")
    older = urlencode({"import": asked, "after": found.older}) if found.older else ""
    context = {
        "fund": shown,
        "name": earned_in(shown.earning_period),
        "found": found,
        "lines": [earning_row(shown, line) for line in found.lines],
        "older_url": f"{reverse('fund-earnings', args=[shown.pk])}?{older}" if older else "",
        "rebate": shown.show(found.rebate_minor),
        "coop": shown.show(found.coop_minor),
    }
    return render(request, "funds/fund_earnings.html", context)


def earning_row(shown: Fund, found: Line) -> dict[str, str]:
    line = found.earning
    foreign = line.currency != line.fund_currency
    rate = (
        f" at {line.rate.normalize():f} of {show_day(line.rate_on)}" if foreign and line.rate and line.rate_on else ""
    )
    return {
        "id": line.external_id,
        "day": show_day(line.earned_on),
        "what": ", ".join(
            filter(None, (line.kind.capitalize(), line.lever, states.REASON_CODES.get(line.reason_code, "")))
        ),
        "amount": display(line.amount_minor, line.currency),
        "converted": f"{shown.show(line.fund_amount_minor)}{rate}" if foreign else "",
        "rebate": shown.show(line.rebate_minor).rpartition(" ")[0],
        "coop": shown.show(line.coop_minor).rpartition(" ")[0],
    }
