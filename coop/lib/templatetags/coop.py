"""Filters that pages use for money and dates, so that they read the same everywhere. Loaded in every template."""

from __future__ import annotations

from datetime import date, datetime

from django import template

from coop.lib import dates
from coop.lib import money as amounts

register = template.Library()


@register.filter
def money(minor: int | None, currency: str) -> str:
    """Minor units for people: {{ fund.available_minor|money:fund.currency }} is 4,200.00 USD."""
    return "" if minor is None else amounts.display(minor, currency)


@register.filter
def day(value: date | None) -> str:
    """14 Aug 2024"""
    return dates.show_day(value) if value else ""


@register.filter
def instant(value: datetime | None, zone: str = "UTC") -> str:
    """14 Aug 2024, 09:30 UTC"""
    return dates.show_instant(value, zone) if value else ""


@register.filter
def deadline(value: datetime | None, zone: str = "UTC") -> str:
    """The last second in time of a half-open closing instant: 14 Aug 2024, 23:59:59 UTC"""
    return dates.show_deadline(value, zone) if value else ""
