"""What the partners of the story earned, and the reports in which the vendor sends it: files in both forms, and REST lines.

A total for each enrollment and half is spread over months and levers by fixed weights, so that the same lines come out
each time and no amount is round.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from coop.lib import money
from coop.story.cast import DIRECT, HOSTING, MIXED_REALITY, RESELLER, SURFACE

# Incentives in USD by location and program: earned from January to June 2023, July to December 2023, January to June 2024,
# and in July 2024.
TOTALS = {
    ("5512301", RESELLER): ("96412.37", "152718.64", "168240.91", "24377.18"),
    ("5512301", SURFACE): ("11208.45", "14882.30", "9514.77", "1912.04"),
    ("5512302", RESELLER): ("41377.92", "58940.16", "61005.48", "9840.66"),
    ("5512303", HOSTING): ("6418.20", "7905.73", "8122.05", "1204.51"),
    ("5540117", RESELLER): ("18244.63", "31906.52", "20411.08", "3980.12"),
    ("6120450", DIRECT): ("121540.18", "134227.90", "141663.02", "21118.47"),
    ("6120451", DIRECT): ("33815.76", "47390.25", "52208.81", "8640.93"),
    ("6133908", RESELLER): ("27930.44", "26118.37", "22507.66", "3312.80"),
    ("7204416", RESELLER): ("58226.09", "72641.58", "69730.12", "11406.35"),
    ("7204416", SURFACE): ("5120.83", "4877.12", "6203.55", "905.40"),
    ("7204417", RESELLER): ("26715.50", "30482.77", "34018.20", "5077.63"),
    ("7219032", HOSTING): ("9372.61", "10244.39", "8906.14", "1388.92"),
    ("8300721", DIRECT): ("88450.71", "101368.08", "96712.45", "15902.74"),
    ("8300722", DIRECT): ("26208.94", "27440.37", "29118.66", "4511.20"),
    ("8300722", MIXED_REALITY): ("4316.29",),
    ("8311265", HOSTING): ("5004.16", "6871.92", "7440.58", "1126.33"),
}
HALVES = {"FY23-H2": (0, 2023, 1), "FY24-H1": (1, 2023, 7), "FY24-H2": (2, 2024, 1)}
MONTHS = (1_390, 1_520, 1_760, 1_610, 1_845, 1_875)  # parts of ten thousand
LEVERS = (("Base incentive", 6_420), ("Growth accelerator", 3_580))
COOP_BP = 4_000
# US dollars for one unit of the money in which each country's partners sell, and the day of the rate.
RATES = {"6": ("EUR", "1.0831"), "7": ("GBP", "1.2647"), "8": ("JPY", "0.006842")}
NAMES = {
    RESELLER: "MCI CSP indirect reseller",
    DIRECT: "MCI CSP direct bill partner",
    HOSTING: "Hosting",
    SURFACE: "Surface authorized device reseller",
    MIXED_REALITY: "Mixed Reality authorized device distributor",
}


@dataclass(frozen=True)
class Earned:
    """One incentive that the vendor calculated, in US cents."""

    id: str
    location: str
    program: str
    day: date
    minor: int
    lever: str
    reason: str = ""


def earned_in(half: str, months: range = range(6)) -> Iterator[Earned]:
    """The incentives of one half, or of some of its months counted from 0."""
    column, year, first_month = HALVES[half]
    for (location, program), totals in TOTALS.items():
        if column >= len(totals):
            continue
        by_month = spread(money.to_minor(totals[column], "USD"), MONTHS)
        for number in months:
            for lever, (name, _) in enumerate(LEVERS):
                minor = spread(by_month[number], [weight for _, weight in LEVERS])[lever]
                day = date(year, first_month + number, 24 + (number + lever) % 5)
                key = f"{half[2:4]}{half[-1]}-{location}-{program[:3]}-{number + 1}{lever + 1}"
                yield Earned(f"E-{key}", location, program, day, minor, name)


def earned_in_july() -> list[Earned]:
    """The first incentives of FY25 H1: two days of July 2024."""
    found = []
    for (location, program), totals in TOTALS.items():
        if len(totals) > len(HALVES):
            first, second = spread(money.to_minor(totals[-1], "USD"), (6_180, 3_820))
            key = f"251-{location}-{program[:3]}"
            found.append(Earned(f"E-{key}-11", location, program, date(2024, 7, 15), first, "Base incentive"))
            found.append(Earned(f"E-{key}-12", location, program, date(2024, 7, 29), second, "Growth accelerator"))
    return found


def spread(minor: int, weights: Sequence[int]) -> list[int]:
    """An amount in parts of these weights out of ten thousand; the last takes what rounding leaves."""
    parts = [minor * weight // 10_000 for weight in weights[:-1]]
    return [*parts, minor - sum(parts)]


# --- As the vendor writes it ------------------------------------------------------------------------------------------


def incentives_file(lines: Sequence[Earned], *more: Sequence[str]) -> bytes:
    """The small form: unsplit incentives in dollars, as CSV. `more` are further rows, as they stand in the file."""
    rows = [["external_id", "location", "program", "earned_on", "amount", "currency", "lever", "reasonCode"]]
    rows += [
        [
            line.id,
            line.location,
            line.program,
            line.day.isoformat(),
            dollars(line.minor),
            "USD",
            line.lever,
            line.reason,
        ]
        for line in lines
    ]
    return table([*rows, *(list(row) for row in more)], ",")


def report_file(lines: Sequence[Earned]) -> bytes:
    """The vendor portal's form: tab-separated, split already, in the partner's own money with the amount in dollars."""
    rows = [
        "earningId participantId participantName partnerCountryCode programName earningType lever earningDate earningAmount "
        "transactionCurrency earningAmountUSD earningExchangeRate exchangeRateDate reasonCode calculationDate".split()
    ]
    for line in lines:
        currency, rate = RATES[line.location[0]]
        coop = money.share(line.minor, COOP_BP)
        for kind, minor in (("Rebate", line.minor - coop), ("Coop", coop)):
            rows.append(
                [
                    f"{line.id}-{kind[0]}",
                    line.location,
                    f"Location {line.location}",
                    {"EUR": "DE", "GBP": "GB", "JPY": "JP"}[currency],
                    NAMES[line.program],
                    kind,
                    line.lever,
                    f"{line.day.isoformat()}T00:00:00Z",
                    in_their_money(minor, currency, rate),
                    currency,
                    dollars(minor),
                    rate,
                    line.day.replace(day=1).isoformat(),
                    line.reason,
                    line.day.replace(day=28).isoformat(),
                ]
            )
    return table(rows, "\t")


def rest_lines(lines: Sequence[Earned]) -> list[dict[str, str | None]]:
    """The same as lines of a REST request, in dollars."""
    return [
        {
            "external_id": line.id,
            "location_code": line.location,
            "program_code": line.program,
            "kind": "incentive",
            "earned_text": line.day.isoformat(),
            "amount_text": dollars(line.minor),
            "currency": "USD",
            "lever": line.lever,
            "reason_code": line.reason,
        }
        for line in lines
    ]


def dollars(minor: int) -> str:
    return money.to_text(minor, "USD")


def in_their_money(minor: int, currency: str, rate: str) -> str:
    unit = Decimal(1).scaleb(-money.decimals(currency))
    return f"{(money.to_decimal(minor, 'USD') / Decimal(rate)).quantize(unit, ROUND_HALF_EVEN):f}"


def table(rows: Sequence[Sequence[str]], delimiter: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
