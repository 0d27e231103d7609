"""Exchange rates: loaded from a file, kept for ever. A rate that was loaded is never changed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import IO, NamedTuple

from django.db import transaction

from coop.lib.db import execute
from coop.lib.errors import FieldError, TooLarge
from funds.files.rates import MAX_BYTES, Rate, read_rates, require_right
from funds.files.unpacking import size_of
from funds.models import ExchangeRate
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import FINANCE

Key = tuple[str, str, date]


class Loaded(NamedTuple):
    new: int
    unchanged: int


@transaction.atomic
def load_rates(*, file: IO[bytes], by: Person | None, at: datetime) -> Loaded:
    """Load the rates of a CSV file, all or none. A row that is known with the same rate changes nothing.

    `by` is None for the command line. Raises NotAllowed, TooLarge, Invalid with all that is wrong in all lines: a day that
    is known with another rate too, because a conversion was or may be made by it.
    """
    execute("LOCK TABLE funds_exchangerate IN SHARE ROW EXCLUSIVE MODE")
    if by is not None:
        require_role(by, FINANCE, to="load exchange rates")
    if size_of(file) > MAX_BYTES:
        raise TooLarge(f"A file of rates has at most {MAX_BYTES:,} bytes. Split it.")
    rates = read_rates(file, today=at.date())
    new = _new_ones(rates)
    ExchangeRate.objects.bulk_create(
        [
            ExchangeRate(
                base=rate.base,
                quote=rate.quote,
                on=rate.on,
                rate=rate.rate,
                source=rate.source,
                loaded_by=by,
                loaded_at=at,
            )
            for rate in new
        ],
        batch_size=5_000,
    )
    if new:
        newest = ExchangeRate.objects.latest("id")
        sources = sorted({rate.source for rate in new})
        events.record("rates.loaded", newest, by=by, at=at, vendor_only=True, new=len(new), sources=sources[:10])
    return Loaded(len(new), len(rates) - len(new))


def _new_ones(rates: list[Rate]) -> list[Rate]:
    """The rates that are not known yet, each once. Raises Invalid with every day that has two rates."""
    known: dict[Key, tuple[str, Decimal]] = {
        (row.base, row.quote, row.on): (f"known from {row.source}", row.rate)
        for row in ExchangeRate.objects.filter(
            base__in={rate.base for rate in rates}, on__gte=min(rate.on for rate in rates)
        )
    }
    new: list[Rate] = []
    errors: list[FieldError] = []
    for rate in rates:
        key = (rate.base, rate.quote, rate.on)
        if key not in known:
            known[key] = (f"in line {rate.line_no}", rate.rate)
            new.append(rate)
        elif known[key][1] != rate.rate:
            where, value = known[key]
            errors.append(
                FieldError(
                    f"rows.{rate.line_no}.rate",
                    "conflict_with_existing",
                    f"Line {rate.line_no}: {rate.base}/{rate.quote} on {rate.on} is {plain(rate.rate)} here and "
                    f"{plain(value)} {where}. A rate that was loaded is never changed.",
                )
            )
    require_right(errors)
    return new


def plain(rate: Decimal) -> str:
    """A rate without the zeros at its end."""
    return f"{rate.normalize():f}"
