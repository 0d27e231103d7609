"""The page of the sandbox's clock: where it stands, what falls due next, and moving it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from coop.jobs import BY_NAME
from coop.lib import money
from coop.lib.dates import add_months, show_instant
from coop.lib.errors import Invalid, NotAllowed
from coop.lib.forms import DayField
from coop.lib.web import now
from coop.sandbox import Moved, move_clock, require_sandbox
from funds.models import EarningPeriod
from partners.states import AUDITOR
from partners.web.request import PersonRequest

SHOWN = 6  # instants
LOOK_AHEAD = timedelta(days=800)
JOBS = {
    "settle_periods": "Threshold test of earning periods",
    "lapse_claims": "Drafts and returned claims that were not sent in time",
    "expire_periods": "Expiry of what was not claimed",
    "record_head": "Head of the ledger after the day that is over",
}


class ClockForm(forms.Form):
    """Where to move the clock. The choices that depend on the present are made for each request."""

    to = forms.ChoiceField(
        label="Move the clock", widget=forms.RadioSelect, error_messages={"required": "Choose where to"}
    )
    day = DayField(label="Day", required=False)
    time = forms.TimeField(
        label="Time in UTC",
        help_text="Of your own day, for example 23:59:59; empty is midnight",
        required=False,
        input_formats=["%H:%M", "%H:%M:%S", "%H:%M:%S.%f"],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid": "Write the time as 23:59 or 23:59:59"},
    )
    run_jobs = forms.BooleanField(
        label="Run the jobs that fall due on the way",
        help_text="Without them the clock alone decides what is in time; a later move does the work that was left.",
        required=False,
        initial=True,
    )

    def __init__(self, *args: Any, at: datetime, next_due: datetime | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.targets = {"day": at + timedelta(days=1), "month": month_later(at)}
        if next_due:
            self.targets = {"due": next_due, **self.targets}
        said = {"due": "To the next due date", "day": "One day on", "month": "One month on"}
        choices = [(key, f"{said[key]}: {show_instant(target)}") for key, target in self.targets.items()]
        self.fields["to"].choices = [*choices, ("other", "To a day and time of my own")]  # type: ignore[attr-defined]
        self.initial.setdefault("to", next(iter(self.targets)))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("to") == "other" and not given.get("day") and "day" not in self.errors:
            self.add_error("day", "Enter the day to move to, for example 2024-08-14")
        return given

    def target(self) -> datetime:
        """The instant that was chosen."""
        if self.cleaned_data["to"] != "other":
            return self.targets[self.cleaned_data["to"]]
        return datetime.combine(self.cleaned_data["day"], self.cleaned_data["time"] or time(0), UTC)


def month_later(at: datetime) -> datetime:
    """The same day and time of the next month, or that month's last day where it is shorter."""
    first = add_months(at.date().replace(day=1), 1)
    last = add_months(first, 1) - timedelta(days=1)
    return at.replace(year=first.year, month=first.month, day=min(at.day, last.day))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def clock_page(request: PersonRequest) -> HttpResponse:
    """The clock of the sandbox; a POST moves it. The results of the last move are shown once."""
    require_sandbox()
    at = now(request)
    coming = due_next(at)
    next_due = coming[0]["at"] if coming else None
    form = ClockForm(request.POST or None, at=at, next_due=next_due)
    may_move = request.user.role != AUDITOR
    if request.method == "POST":
        if not may_move:
            raise NotAllowed("An auditor changes nothing, the clock neither. Anybody else who signs in may move it.")
        if form.is_valid():
            try:
                moved = move_clock(form.target(), run_jobs=form.cleaned_data["run_jobs"], by=request.user)
            except Invalid as refusal:
                form.add_error("day" if form.cleaned_data["to"] == "other" else "to", refusal.errors[0].message)
            else:
                request.session["clock_moved"] = as_shown(moved, ran_jobs=form.cleaned_data["run_jobs"])
                return redirect("clock")
    context = {
        "form": form,
        "at": at,
        "coming": coming,
        "may_move": may_move,
        "moved": request.session.pop("clock_moved", None) if request.method == "GET" else None,
    }
    return render(request, "coop/clock.html", context, status=400 if form.errors else 200)


def as_shown(moved: Moved, *, ran_jobs: bool) -> dict[str, Any]:
    """What a move did, as plain texts that fit into a session."""
    return {
        "before": show_instant(moved.before),
        "now": show_instant(moved.now),
        "ran_jobs": ran_jobs,
        "rows": [
            {
                "job": JOBS.get(done.job) or BY_NAME[done.job].label,
                "at": show_instant(done.at),
                "worked": done.worked,
                "failed": done.failed,
                "notes": "; ".join(done.notes[:5]),
            }
            for done in moved.ran
        ],
    }


def due_next(at: datetime) -> list[dict[str, Any]]:
    """The next instants at which something happens by itself, each with what will happen, nearest first."""
    above = Q(funds__available_minor__gt=0)  # a fund below zero does not expire
    periods = (
        EarningPeriod.objects.filter(cure_close_at__gt=at, settle_at__lt=at + LOOK_AHEAD)
        .select_related("program")
        .annotate(
            funds_there=Count("funds"),
            funds_left=Count("funds", filter=above),
            left_minor=Sum("funds__available_minor", filter=above),
        )
        .order_by("earn_from", "program_id")
    )
    by_instant: dict[tuple[datetime, str], list[EarningPeriod]] = defaultdict(list)
    for period in periods:
        for column in ("settle_at", "claims_open_at", "claims_close_at", "cure_close_at"):
            if getattr(period, column) > at:
                by_instant[(getattr(period, column), column)].append(period)
    coming: dict[datetime, list[str]] = defaultdict(list)
    for (instant, column), there in sorted(by_instant.items(), key=lambda item: item[0]):
        coming[instant].append(what_happens(column, there))
    return [{"at": instant, "what": what} for instant, what in list(coming.items())[:SHOWN]]


def what_happens(column: str, periods: list[Any]) -> str:
    """One sentence for what falls due for some periods at one instant."""
    names = ", ".join(sorted({str(period) for period in periods}))
    funds = sum(period.funds_left if column == "claims_close_at" else period.funds_there for period in periods)
    count = f"{funds} fund{'' if funds == 1 else 's'}"
    if column == "settle_at":
        what = f": {count} can be spent from then on, or turn into rebate" if funds else ""
        return f"Threshold test of {names}{what}."
    if column == "claims_open_at":
        return f"Claims for {names} open."
    if column == "claims_close_at":
        lost = f"what is left expires (today {left(periods)} in {count})"
        return f"Last moment to claim {names} passes: drafts lapse, and {lost}."
    return f"Last moment to mend returned claims of {names} passes: those not sent again lapse."


def left(periods: Iterable[Any]) -> str:
    """What is available in the periods' funds, by currency."""
    sums: dict[str, int] = defaultdict(int)
    for period in periods:
        sums[period.program.currency] += period.left_minor or 0
    return " and ".join(money.display(minor, currency) for currency, minor in sorted(sums.items()))
