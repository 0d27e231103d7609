"""A file as the vendor's portal exports it, with all columns of domain.md section 8; the same bytes for the same size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

LOCATIONS = 20_000
COLUMNS = (
    "earningId participantId participantName partnerCountryCode programName earningType lever earningDate earningAmount "
    "transactionCurrency earningAmountUSD earningExchangeRate exchangeRateDate reasonCode participantIdType calculationDate "
    "earningRate transactionId transactionDate transactionAmount transactionAmountUSD quantity customerName customerTenantId "
    "customerCountry productName subscriptionId resellerId resellerName distributorId distributorName claimId "
    "estimatedPaymentMonth paymentId paymentStatus paymentStatusDescription lastPaymentCurrency "
    "earningAmountInLastPaymentCurrency engagementName solutionArea workload"
).split()
DAYS = [f"2023-{month:02d}-{day:02d}" for month in range(7, 12) for day in range(1, 29)]
CUSTOMERS = [
    f"Customer {name} {form}"
    for name in ("Contoso", "Fabrikam", "Litware", "Proseware", "Tailspin")
    for form in ("Ltd", "GmbH", "Inc", '""Nord"" AB')
]
PRODUCTS = [f"Product {number} (annual, per user)" for number in range(97)]
LEVERS = ("Core incentive", "Strategic accelerator", "Growth accelerator", "Global product promotion")
AREAS = ("Modern Work", "Security", "Business Applications", "Azure")
WORKLOADS = ("Teams", "Exchange", "Defender", "Sentinel", "Dynamics Sales", "Virtual machines", "SQL")
SPREAD, MASK = 0x9E3779B97F4A7C15F39CC0605CEDC835, (1 << 128) - 1


def lines(count: int, program: str, locations: int) -> Iterator[str]:
    """The lines in pairs: the rebate and the co-op of one earning. Amounts have both signs; some are in euro."""
    for number in range(count):
        earning, coop = divmod(number, 2)
        scattered = earning * SPREAD & MASK
        place = (scattered >> 20) % locations
        day = DAYS[(scattered >> 40) % len(DAYS)]
        cents = 500 + (scattered >> 60) % 250_000
        sign = "-" if (scattered >> 90) % 50 == 0 else ""
        share = cents * 2 // 5 if coop else cents - cents * 2 // 5
        if (scattered >> 100) % 20:
            currency, rate, rate_on, dollars = "USD", "1", day, share
        else:
            currency, rate, rate_on, dollars = "EUR", "1.0842", day, share * 10842 // 10000
        euro = f"{sign}{share // 100}.{share % 100:02d}"
        dollar = f"{sign}{dollars // 100}.{dollars % 100:02d}"
        kind = "Coop" if coop else "Rebate"
        name = f"{(number + 1) * SPREAD & MASK:032x}"
        whole = f"{cents // 100 * 20}.00"
        yield (
            f"{name[:8]}-{name[8:12]}-{name[12:]},L{1_000_001 + place},Partner {place + 1},US,{program},{kind},"
            f"{LEVERS[place % 4]},{day},{euro},{currency},{dollar},{rate},{rate_on},,"
            f"PartnerLocation,{day},0.05,{scattered:032x},{day},{whole},{whole},{1 + place % 40},"
            f'"{CUSTOMERS[place % 20]}",{scattered >> 32:024x},US,"{PRODUCTS[place % 97]}",{scattered >> 16:028x},'
            f"R{place % 997},Reseller {place % 997},D{place % 31},Distributor {place % 31},,2024-01,,Unprocessed,"
            f"Waits for the payment of its month,USD,{dollar},,{AREAS[place % 4]},{WORKLOADS[place % 7]}\n"
        )


def write(path: Path, count: int, program: str, locations: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(COLUMNS) + "\n")
        file.writelines(lines(count, program, locations))
    path.chmod(0o644)
    return path
