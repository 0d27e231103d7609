"""One fund: its clocks, its identity, its balance over time, and its entries; now, or as of a past day as it was known then."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from coop.lib.dates import show_day, show_instant
from coop.lib.web import now
from funds import states
from funds.models import Fund
from funds.operations.holds import overdrawn_text
from funds.queries.entries import EntryPage, balance_by_day, entries_of
from funds.queries.funds import fund_seen_by, thresholds
from funds.queries.past import balance_as_of, first_day
from funds.statements import LABELS as FIGURES
from funds.web.cards import fund_card, is_estimate, opens
from funds.web.chart import balance_chart
from funds.web.clocks import both_clocks
from funds.web.entries import entry_rows
from funds.web.extensions import standing
from funds.web.moments import Asked, asked_moment, hidden
from partners import states as roles
from partners.web.request import PersonRequest

KINDS = {
    "earning": "Earned",
    "clawback": "Taken back",
    "reversal": "An import reversed",
    "adjustment": "Adjusted",
    "write_off": "Written off",
    "conversion": "Converted to rebate",
    "reserve": "Reserved for a plan",
    "release": "Released",
    "hold": "Held for a claim",
    "approval": "Approved",
    "payment": "Paid",
    "return": "Came back from the bank",
    "expiry": "Expired",
}
WRITERS = (roles.MARKETER, roles.PARTNER_ADMIN)


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


class ShownFilter(EntryFilter):
    """The filters as the page shows them: with the moments that it is asked for, without its place in the pages."""

    before = after = None  # type: ignore[assignment]
    as_of = forms.CharField(required=False, widget=forms.HiddenInput)
    known_at = forms.CharField(required=False, widget=forms.HiddenInput)


@login_required
@require_safe
def fund(request: PersonRequest, fund_id: int) -> HttpResponse:
    """One fund: both clocks, the identity with each figure a link to its entries, and the entries."""
    at = now(request)
    present = fund_seen_by(request.user, fund_id)
    zone = present.program.time_zone
    asked = asked_moment(request, zone=zone)
    then = asked.moment.instant(at, zone)
    shown = balance_as_of(present, as_of=asked.moment.as_of, known_at=asked.moment.known_at)
    found = EntryFilter(request.GET)
    found.is_valid()
    wanted = {name: found.cleaned_data.get(name) for name in ("bucket", "kind", "before", "after")}
    entries = entries_of(
        shown,
        person=request.user,
        moment=asked.moment,
        bucket=wanted["bucket"] or "",
        kind=wanted["kind"] or "",
        before=wanted["before"],
        after=wanted["after"],
    )
    filters = {name: wanted[name] for name in ("bucket", "kind")}
    here = reverse("fund", args=[shown.pk])
    days = balance_by_day(shown, moment=asked.moment)
    context = {
        "fund": shown,
        "at": show_instant(then),
        "clocks": both_clocks(shown),
        **standing(present, request),
        "card": fund_card(shown, at=then, whole=True, kept=asked.kept),
        "sum_of": identity(shown, asked),
        "estimate": estimate_note(shown) if is_estimate(shown, then) else "",
        "may_claim": not asked and may_start_claim(request, shown, at),
        "may_adjust": request.user.role == roles.FINANCE,
        "below_zero": overdrawn_text(shown) if shown.overdrawn else "",
        "asked": asked,
        "too_early": nothing_yet(shown, asked) if asked and not entries.total else "",
        "here": here,
        "moment_keeps": hidden(filters.items()),
        "chart": balance_chart(shown, days, until=then.astimezone(ZoneInfo(zone)).date()),
        "statement_urls": statement_urls(shown, asked, at),
        "filters": ShownFilter(initial={**filters, **asked.kept}),
        "active": active_filters(shown, wanted, asked),
        "clear_url": asked.url(here, "#entries"),
        "columns": ["In", "Out", f"{FIGURES[wanted['bucket'] or states.AVAILABLE]} after"],
        "entries": entry_rows(shown, entries),
        "statement": entries,
        "pages": pages(shown, wanted, entries, asked),
    }
    return render(request, "funds/fund.html", context, status=400 if asked.form.errors else 200)


def may_start_claim(request: PersonRequest, shown: Fund, at: datetime) -> bool:
    period = shown.earning_period
    open_now = period.use_open_at <= at < shown.claims_close_at
    return request.user.role in WRITERS and open_now and shown.available_minor > 0


def nothing_yet(shown: Fund, asked: Asked) -> str:
    """What to say of a moment before the first entry: from which day on there is something."""
    known_at = asked.moment.known_at
    first = first_day(shown, known_at=known_at)
    if first is None:
        return f"Nothing was known of this fund by then. It has existed since {show_instant(shown.created_at)}."
    return f"Nothing had happened in this fund by then. The first day that it has a balance for is {show_day(first)}."


def statement_urls(shown: Fund, asked: Asked, at: datetime) -> dict[str, str]:
    """Addresses of the statement up to what is shown; they name the instant, so each gives the same file for ever."""
    zone = shown.program.time_zone
    last = asked.moment.as_of or at.astimezone(ZoneInfo(zone)).date()
    known_at = (asked.moment.known_at or at).isoformat().replace("+00:00", "Z")
    kept = Asked(asked.form, asked.moment, {"to": last.isoformat(), "known_at": known_at}, zone)
    return {
        "page": kept.url(reverse("fund-statement", args=[shown.pk])),
        "pdf": kept.url(reverse("fund-statement-file", args=[shown.pk, "pdf"])),
        "csv": kept.url(reverse("fund-statement-file", args=[shown.pk, "csv"])),
    }


def identity(shown: Fund, asked: Asked) -> list[dict[str, str]]:
    """The two figures on the left of the balance identity, each with the entries behind it."""
    page = reverse("fund", args=[shown.pk])
    return [
        {
            "label": FIGURES[name],
            "amount": shown.show(getattr(shown, f"{name}_minor")),
            "url": asked.url(page, "#entries", bucket=name),
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


def active_filters(shown: Fund, wanted: dict[str, Any], asked: Asked) -> list[dict[str, str]]:
    """The filters that are on, each with the address that takes it away."""
    page = reverse("fund", args=[shown.pk])
    labels = {"bucket": FIGURES, "kind": KINDS}
    found = []
    for name, texts in labels.items():
        if wanted[name]:
            rest = {other: wanted[other] for other in labels if other != name}
            found.append({"label": texts[wanted[name]], "url": asked.url(page, "#entries", **rest)})
    return found


def pages(shown: Fund, wanted: dict[str, Any], entries: EntryPage, asked: Asked) -> dict[str, str]:
    page = reverse("fund", args=[shown.pk])
    kept = {name: wanted[name] for name in ("bucket", "kind")}
    return {
        "newer": asked.url(page, "#entries", **kept, after=entries.newer) if entries.newer else "",
        "older": asked.url(page, "#entries", **kept, before=entries.older) if entries.older else "",
    }
