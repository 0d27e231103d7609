"""For whom the catalog is read: the programs, the fund and the country that somebody most likely means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from funds.models import Enrollment, Fund, Program
from partners.models import Person


def paying_fund(funds: Sequence[Fund], program: Program, country: str, day: date) -> Fund | None:
    """The fund of a program that pays for work of a day: first one of a location in the country."""
    paying = [fund for fund in funds if fund.program_id == program.pk and pays_on(fund, day)]
    return next((fund for fund in paying if fund.location.country == country), next(iter(paying), None))


def pays_on(fund: Fund, day: date) -> bool:
    return fund.earning_period.use_from <= day <= fund.earning_period.use_to


def programs_for(person: Person) -> list[Program]:
    """A partner's programs; all of them for the vendor, and for a partner that is in none yet."""
    enrolled = Enrollment.objects.visible_to(person).values("program") if person.partner_id else None
    found = list(Program.objects.filter(pk__in=enrolled)) if enrolled is not None else []
    return found or list(Program.objects.all())


def best_fund(funds: Sequence[Fund], at: datetime) -> Fund | None:
    """The fund that the reader most likely means: money to spend first, then the nearest deadline."""
    live = [fund for fund in funds if at < fund.claims_close_at]
    return min(
        live,
        key=lambda fund: (
            not fund.earning_period.use_open_at <= at < fund.earning_period.use_close_at,
            fund.available_minor <= 0,
            fund.claims_close_at,
            fund.pk,
        ),
        default=None,
    )


def home_country(person: Person) -> str:
    return person.partner.country if person.partner else "US"
