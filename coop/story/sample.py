"""A report as the vendor's portal exports it, of any length, for whoever is enrolled here: something to try an import with.

The same seed, clock and enrollments give the same bytes. Nothing is posted; nobody and nothing in it is real.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID

from django.db.models import Q

from coop.lib import money
from coop.lib.errors import Invalid
from funds.models import EarningPeriod, Enrollment, ProgramSplit
from funds.states import IMPORT_FORMATS

PARTNER_CENTER, INCENTIVES = IMPORT_FORMATS
# The first fourteen are read, the others are kept with the line. Source: domain.md section 8.
REPORT = (
    "earningId participantId participantName partnerCountryCode programName earningType lever earningDate earningAmount "
    "transactionCurrency earningAmountUSD earningExchangeRate exchangeRateDate reasonCode participantIdType "
    "calculationDate earningRate transactionId transactionDate transactionAmount transactionAmountUSD quantity "
    "customerName customerTenantId customerCountry productName subscriptionId resellerId resellerName distributorId "
    "distributorName claimId estimatedPaymentMonth paymentId paymentStatus paymentStatusDescription lastPaymentCurrency "
    "earningAmountInLastPaymentCurrency engagementName solutionArea workload"
).split()
UNSPLIT = "external_id location program earned_on amount currency lever reasonCode customerName quantity".split()

LEVERS = ("Base incentive", "Growth accelerator", "New customer add", "Strategic product")
PRODUCTS = (
    ("Business suite, annual", "Modern Work", "Productivity"),
    ("Endpoint security", "Security", "Identity and devices"),
    ("Cloud compute, reserved", "Azure", "Infrastructure"),
    ("Cloud database", "Azure", "Data"),
    ("Sales workspace", "Business Applications", "Customer engagement"),
)
FIRST = (
    "Amber",
    "Birch",
    "Copper",
    "Delta",
    "Elm",
    "Falcon",
    "Granite",
    "Hazel",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lark",
)
LAST = ("Dental", "Freight", "Joinery", "Kitchens", "Legal", "Logistics", "Media", "Optics", "Orchards", "Schools")
# The money of a partner's country, and its worth in dollars.
FOREIGN = {"DE": ("EUR", "1.0831"), "GB": ("GBP", "1.2647"), "JP": ("JPY", "0.006842")}
REASONS = ("wrong_calculation", "ops_adjustment", "ar_compliance")
RATES = (375, 500, 725, 1_000)  # basis points of the sale that the vendor pays

# One sale in so many is in foreign money, corrects another, or comes late for the half before; one line in so many is bad.
FOREIGN_EVERY, CORRECTED_EVERY, LATE_EVERY, BAD_EVERY = 23, 61, 307, 1_700
LATE_DAYS = 60


@dataclass(frozen=True)
class Place:
    """One enrollment that earns now: where, in what, how its earnings are split, and on which days."""

    enrollment: Enrollment
    period: EarningPeriod
    coop_bp: int
    days: int


Row = dict[str, str]
# What is wrong with a bad line, in turn: each is rejected with another reason.
FAULTS: tuple[Callable[[Row], Mapping[str, str]], ...] = (
    lambda row: {"participantId": "5599999"},
    lambda row: {"earningAmount": f"{row['earningAmount']}7"},
    lambda row: {"earningDate": "31.02.2024"},
    lambda row: {"programName": f"{row['programName']} (old)"},
    lambda row: {"transactionCurrency": "EURO"},
    lambda row: {"earningAmount": "n/a"},
    lambda row: {"earningDate": "2019-03-31T00:00:00Z"},
)
IN_SHORT = {
    "earningId": "external_id",
    "participantId": "location",
    "programName": "program",
    "earningDate": "earned_on",
    "earningAmount": "amount",
    "transactionCurrency": "currency",
}


def sample_rows(lines: int, *, form: str, seed: int, at: datetime) -> Iterator[list[str]]:
    """The header and so many lines. Raises Invalid where nobody earns at the instant `at`."""
    places = earning_places(at)
    if not places:
        raise Invalid.field(
            "lines", "No location is enrolled in a program that earns now. Load the story, or enroll one.", "nobody"
        )
    return rows_of(places, lines, form=form, seed=seed)


def rows_of(places: list[Place], lines: int, *, form: str, seed: int) -> Iterator[list[str]]:
    chance = random.Random(f"{seed} {form}")  # noqa: S311 - a sample, not a secret
    names = REPORT if form == PARTNER_CENTER else UNSPLIT
    yield list(names)
    make = report_rows if form == PARTNER_CENTER else unsplit_rows
    made, sale = 0, 0
    while made < lines:
        sale += 1
        for row in make(chance.choice(places), sale, seed, chance):
            made += 1
            if made > lines:
                return
            fault = FAULTS[made // BAD_EVERY % len(FAULTS)] if made % BAD_EVERY == BAD_EVERY // 2 else None
            said = {**row, **bad(row, fault)} if fault else row
            yield [said.get(name, "") for name in names]


def bad(row: Row, fault: Callable[[Row], Mapping[str, str]]) -> Row:
    """What a fault changes, by the names of the row's own form."""
    if "earningId" in row:
        return dict(fault(row))
    long = {name: row[short] for name, short in IN_SHORT.items()}
    return {IN_SHORT[name]: value for name, value in fault(long).items()}


