"""Extensions as pages show them: why a deadline is later than it was, and which requests wait."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from coop.lib.dates import show_day
from funds.models import EarningPeriod, Extension, ExtensionQuerySet, Fund
from partners.models import Person


def extensions_seen_by(person: Person) -> ExtensionQuerySet:
    names = ("earning_period__program", "partner", "asked_by", "decided_by")
    return Extension.objects.visible_to(person).select_related(*names)


def why_later(fund: Fund) -> str:
    """ "Extended from 14 Aug 2024 to 30 Aug 2024 because: the portal was down"; empty where the first date still holds."""
    if fund.own_close_on is None and fund.earning_period.revision == 1:
        return ""  # nothing was ever extended
    found = Extension.objects.filter(
        Q(partner=None) | Q(partner=fund.partner_id), earning_period=fund.earning_period_id
    )
    return _said(list(found.filter(status="granted").order_by("id")), fund.claims_close_on)


def why_period_later(period: EarningPeriod) -> str:
    """The same of a period's own date."""
    if period.revision == 1:
        return ""
    found = Extension.objects.filter(partner=None, earning_period=period, status="granted").order_by("id")
    return _said(list(found), period.claims_close_on)


def _said(granted: list[Extension], now: date) -> str:
    last = next((one for one in reversed(granted) if one.claims_close_on == now), None)
    if last is None:
        return ""
    first = min(one.claims_close_on_before for one in granted if one.claims_close_on_before)
    return f"Extended from {show_day(first)} to {show_day(now)} because: {last.reason}"


def last_request(fund: Fund) -> Extension | None:
    """What the fund's partner asked for last in this period, whatever became of it."""
    found = Extension.objects.select_related("asked_by", "decided_by", "earning_period__program")
    mine = found.filter(earning_period=fund.earning_period_id, partner=fund.partner_id, asked_by__isnull=False)
    return mine.order_by("-id").first()


def own_in_period(period: EarningPeriod) -> list[Extension]:
    """Extensions of single partners in a period, granted, the newest first."""
    found = Extension.objects.filter(earning_period=period, partner__isnull=False, status="granted")
    return list(found.select_related("partner", "decided_by").order_by("-id"))
