"""Solution-area guidance: the shares that the vendor advises, beside what is planned and claimed of a fund.

It is advice and never a refusal. Where no rule of the kind `guidance` holds for a fund there is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import F, Q

from claims import states
from claims.models import Activity, Claim, PlanActivity
from claims.queries.book import current_book
from claims.rules.book import Book, Case, Rule
from funds.models import Fund

AREA, CATEGORY = "solution_area", "category"
Spent = Mapping[str, Counter[str]]  # minor units by what a rule goes by, then by code


def percent(share: Decimal) -> str:
    """A share for people: 45 % or 33.3 %."""
    return f"{share.normalize():f} %"


@dataclass(frozen=True)
class Part:
    """One solution area or category: the share that is advised, and what is planned and claimed, in minor units."""

    code: str
    name: str
    target: Decimal
    planned_minor: int
    claimed_minor: int
    share: Decimal | None  # per cent of all that is planned and claimed, to one decimal; None while that is nothing

    @property
    def target_text(self) -> str:
        return percent(self.target)

    @property
    def share_text(self) -> str:
        return "nothing yet" if self.share is None else percent(self.share)

    @property
    def gap(self) -> Decimal:
        """By how many points the share lies above (or below) the target."""
        return Decimal(0) if self.share is None else self.share - self.target


@dataclass(frozen=True)
class Guidance:
    """One rule of guidance for one fund: by solution area, or by category."""

    by: str
    rule: Rule
    parts: list[Part]
    planned_minor: int
    claimed_minor: int

    @property
    def sentence(self) -> str:
        """What the shares say, in words: the part that is furthest below what is advised comes first."""
        if not self.planned_minor and not self.claimed_minor:
            return "Nothing is planned or claimed yet."
        part = min(self.parts, key=lambda part: part.gap)
        if part.gap >= 0:
            return "What you planned and claimed follows the shares that are advised."
        points = f"{-part.gap:f}".removesuffix(".0")
        return f"{part.name} is {points} points below the share that is advised."


def guidance_of(fund: Fund, at: datetime, book: Book | None = None) -> list[Guidance]:
    """The guidance for a fund on the day of an instant, by solution area first; empty where there is none."""
    day = at.astimezone(ZoneInfo(fund.program.time_zone)).date()
    day = min(max(day, fund.earning_period.use_from), fund.earning_period.use_to)
    book = book or current_book()
    rules = guidance_rules(book, fund, day)
    if not rules:
        return []
    planned, claimed = spending(fund)
    names = {
        AREA: book.areas_on(day),
        CATEGORY: book.categories_on(day),
    }
    return [guidance(rule, names, planned, claimed) for rule in rules]


def guidance_rules(book: Book, fund: Fund, day: date) -> list[Rule]:
    country = fund.location.country
    case = Case(fund.program.code, "", "", country, book.class_of(country, day), fund.partner.external_id, day)
    return book.of_kind("guidance", case)


def spending(fund: Fund) -> tuple[Spent, Spent]:
    """What is planned (sent, or approved and not claimed yet) and what is claimed of a fund, drafts left out."""
    first = fund.earning_period.use_from
    sent = Q(plan__status=states.SUBMITTED)
    approved = Q(plan__status=states.APPROVED)
    activities = PlanActivity.objects.filter(sent | approved, plan__fund=fund).select_related("activity", "plan")
    claims = Claim.objects.filter(fund=fund).annotate(minor=F("held_minor") + F("approved_minor")).filter(minor__gt=0)
    return (
        tally(
            (
                one.solution_area,
                one.activity,
                one.starts_on or first,
                one.requested_minor if one.plan.status == states.SUBMITTED else one.reserved_minor,
            )
            for one in activities
        ),
        tally(
            (claim.solution_area, claim.activity, claim.activity_from or first, claim.minor)
            for claim in claims.select_related("activity")
        ),
    )


def tally(rows: Iterable[tuple[str, Activity, date, int]]) -> Spent:
    """Amounts by solution area and by the category that the activity has on its day."""
    found: Spent = {AREA: Counter(), CATEGORY: Counter()}
    for area, activity, day, minor in rows:
        found[AREA][area] += minor
        found[CATEGORY][activity.category_on(day)] += minor
    return found


def guidance(rule: Rule, names: Mapping[str, Mapping[str, str]], planned: Spent, claimed: Spent) -> Guidance:
    """A rule's target shares beside what is planned and claimed; what names no area counts in the whole."""
    by = rule.params["by"]
    total = planned[by].total() + claimed[by].total()
    parts = [
        Part(
            code,
            names[by].get(code, code),
            Decimal(target),
            planned[by][code],
            claimed[by][code],
            (Decimal(planned[by][code] + claimed[by][code]) * 100 / total).quantize(Decimal("0.1")) if total else None,
        )
        for code, target in rule.params["shares"].items()
    ]
    return Guidance(by, rule, parts, planned[by].total(), claimed[by].total())
