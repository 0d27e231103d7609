"""Which periods are alive: a clock of them runs, or a close that is due has not been completed."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from funds.models import EarningPeriod, Fund, Program


def live_periods(at: datetime, *, program: str = "") -> QuerySet[EarningPeriod]:
    """Periods with funds that are being earned, spent, claimed or mended, the one that closes next first."""
    ends = Q(cure_close_at__gt=at) | Q(settled_at=None) | Q(expired_at=None)
    found = EarningPeriod.objects.filter(ends, Exists(Fund.objects.filter(earning_period=OuterRef("pk"))))
    found = found.filter(program__code=program) if program else found
    return found.select_related("program").order_by("claims_close_at", "program__name", "id")


def programs_with_periods(at: datetime) -> list[Program]:
    return list(Program.objects.filter(id__in=live_periods(at).values("program")).order_by("name"))
