"""The partner's home: what needs you, what you will lose, where the money is, what comes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import Truncator
from django.views.decorators.http import require_safe

from claims import rules, states
from claims.models import Claim
from claims.permissions import WRITERS
from claims.queries import findings_of, judge_together
from claims.queries.book import current_book
from claims.queries.guests import tasks_for
from claims.queries.partner import underway, waiting_for
from claims.web.access import home_of_vendor
from claims.web.guest import home_of_guest, task_row
from claims.web.paying import coming
from claims.web.standing import decision_due
from coop.lib import money
from coop.lib.dates import show_day, show_deadline
from coop.lib.web import now
from funds.models import Fund, Payment
from funds.operations.threshold import counted_minor
from funds.queries.funds import live_funds, payments_for, thresholds
from funds.queries.vendor import failed_payments
from funds.web.cards import fund_card, is_estimate, opens
from funds.web.clocks import earned_in, time_left
from partners import states as roles
from partners.web.request import PersonRequest

SHOWN = 5
SHOWN_FUNDS = 4
REVIEW_COLUMNS = [
    {"label": "Claim", "kind": "lead"},
    {"label": "Amount", "kind": "amount"},
    {"label": "Whose turn", "kind": ""},
    {"label": "Since", "kind": ""},
    {"label": "Usually decided", "kind": ""},
]
COMING_COLUMNS = [
    {"label": "Claim", "kind": "lead"},
    {"label": "Approved", "kind": "amount"},
    {"label": "Payment", "kind": "status"},
    {"label": "Expected", "kind": ""},
]


@login_required
@require_safe
def home(request: PersonRequest) -> HttpResponse:
    """The partner's first page; the vendor's people are sent to theirs."""
    if request.user.is_vendor:
        return redirect(home_of_vendor(request.user))
    if request.user.role == roles.AGENCY:
        return home_of_guest(request)
    at = now(request)
    funds = list(live_funds(request.user, at=at))
    if funds:
        request.user.partner = funds[0].partner  # known now; the frame of the page asks for its name
    waiting = list(
        waiting_for(request.user, at=at)
        .select_related("fund__enrollment")
        .prefetch_related("lines", "documents__stored")[:SHOWN]
    )
    if waiting:
        judge_together(waiting, current_book())
    all_waiting = waiting[0].number_waiting if waiting else 0  # type: ignore[attr-defined]
    stuck = list(failed_payments(request.user)[:SHOWN])
    others = list(underway(request.user)[: SHOWN * 20])
    in_review = [claim for claim in others if claim.status != states.APPROVED]
    approved = [claim for claim in others if claim.status == states.APPROVED]
    payments = payments_for(request.user, "claim", [str(claim.pk) for claim in approved]) if approved else {}
    open_funds = [fund for fund in funds if not is_estimate(fund, at)]
    open_funds.sort(key=lambda fund: fund.claims_close_at <= at)  # what can still be claimed comes first
    earning = [fund for fund in funds if is_estimate(fund, at)]
    places = len({(fund.location_id, fund.program_id) for fund in funds}) > 1
    may_start = may_start_claim(request, open_funds, at)
    context = {
        "asked": [task_row(request, invitation) for invitation in tasks_for(request.user)[:SHOWN]],
        "needs": [*map(unpaid, stuck), *(need(claim, at) for claim in waiting)][:SHOWN],
        "more": all_waiting + len(stuck),
        "more_text": str(all_waiting + len(stuck)),
        "review_columns": REVIEW_COLUMNS,
        "coming_columns": COMING_COLUMNS,
        "lede": loss(open_funds, at) or "Nothing expires at present.",
        "next_date": next_date(funds, at),
        "action": primary(waiting, may_start=may_start),
        "actions": [{"label": "Start a claim", "url": reverse("claim-new")}] if waiting and may_start else [],
        "cards": [fund_card(fund, at=at, with_place=places) for fund in open_funds[:SHOWN_FUNDS]],
        "in_review": [reviewed(claim, at) for claim in in_review[:SHOWN]],
        "in_review_total": len(in_review),
        "coming": [coming(claim, payments.get(str(claim.pk))) for claim in approved[:SHOWN]],
        "coming_total": len(approved),
        "earning": estimates(earning, with_place=places),
        "not_ready": not_ready(funds),
        "below_zero": below_zero([fund for fund in funds if fund.overdrawn]),
        "new_here": not funds and not others and not waiting and not stuck,
    }
    return render(request, "claims/home.html", context)


def unpaid(payment: Payment) -> dict[str, str]:
    """A payment that did not arrive and waits to be made again: that is a matter of the bank details, before all else."""
    how = "came back" if payment.status == "reversed" else "could not be made"
    return {
        "label": f"Check your bank details: {payment} {how}",
        "url": reverse("payment", args=[payment.pk]),
        "hint": f"{payment.failure.rstrip('.')}. It is paid again with a later run.",
        "due": "before the next payment run",
        "amount": money.display(payment.amount_minor, payment.currency),
        "currency": "",
    }


def need(claim: Claim, at: datetime) -> dict[str, str]:
    """One thing that waits for the reader: what to do, by when, how much is at stake."""
    zone = claim.fund.program.time_zone
    left, _ = time_left(claim.deadline, at=at, zone=zone)  # type: ignore[attr-defined]
    due = f"by {show_deadline(claim.deadline, zone).partition(',')[0]}, {left}"  # type: ignore[attr-defined]
    found = {"url": reverse("claim", args=[claim.pk]), "due": due, "currency": ""}
    amount = claim.held_minor or claim.claimed_minor
    found["amount"] = claim.show(amount) if amount else ""
    if claim.status == states.ACTION_REQUIRED:
        number = len(claim.returned_fixes)
        what = f"Fix {number} thing{'' if number == 1 else 's'}"
        hint = f"{claim.number}: {claim.returned_fixes[0]['message']}" if number else claim.number
        return {**found, "label": f"{what} in “{claim.title}”", "hint": hint}
    left_over = [finding for finding in rules.failed(findings_of(claim, at=at)) if finding.field]
    opened = at >= claim.fund.earning_period.claims_open_at
    todo = f"{len(left_over)} thing{'' if len(left_over) == 1 else 's'} left to do" if left_over else "ready to send"
    if not left_over and not opened:
        todo = f"ready, to be sent from {opens(claim.fund)}"
    verb = "Send" if not left_over and opened else "Finish"
    return {**found, "label": f"{verb} “{claim.title}”", "hint": f"{claim.number}: {todo}"}


def loss(funds: Sequence[Fund], at: datetime) -> str:
    """What will be lost first if nobody does anything: the money of the nearest claim deadline."""
    first = None
    sums: dict[str, int] = defaultdict(int)
    for fund in sorted(funds, key=lambda fund: fund.claims_close_at):
        closes = fund.claims_close_at
        if fund.remaining_minor <= 0 or at >= closes or (first and closes != first[0]):
            continue
        first = first or (closes, fund.program.time_zone)
        sums[fund.currency] += fund.remaining_minor
    if not first:
        return ""
    amounts = " and ".join(money.display(minor, currency) for currency, minor in sorted(sums.items()))
    return f"{amounts} will expire on {show_deadline(*first)} unless claimed."


def next_date(funds: Sequence[Fund], at: datetime) -> str:
    """The next day on which something opens, ends or is decided for these funds."""
    what = []
    for fund in funds:
        period = fund.earning_period
        name = earned_in(period)
        name = f"the fund {name[:1].lower()}{name[1:]}"
        what += [
            (period.claims_open_at, f"claims open for {name}", period.claims_open_on),
            (period.use_close_at, f"last day to spend {name}", period.use_to),
            (fund.claims_close_at, f"last day to claim from {name}", fund.claims_close_on),
        ]
    ahead = sorted(((instant, text, day) for instant, text, day in what if instant > at), key=lambda row: row[0])
    return f"Next date: {show_day(ahead[0][2])}, {ahead[0][1]}." if ahead else ""


def may_start_claim(request: PersonRequest, funds: Sequence[Fund], at: datetime) -> bool:
    """Whether there is money that the reader may claim, now or when claims open."""
    there = any(fund.available_minor > 0 and at < fund.claims_close_at for fund in funds)
    return there and request.user.role in WRITERS


def primary(waiting: Sequence[Claim], *, may_start: bool) -> dict[str, str] | None:
    """The one thing to do now: go on with the most urgent claim, else start one."""
    if waiting:
        first = waiting[0]
        label = "Fix" if first.status == states.ACTION_REQUIRED else "Continue"
        return {"label": f"{label} “{Truncator(first.title).chars(40)}”", "url": reverse("claim", args=[first.pk])}
    if may_start:
        return {"label": "Start a claim", "url": reverse("claim-new")}
    return None


def reviewed(claim: Claim, at: datetime) -> dict[str, Any]:
    who = claim.reviewer.name if claim.reviewer_id and claim.reviewer else "channel manager"
    due = decision_due(claim)
    return {
        "cells": [
            {"text": claim.title, "url": reverse("claim", args=[claim.pk]), "sub": claim.number},
            {"amount": claim.show(claim.claimed_minor)},
            {"text": f"With {who}" if claim.reviewer_id else "With the channel manager"},
            {"text": show_day(claim.turn_since.date())},
            {"text": f"by {show_day(due)}" if at.date() <= due else f"later than due ({show_day(due)})"},
        ]
    }


def estimates(funds: Sequence[Fund], *, with_place: bool) -> list[dict[str, str]]:
    """What the half that earns now has brought so far; marked, because it may still change."""
    needed = thresholds(funds) if funds else {}
    found = []
    for fund in funds:
        period = fund.earning_period
        counted = counted_minor(fund) if fund.adjustments_minor else fund.earned_minor
        short = needed[fund.pk] - counted
        hint = f"Estimate, not spendable before {show_day(period.use_from)}."
        if short > 0:
            hint += f" {fund.show(short)} more is needed to reach the program's threshold; below it, it becomes rebate."
        found.append(
            {
                "label": f"{earned_in(period)}, {fund.program}" + (f", {fund.location}" if with_place else ""),
                "amount": fund.show(fund.available_minor),
                "hint": hint,
                "url": reverse("fund", args=[fund.pk]),
                "tone": "estimate",
            }
        )
    return found


def not_ready(funds: Sequence[Fund]) -> str:
    """A sentence if the payout profile of a live fund is known to be incomplete: then nothing can be sent."""
    missing = {str(fund.location) for fund in funds if fund.enrollment.payout_profile_complete is False}
    if not missing:
        return ""
    return f"No claim of {', '.join(sorted(missing))} can be sent before its bank and tax profile is complete."


def below_zero(funds: Sequence[Fund]) -> str:
    """A sentence if more was taken back from a live fund than was left in it."""
    if not funds:
        return ""
    first = funds[0]
    name = f"{earned_in(first.earning_period)}, {first.program}"
    others = f" So is it with {len(funds) - 1} more of your funds." if len(funds) > 1 else ""
    return (
        f"{first.show(-first.available_minor)} more was taken back from the fund {name[:1].lower()}{name[1:]} than was left in "
        f"it. Nothing can be planned or claimed from it until later earnings of that half make up for it.{others}"
    )