def earning_places(at: datetime) -> list[Place]:
    """Enrollments in programs of which a period earns now and some share is co-op, in a lasting order."""
    found = []
    periods = EarningPeriod.objects.filter(earn_open_at__lte=at, earn_close_at__gt=at).select_related("program")
    for period in periods.order_by("program__code"):
        valid = Q(valid_to__isnull=True) | Q(valid_to__gte=period.earn_from)
        split = ProgramSplit.objects.filter(
            valid, program_id=period.program_id, valid_from__lte=period.earn_from
        ).last()
        last = min(at.date(), period.earn_to)
        whole = Q(ends_on__isnull=True) | Q(ends_on__gte=last)
        enrolled = Enrollment.objects.filter(whole, program_id=period.program_id, starts_on__lte=period.earn_from)
        if split and split.coop_bp:
            days = (last - period.earn_from).days + 1
            enrolled = enrolled.select_related("location__partner", "program").order_by("location__external_id")
            found += [Place(enrollment, period, split.coop_bp, days) for enrollment in enrolled]
    return found


def earned(place: Place, number: int, chance: random.Random) -> tuple[int, date]:
    """An incentive in minor units of the program's currency, skewed as real ones are, and its day."""
    minor = chance.randint(3, 160) * chance.randint(2, 160) + chance.randint(0, 99)
    day = place.period.earn_from + timedelta(days=chance.randrange(place.days))
    late = place.period.earn_from - timedelta(days=chance.randint(1, LATE_DAYS))
    if number % LATE_EVERY == 0 and place.enrollment.starts_on <= late:
        return minor, late
    return (-minor // 2 if number % CORRECTED_EVERY == 0 else minor), day


def reason_of(place: Place, minor: int, day: date, chance: random.Random) -> str:
    """Why a line corrects another, or comes late; most lines have no reason."""
    if day < place.period.earn_from:
        return "previous_period"
    return chance.choice(REASONS) if minor < 0 else ""


def report_rows(place: Place, number: int, seed: int, chance: random.Random) -> Iterator[Row]:
    """One sale in the portal's form: a line for the rebate and one for the co-op of its incentive."""
    minor, day = earned(place, number, chance)
    coop = money.share(minor, place.coop_bp)
    shared = sale_of(place, number, seed, minor, day, chance)
    for kind, part in (("Rebate", minor - coop), ("Coop", coop)):
        amounts = amounts_of(place, number, part, day)
        if amounts["earningAmount"].strip("-0."):
            yield {**shared, "earningId": f"{shared['transactionId']}-{kind[0]}", "earningType": kind, **amounts}


def sale_of(place: Place, number: int, seed: int, minor: int, day: date, chance: random.Random) -> Row:
    """What the lines of one sale have in common."""
    location, currency = place.enrollment.location, place.enrollment.program.currency
    product, area, workload = chance.choice(PRODUCTS)
    rate = chance.choice(RATES)
    sold = money.to_text(minor * 10_000 // rate, currency)
    return {
        "participantId": location.external_id,
        "participantName": f"{location.partner.name}, {location.name}",
        "partnerCountryCode": location.country,
        "programName": place.enrollment.program.name,
        "lever": chance.choice(LEVERS),
        "earningDate": f"{day.isoformat()}T00:00:00Z",
        "reasonCode": reason_of(place, minor, day, chance),
        "participantIdType": "Location",
        "calculationDate": (day + timedelta(days=1)).isoformat(),
        "earningRate": f"{Decimal(rate) / 100:f}",
        "transactionId": f"T-{place.period.code[2:4]}{place.period.code[-1]}-{seed}-{number:07d}",
        "transactionDate": day.isoformat(),
        "transactionAmount": sold,
        "transactionAmountUSD": sold,
        "quantity": str(chance.randint(1, 40)),
        "customerName": f"{chance.choice(FIRST)} {chance.choice(LAST)}",
        "customerTenantId": str(UUID(int=chance.getrandbits(128), version=4)),
        "customerCountry": location.country,
        "productName": product,
        "subscriptionId": str(UUID(int=chance.getrandbits(128), version=4)),
        "estimatedPaymentMonth": f"{day + timedelta(days=45):%Y-%m}",
        "paymentStatus": "Unprocessed",
        "paymentStatusDescription": "Waits for the payment cycle of its month",
        "solutionArea": area,
        "workload": workload,
    }


def amounts_of(place: Place, number: int, minor: int, day: date) -> Row:
    """The amount in the program's currency; of some lines in the partner's own, with the program's beside it."""
    currency = place.enrollment.program.currency
    own, rate = FOREIGN.get(place.enrollment.location.country, (currency, "1"))
    text = money.to_text(minor, currency)
    said = {"earningAmountUSD": text, "exchangeRateDate": day.replace(day=1).isoformat()}
    if own == currency or number % FOREIGN_EVERY:
        return {**said, "earningAmount": text, "transactionCurrency": currency, "earningExchangeRate": "1"}
    unit = Decimal(1).scaleb(-money.decimals(own))
    foreign = (money.to_decimal(minor, currency) / Decimal(rate)).quantize(unit, ROUND_HALF_EVEN)
    return {**said, "earningAmount": f"{foreign:f}", "transactionCurrency": own, "earningExchangeRate": rate}


def unsplit_rows(place: Place, number: int, seed: int, chance: random.Random) -> Iterator[Row]:
    """One sale in the small form: an incentive that is still to be split, in the program's currency."""
    minor, day = earned(place, number, chance)
    currency = place.enrollment.program.currency
    yield {
        "external_id": f"I-{place.period.code[2:4]}{place.period.code[-1]}-{seed}-{number:07d}",
        "location": place.enrollment.location.external_id,
        "program": place.enrollment.program.code,
        "earned_on": day.isoformat(),
        "amount": money.to_text(minor, currency),
        "currency": currency,
        "lever": chance.choice(LEVERS),
        "reasonCode": reason_of(place, minor, day, chance),
        "customerName": f"{chance.choice(FIRST)} {chance.choice(LAST)}",
        "quantity": str(chance.randint(1, 40)),
    }
