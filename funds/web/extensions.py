"""More time: a partner asks for it on the page of its fund, a program admin decides, or extends a period by itself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from coop.lib.dates import show_day, show_deadline, show_instant
from coop.lib.errors import Invalid, NotFound
from coop.lib.forms import DayField, add_refusal
from coop.lib.web import now, whole_number
from funds.models import EarningPeriod, Extension, Fund
from funds.operations.extensions import NO_EXTENSION, ask_extension, decline_extension, grant_extension
from funds.operations.periods import LONGEST_REASON, extend_period, extend_program
from funds.queries.extensions import extensions_seen_by, last_request, why_later
from funds.queries.funds import fund_seen_by
from funds.web.clocks import earned_in, time_left
from partners.models import Partner
from partners.permissions import require_role
from partners.states import MARKETER, PARTNER_ADMIN, PROGRAM_ADMIN
from partners.web.request import PersonRequest

ASKERS = (MARKETER, PARTNER_ADMIN)
EVERYBODY, ONE, PROGRAM = "everybody", "partner", "program"


def reason_field(label: str, help_text: str, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        required=required,
        error_messages={"required": "Say why: the reason is kept and shown beside the date"},
    )


class AskForm(forms.Form):
    """What a partner asks for."""

    until = DayField(label="Last day to claim that you need", error_messages={"required": "Enter the day you need"})
    because = reason_field("Why you need more time", "Whoever decides reads this")


class DecideForm(forms.Form):
    """What a program admin answers: a later day, or no."""

    claims_close_on = DayField(
        label="New last day to claim",
        help_text="Only to grant; it may be another day than was asked for",
        required=False,
    )
    reason = reason_field("Reason", "The partner reads it, whatever you decide")


class ExtendForm(forms.Form):
    """A later date that nobody asked for."""

    who = forms.ChoiceField(
        label="For whom",
        choices=[
            (EVERYBODY, "Everybody in this period"),
            (ONE, "One partner"),
            (PROGRAM, "Everybody, in all open periods of the program, by as many days"),
        ],
        initial=EVERYBODY,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose for whom the date moves"},
    )
    partner = forms.CharField(
        label="Partner", help_text="Its code or full name; only to extend for one", required=False, max_length=200
    )
    claims_close_on = DayField(
        label="New last day to claim", error_messages={"required": "Enter the new last day to claim"}
    )
    reason = reason_field("Reason", "It is kept in the audit log and shown beside the date")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("who") == ONE:
            text = given.get("partner", "").strip()
            found = (
                Partner.objects.filter(Q(external_id=text) | Q(name__iexact=text)) if text else Partner.objects.none()
            )
            if len(found) == 1:
                given["partner_id"] = found[0].pk
            else:
                self.add_error("partner", "Enter the code or the full name of one partner.")
        return given


# --- The partner asks -------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def fund_extension(request: PersonRequest, fund_id: int) -> HttpResponse:
    """Ask for a later claim deadline; shows what became of the request before."""
    fund, at = fund_seen_by(request.user, fund_id), now(request)
    require_role(request.user, *ASKERS, to="ask for a later deadline")
    form = AskForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            ask_extension(fund.earning_period_id, **form.cleaned_data, by=request.user, at=at)
        except Invalid as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(
                request, "Your request was sent to the program admins. The deadline stays until they decide."
            )
            return redirect("fund", fund.pk)
    left, _ = time_left(fund.claims_close_at, at=at, zone=fund.program.time_zone)
    last = last_request(fund)
    context = {
        "fund": fund,
        "name": earned_in(fund.earning_period),
        "deadline": show_deadline(fund.claims_close_at, fund.program.time_zone),
        "left": left,
        "over": at >= fund.claims_close_at,
        "later": why_later(fund),
        "request_text": said_of(last) if last else "",
        "waits": bool(last and last.status == "asked"),
        "form": form,
    }
    return render(request, "funds/extension_ask.html", context, status=400 if form.is_bound and form.errors else 200)


def said_of(one: Extension) -> str:
    """What a request asked for and what became of it, for its partner."""
    asked = f"You asked for {show_day(one.asked_until)}" if one.asked_until else "You asked for more time"
    if one.status == "asked":
        return f"{asked} because: {one.asked_because} It waits for its decision; the deadline stays until then."
    if one.status == "granted" and one.claims_close_on:
        return f"{asked}. It was granted until {show_day(one.claims_close_on)}: {one.reason}"
    return f"{asked}. It was declined: {one.reason}"


def standing(fund: Fund, request: PersonRequest) -> dict[str, Any]:
    """What the page of a fund says of extensions: why its date is later, what was asked, whether one may ask."""
    last = last_request(fund) if request.user.role in ASKERS else None
    may = request.user.role in ASKERS and now(request) < fund.claims_close_at and fund.remaining_minor > 0
    return {
        "later": why_later(fund),
        "request_text": said_of(last) if last and (last.status == "asked" or not why_later(fund)) else "",
        "may_ask_time": may and not (last and last.status == "asked"),
    }


# --- A program admin decides ------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def extension(request: PersonRequest, extension_id: int) -> HttpResponse:
    """One request, with what is at stake; program admins grant or decline it."""
    one = extensions_seen_by(request.user).filter(id=extension_id, partner__isnull=False).first()
    if one is None:
        raise NotFound(NO_EXTENSION)
    at, period = now(request), one.earning_period
    funds = list(Fund.objects.with_names().filter(earning_period=period, partner=one.partner_id).order_by("id"))
    form = DecideForm(request.POST if request.method == "POST" else None, initial={"claims_close_on": one.asked_until})
    if request.method == "POST":
        require_role(request.user, PROGRAM_ADMIN, to="decide on later deadlines")
        if form.is_valid() and answered(request, one, form):
            return redirect("periods")
    first = funds[0] if funds else None
    context = {
        "one": one,
        "title": f"{one.partner} asks for more time",
        "asked": show_day(one.asked_until) if one.asked_until else "",
        "asked_at": show_instant(one.asked_at) if one.asked_at else "",
        "deadline": show_deadline(first.claims_close_at, period.program.time_zone) if first else "",
        "late": bool(first and at >= first.claims_close_at),
        "funds": [
            {"id": fund.pk, "location": fund.location.name, "left": fund.show(fund.remaining_minor)} for fund in funds
        ],
        "waits": one.status == "asked",
        "decides": request.user.role == PROGRAM_ADMIN,
        "outcome": said_of(one),
        "form": form,
    }
    return render(request, "funds/extension.html", context, status=400 if form.is_bound and form.errors else 200)


def answered(request: PersonRequest, one: Extension, form: DecideForm) -> bool:
    """Grant or decline as the pressed button says; what is refused stands in the form."""
    given = form.cleaned_data
    who: dict[str, Any] = {
        "by": request.user,
        "at": now(request),
        "revision": whole_number(request.POST.get("revision", "")),
    }
    if request.POST.get("act") == "decline":
        decline_extension(one.pk, reason=given["reason"], **who)
        messages.success(request, f"Declined. {one.partner} is told why; the deadline stays.")
        return True
    if given["claims_close_on"] is None:
        form.add_error("claims_close_on", "Enter the new last day to claim.")
        return False
    try:
        grant_extension(one.pk, claims_close_on=given["claims_close_on"], reason=given["reason"], **who)
    except Invalid as refusal:
        add_refusal(form, refusal)
        return False
    messages.success(request, f"{one.partner} may claim until {show_day(given['claims_close_on'])}, and is told so.")
    return True


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def period_extend(request: PersonRequest, period_id: int) -> HttpResponse:
    """Move a deadline that nobody asked about: for a period, a program, or one partner."""
    require_role(request.user, PROGRAM_ADMIN, to="extend earning periods")
    period = EarningPeriod.objects.select_related("program").filter(id=period_id).first()
    if period is None:
        raise NotFound("There is no such earning period.")
    form = ExtendForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            said = extend(request, period, form.cleaned_data)
        except Invalid as refusal:
            add_refusal(form, refusal, {"days": "claims_close_on"})
        else:
            messages.success(request, said)
            return redirect("period-closing", period.pk)
    context = {
        "period": period,
        "title": f"Extend {period}",
        "deadline": show_deadline(period.claims_close_at, period.program.time_zone),
        "over": now(request) >= period.claims_close_at,
        "form": form,
    }
    return render(request, "funds/period_extend.html", context, status=400 if form.is_bound and form.errors else 200)


def extend(request: PersonRequest, period: EarningPeriod, given: dict[str, Any]) -> str:
    """Call the operation that was chosen; returns what it did."""
    until, reason = given["claims_close_on"], given["reason"]
    who: dict[str, Any] = {"by": request.user, "at": now(request), "reason": reason}
    if given["who"] == ONE:
        one = grant_extension(period_id=period.pk, partner_id=given["partner_id"], claims_close_on=until, **who)
        return f"{one.partner} may claim from {period} until {show_day(until)}, and is told so."
    if given["who"] == PROGRAM:
        days = (until - period.claims_close_on).days
        moved = extend_program(period.program.code, days=days, **who)
        names = " and ".join(str(one) for one in moved)
        return f"The deadlines of {names} moved by {days} days. Partners are told."
    extend_period(period.pk, claims_close_on=until, **who)
    return f"{period} takes claims until {show_day(until)}. Partners are told."
