"""The closing of a period, before it runs: what the threshold test and the expiry will post, fund by fund."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims.queries.closing import Lapsing, lapsing, lapsing_in_all
from coop.lib import money
from coop.lib.dates import show_day, show_deadline, show_instant
from coop.lib.errors import NotFound
from coop.lib.web import asked_number, now
from funds.downloads import csv_download
from funds.models import EarningPeriod
from funds.operations.threshold import program_ended, threshold_minor
from funds.queries.closing import (
    EXPIRY,
    TEST,
    Expiring,
    Tested,
    Totals,
    funds_to_expire,
    funds_to_test,
    next_close,
    posted_totals,
    totals_to_expire,
    totals_to_test,
)
from funds.queries.extensions import own_in_period, why_period_later
from funds.web.clocks import earned_in
from funds.web.periods import READERS
from partners.permissions import require_role
from partners.states import PROGRAM_ADMIN
from partners.web.request import PersonRequest

PAGE = 50
NAMES = {TEST: "Threshold test", EXPIRY: "Claim deadline"}


def find_period(request: PersonRequest, period_id: int) -> EarningPeriod:
    """Raises NotAllowed, NotFound."""
    require_role(request.user, *READERS, to="look at the closing of periods")
    period = EarningPeriod.objects.select_related("program").filter(id=period_id).first()
    if period is None:
        raise NotFound("There is no such earning period.")
    return period


def asked_close(request: PersonRequest, period: EarningPeriod, at: datetime) -> str:
    asked = request.GET.get("what", "")
    return asked if asked in NAMES else next_close(period, at)


@login_required
@require_safe
def closing(request: PersonRequest, period_id: int) -> HttpResponse:
    """What the next close posts as things stand now, and which close that is. Nothing is written."""
    period, at = find_period(request, period_id), now(request)
    what = asked_close(request, period, at)
    page = max(asked_number(request, "page") or 1, 1)
    here = reverse("period-closing", args=[period.pk])
    context = {
        "period": period,
        "name": earned_in(period),
        "what": what,
        "title": f"{NAMES[what]} of {period}",
        "tabs": [{"label": label, "url": f"{here}?what={key}", "current": key == what} for key, label in NAMES.items()],
        "at": show_instant(at, period.program.time_zone),
        "when": when(period, what, at),
        "later": why_period_later(period),
        "own": [
            {"name": one.partner.name if one.partner else "", "until": show_day(one.claims_close_on), "why": one.reason}
            for one in own_in_period(period)
            if one.claims_close_on
        ],
        "csv_url": f"{reverse('period-closing-csv', args=[period.pk])}?what={what}",
        "may_extend": request.user.role == PROGRAM_ADMIN and at < period.claims_close_at,
        **(tested(period, page) if what == TEST else expiring(period, page)),
        "posted": totals_rows(posted_totals(period, "conversion" if what == TEST else "expiry")),
    }
    number = context["number"]
    context["older_url"] = f"{here}?what={what}&page={page + 1}" if page * PAGE < number else ""
    context["newer_url"] = f"{here}?what={what}&page={page - 1}" if page > 1 else ""
    context["pages"] = (
        f"{(page - 1) * PAGE + 1:,} to {min(page * PAGE, number):,} of {number:,} funds" if number else ""
    )
    return render(request, "claims/closing/closing.html", context)


def when(period: EarningPeriod, what: str, at: datetime) -> str:
    """The sentence that says when it runs, or ran."""
    zone = period.program.time_zone
    due, done = (period.settle_at, period.settled_at) if what == TEST else (period.claims_close_at, period.expired_at)
    if done is not None:
        return f"It is complete since {show_instant(done, zone)}. Nothing more will be posted by it."
    if at < due and what == TEST:
        return (
            f"It runs by itself at {show_instant(due, zone)}. Until then every import and adjustment changes this list."
        )
    if at < due:
        return (
            f"It runs by itself once claims are closed, after {show_deadline(due, zone)}. Until then every claim, plan and "
            "adjustment changes this list."
        )
    if what == EXPIRY and period.closed_at is not None:
        return (
            "It has run for everybody who goes by the period's date. Left are partners with a later date of their own."
        )
    return f"It is due since {show_instant(due, zone)} and runs at the next look, within a minute."


def tested(period: EarningPeriod, page: int) -> dict[str, Any]:
    """The funds that wait for the threshold test, and what becomes of each."""
    totals = totals_to_test(period)
    found = funds_to_test(period, first=(page - 1) * PAGE, number=PAGE)
    threshold = money.display(threshold_minor(period), period.program.currency)
    rule = (
        f"{period.program} ended on {show_day(period.program.discontinued_on)}: every fund becomes rebate."
        if program_ended(period) and period.program.discontinued_on
        else f"A fund that earned less than {threshold} of co-op becomes rebate; exactly {threshold} stays. Later adjustments "
        "of what was earned count, rollovers do not."
    )
    return {
        "rule": rule,
        "totals": totals_rows(totals),
        "funds": [tested_row(one) for one in found],
        "number": sum(total.funds for total in totals),
    }


def tested_row(one: Tested) -> dict[str, Any]:
    return {
        "id": one.id,
        "partner": one.partner,
        "location": one.location,
        "counted": money.display(one.counted_minor, one.currency),
        "adjusted": money.display(one.adjusted_minor, one.currency) if one.adjusted_minor else "",
        "left": money.display(one.available_minor, one.currency),
        "posts": money.display(one.converts_minor, one.currency) if one.converts_minor else "",
        "outcome": "Becomes rebate"
        if one.converts_minor
        else "Nothing to convert"
        if one.available_minor <= 0
        else "Stays",
        "tone": "attention" if one.converts_minor else "done",
    }


def expiring(period: EarningPeriod, page: int) -> dict[str, Any]:
    """The funds in which something is left, with the drafts and plans that lapse with them."""
    totals = totals_to_expire(period)
    found = funds_to_expire(period, first=(page - 1) * PAGE, number=PAGE)
    lapse = lapsing(period, [one.id for one in found])
    more = lapsing_in_all(period)
    rule = (
        "What is available expires. Drafts lapse, and plans with what they still reserve. What is in review stays held until "
        "it is decided, and returned claims can be mended until the cure deadline."
    )
    return {
        "rule": rule,
        "totals": [
            {**row, "lapses": lapse_text(more.get(total.currency, Lapsing()), total.currency)}
            for row, total in zip(totals_rows(totals), totals, strict=True)
        ],
        "funds": [expiring_row(one, lapse.get(one.id, Lapsing())) for one in found],
        "number": sum(total.funds for total in totals),
    }


def expiring_row(one: Expiring, lapse: Lapsing) -> dict[str, Any]:
    return {
        "id": one.id,
        "partner": one.partner,
        "location": one.location,
        "posts": money.display(one.expires_minor, one.currency) if one.expires_minor else "",
        "reserve": money.display(lapse.reserved_minor, one.currency) if lapse.reserved_minor else "",
        "lapses": counted(lapse),
        "in_review": money.display(one.in_review_minor, one.currency) if one.in_review_minor else "",
        "day": show_day(one.closes_on),
        "own": one.own_deadline,
    }


def counted(lapse: Lapsing) -> str:
    """E.g. "2 drafts and 1 plan"."""
    parts = ((lapse.drafts, "draft"), (lapse.plans, "plan"))
    return " and ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in parts if number)


def lapse_text(lapse: Lapsing, currency: str) -> str:
    said = counted(lapse)
    if not said:
        return "No draft or plan lapses."
    reserve = f", with {money.display(lapse.reserved_minor, currency)} that is reserved" if lapse.reserved_minor else ""
    return f"{said} lapse{'' if lapse.drafts + lapse.plans != 1 else 's'}{reserve}."


def totals_rows(totals: Sequence[Totals]) -> list[dict[str, Any]]:
    return [
        {"amount": money.display(total.minor, total.currency), "posted": total.posted, "funds": total.funds}
        for total in totals
    ]


# --- The file ---------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def closing_csv(request: PersonRequest, period_id: int) -> StreamingHttpResponse:
    """All funds of the preview, one a line; amounts as decimal numbers."""
    period, at = find_period(request, period_id), now(request)
    what = asked_close(request, period, at)
    made = test_lines(period) if what == TEST else expiry_lines(period)
    return csv_download(made, f"{period.program.code}-{period.code}-{what}-preview.csv".lower())


def test_lines(period: EarningPeriod) -> Iterator[Sequence[str]]:
    yield ("fund", "partner", "partner_name", "location", "currency", "counted", "adjusted", "available", "converts")
    for one in funds_to_test(period):
        amounts = (one.counted_minor, one.adjusted_minor, one.available_minor, one.converts_minor)
        yield (*named(one), *(money.to_text(minor, one.currency) for minor in amounts))


def expiry_lines(period: EarningPeriod) -> Iterator[Sequence[str]]:
    yield (
        "fund", "partner", "partner_name", "location", "currency", "expires", "reserve_lapses", "drafts", "plans", "in_review",
        "effective_on",
    )  # fmt: skip
    lapse = lapsing(period)
    for one in funds_to_expire(period):
        more = lapse.get(one.id, Lapsing())
        expires, reserve, held = (
            money.to_text(minor, one.currency)
            for minor in (one.expires_minor, more.reserved_minor, one.in_review_minor)
        )
        yield (*named(one), expires, reserve, str(more.drafts), str(more.plans), held, one.closes_on.isoformat())


def named(one: Tested | Expiring) -> tuple[str, ...]:
    return str(one.id), one.partner_code, one.partner, one.location, one.currency
