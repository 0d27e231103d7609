"""The planner: what of a fund has no plan yet, until when one can still begin, and ideas tried out in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims import rules
from claims.models import Activity
from claims.permissions import WRITERS
from claims.queries.book import current_book
from claims.queries.elsewhere import Counted, counted_for_each
from claims.queries.guidance import guidance_of
from claims.queries.offers import Offer, case_of_fund, offers_of
from claims.queries.plan_facts import facts_of_idea
from claims.queries.planner import IDEA, Intended, Outlook, intentions, popular_activities, safe_days
from claims.rules.book import Book
from claims.web.burndown import burndown, intended_rows
from claims.web.catalog import plan_new_url
from coop.lib import money
from coop.lib.dates import show_day, show_deadline
from coop.lib.errors import NotFound
from coop.lib.forms import AmountField, DayField
from coop.lib.web import now
from funds.models import Fund
from funds.queries.deadlines import open_still
from funds.queries.funds import funds_of
from funds.web.cards import is_estimate
from funds.web.clocks import both_clocks, earned_in, time_left
from partners.web.request import PersonRequest

MOST_IDEAS = 4
DAYS = 14  # how long work takes, until the reader says otherwise
LONGEST = 180


class WorkForm(forms.Form):
    """How long the work takes."""

    days = forms.IntegerField(
        label="How many days does the work take?",
        min_value=1,
        max_value=LONGEST,
        required=False,
        error_messages={"invalid": "Enter a whole number of days, for example 14"},
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )


class IdeaRow(forms.Form):
    """One idea: what, how much, when. A row without an activity and an amount is no idea."""

    activity = forms.ChoiceField(label="Activity", required=False)
    amount = AmountField(label="Amount", required=False)
    starts_on = DayField(label="First day", required=False)
    ends_on = DayField(label="Last day", required=False)

    def __init__(self, *args: Any, choices: Any, currency: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["activity"].choices = [("", "No idea here"), *choices]  # type: ignore[attr-defined]
        self.fields["amount"].currency = currency  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("activity") and not data.get("amount") and "amount" not in self.errors:
            self.add_error("amount", "Enter about what it would cost.")
        if data.get("amount") and not data.get("activity"):
            self.add_error("activity", "Choose the activity.")
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", "Give a last day on or after the first one.")
        return data

    @property
    def given(self) -> bool:
        return self.is_valid() and bool(self.cleaned_data.get("activity"))


@login_required
@require_safe
def planner(request: PersonRequest) -> HttpResponse:
    """Choose a fund to plan; a single one is chosen by itself."""
    at = now(request)
    funds = list(funds_of(request.user).filter(open_still(at)))
    if len(funds) == 1:
        return redirect("fund-planner", funds[0].pk)
    choices = [
        {
            "url": reverse("fund-planner", args=[fund.pk]),
            "label": f"{earned_in(fund.earning_period)}, {fund.program}, {fund.location}",
            "hint": both_clocks(fund),
            "amount": fund.show(fund.available_minor),
        }
        for fund in funds
    ]
    return render(request, "claims/planner/choose.html", {"funds": choices})


@login_required
@require_safe
def planner_fund(request: PersonRequest, fund_id: int) -> HttpResponse:
    """One fund from today to its expiry, with all that is planned and the ideas of the address. Raises NotFound."""
    at = now(request)
    fund = funds_of(request.user).filter(pk=fund_id).first()
    if fund is None:
        raise NotFound("There is no such fund.")
    today = at.astimezone(ZoneInfo(fund.program.time_zone)).date()
    day = min(max(today, fund.earning_period.use_from), fund.earning_period.use_to)
    book = current_book()
    offers = offers_of(book, Activity.objects.all(), case_of_fund(fund, book, day))
    work = WorkForm(request.GET if request.GET.get("days") else {"days": DAYS})
    rows = idea_rows(request, offers, fund)
    ideas = [row.cleaned_data for row in rows if row.given]
    names = {offer.code: offer.activity for offer in offers}
    known = intentions(fund)
    others = counted_for_each(fund.partner, fund.earning_period, fund) if ideas else {}
    imagined = [
        Intended(IDEA, names[idea["activity"]].name, idea["amount"], idea["starts_on"], idea["ends_on"])
        for idea in ideas
    ]
    outlook = Outlook(fund, [*known, *imagined])
    wrong = bool(work.errors) or any(row.errors for row in rows)
    may_plan = request.user.role in WRITERS and today <= fund.earning_period.use_to and not fund.overdrawn
    days = work.cleaned_data.get("days") or DAYS if work.is_valid() else DAYS
    context = {
        "fund": fund,
        "name": earned_in(fund.earning_period),
        "clocks": both_clocks(fund),
        "summary": summary(outlook, at),
        "rows": intended_rows(outlook.intended, outlook),
        "left": fund.show(outlook.unplanned_minor),
        "short": fund.show(-outlook.unplanned_minor) if outlook.unplanned_minor < 0 else "",
        "chart": burndown(outlook, today=today),
        "work": work,
        "ideas": rows,
        "all_forms": [work, *(row for row in rows if row.is_bound)],
        "said": [said_of(idea, names[idea["activity"]], fund, book, others, at) for idea in ideas],
        "safe": safe_lines(fund, days, today),
        "popular": [
            {"name": one.name, "partners": one.partners, "url": activity_url(one.code, fund, day)}
            for one in (popular_activities(fund, names) if not outlook.intended else ())
        ],
        "guidance": guidance_of(fund, at, book),
        "closed": at >= fund.claims_close_at,
        "plan_url": plan_url(fund, ideas) if may_plan else "",
        "plan_label": "Turn idea into a plan" if ideas else "Start a plan",
    }
    return render(request, "claims/planner/planner.html", context, status=400 if wrong else 200)


def idea_rows(request: PersonRequest, offers: Sequence[Offer], fund: Fund) -> list[IdeaRow]:
    """The ideas of the address and room for one more, up to four."""
    options: dict[str, Any] = {
        "choices": [(offer.code, offer.activity.name) for offer in offers],
        "currency": fund.currency,
    }
    given = [
        f"idea{number}"
        for number in range(1, MOST_IDEAS + 1)
        if request.GET.get(f"idea{number}-activity") or request.GET.get(f"idea{number}-amount")
    ]
    rows = [IdeaRow(request.GET, prefix=prefix, **options) for prefix in given]
    free = [f"idea{number}" for number in range(1, MOST_IDEAS + 1) if f"idea{number}" not in given]
    return rows + [IdeaRow(prefix=prefix, **options) for prefix in free[:1]]


def said_of(
    idea: dict[str, Any], activity: Activity, fund: Fund, book: Book, others: Mapping[int, Counted], at: datetime
) -> dict[str, Any]:
    """What the rules say of one idea: what to mend, and how many checks passed."""
    period = fund.earning_period
    first = idea["starts_on"] or max(period.use_from, min(at.date(), period.use_to))
    facts = facts_of_idea(
        fund,
        fund.program,
        activity,
        fund.location.country,
        idea["amount"],
        fund.currency,
        first,
        idea["ends_on"] or first,
        fund.partner,
        at,
        book,
        others,
    )
    found = rules.evaluate(book, facts)
    return {
        "name": activity.name,
        "amount": fund.show(idea["amount"]),
        "findings": [one for one in found if one.outcome != rules.PASSED],
        "passed": sum(one.outcome == rules.PASSED for one in found),
        "plan_url": plan_url(fund, [idea]),
    }


def plan_url(fund: Fund, ideas: Sequence[dict[str, Any]]) -> str:
    """Where the first idea becomes a plan, with what was said of it; a plan begins with one activity."""
    if not ideas:
        return plan_new_url(fund)
    idea = ideas[0]
    days = {name: idea[name].isoformat() for name in ("starts_on", "ends_on") if idea[name]}
    return plan_new_url(fund, activity=idea["activity"], amount=money.to_text(idea["amount"], fund.currency), **days)


def activity_url(code: str, fund: Fund, day: date) -> str:
    query = {"program": fund.program.code, "country": fund.location.country, "on": day.isoformat()}
    return f"{reverse('catalog-activity', args=[code])}?{urlencode(query)}"


def summary(outlook: Outlook, at: datetime) -> str:
    """What the reader has, what they will lose, in words."""
    fund = outlook.fund
    deadline = show_deadline(fund.claims_close_at, fund.program.time_zone)
    if at >= fund.claims_close_at:
        return f"This fund takes no more claims since {deadline}."
    if fund.overdrawn:
        return f"{fund.show(-fund.available_minor)} more was taken back than was left: nothing can be planned now."
    estimate = " This is an estimate until the half is settled." if is_estimate(fund, at) else ""
    left, _ = time_left(fund.claims_close_at, at=at, zone=fund.program.time_zone)
    if outlook.unplanned_minor > 0:
        amount = fund.show(outlook.unplanned_minor)
        return f"{amount} has no plan yet and expires on {deadline} ({left}) unless it is claimed.{estimate}"
    if outlook.unplanned_minor < 0:
        return f"You intend {fund.show(-outlook.unplanned_minor)} more than there is.{estimate}"
    return f"Everything that is there is planned. Claim it until {deadline} ({left}).{estimate}"


def safe_lines(fund: Fund, days: int, today: date) -> list[dict[str, str]]:
    """The last safe days, each in words; one that has passed says so."""
    safe = safe_days(fund, days)
    work = "one day" if days == 1 else f"{days} days"
    needed = "must be approved first" if fund.program.plan_approval == "required" else "is to be approved first"
    lines = [
        (safe.send_plan_by, "Send the plan by", f"if it {needed}: the vendor has two business days to decide"),
        (safe.start_by, "Begin the work by", f"so that {work} of work end by {show_day(fund.earning_period.use_to)}"),
        (safe.claim_by, "Send the claim by", "after that the rest expires"),
    ]
    if fund.program.plan_approval == "none":
        lines = lines[1:]
    return [
        {"label": label, "day": show_day(day), "why": why + (" (this day has passed)" if day < today else "")}
        for day, label, why in lines
    ]
