"""A fund's statement as data, as CSV and as PDF. The same statement gives the same bytes, whenever it is printed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from coop.lib.dates import show_day, show_instant
from coop.lib.money import display, to_text
from coop.lib.pdf import Column, Paper
from coop.lib.spreadsheets import neutral
from funds import states
from funds.queries.past import FIGURES
from funds.queries.statement import Clocks, Statement, StatementLine

LABELS = {
    states.EARNED: "Earned",
    states.ADJUSTED: "Adjustments",
    states.AVAILABLE: "Available",
    states.RESERVED: "Reserved",
    states.IN_REVIEW: "In review",
    states.APPROVED: "Approved",
    states.PAID: "Paid",
    states.EXPIRED: "Expired",
    states.CONVERTED: "Converted",
}
MOVEMENT_COLUMNS = (
    "number",
    "effective_on",
    "recorded_at",
    "what",
    "reference",
    "reason",
    "note",
    "from",
    "to",
    "amount",
    "in",
    "out",
    "available",
)


def as_data(statement: Statement) -> dict[str, Any]:
    """For the API: money as strings, days and instants as ISO 8601."""
    fund, currency, clocks = statement.fund, statement.fund.currency, statement.clocks
    return {
        "fund": str(fund.pk),
        "partner": str(fund.partner_id),
        "partner_name": fund.partner.name,
        "location": str(fund.location_id),
        "location_name": fund.location.name,
        "program": fund.program.code,
        "program_name": fund.program.name,
        "earning_period": str(fund.earning_period_id),
        "earning_period_code": fund.earning_period.code,
        "currency": currency,
        "clocks": {name: [day.isoformat() for day in days] for name, days in days_of(clocks).items()},
        "from": statement.first.isoformat() if statement.first else None,
        "to": statement.last.isoformat(),
        "known_at": statement.known_at.isoformat().replace("+00:00", "Z"),
        "opening": amounts(statement.opening, currency),
        "movements": [movement(line, currency) for line in statement.lines],
        "closing": amounts(statement.closing, currency),
        "head": head_of(statement),
    }


def days_of(clocks: Clocks) -> dict[str, tuple[Any, ...]]:
    return {"earn": clocks.earn, "use": clocks.use, "claim": clocks.claim, "cure": (clocks.cure,)}


def amounts(found: dict[str, int], currency: str) -> dict[str, str]:
    return {name: to_text(found[name], currency) for name in FIGURES}


def movement(line: StatementLine, currency: str) -> dict[str, Any]:
    entry = line.entry
    return {
        "number": line.number,
        "entry": str(entry.pk),
        "kind": entry.kind,
        "text": entry.sentence,
        "effective_on": entry.effective_on.isoformat(),
        "recorded_at": entry.recorded_at.isoformat().replace("+00:00", "Z"),
        "reference": line.reference,
        "reason_code": entry.reason_code,
        "note": entry.note,
        "from_bucket": entry.from_bucket,
        "to_bucket": entry.to_bucket,
        "amount": to_text(entry.amount_minor, currency),
        "change": to_text(line.change_minor, currency),
        "available": to_text(line.available_minor, currency),
    }


def head_of(statement: Statement) -> dict[str, Any] | None:
    """The last entry included and its link of the fund's chain; None where nothing is."""
    head = statement.head
    return {"number": head.number, "entry": str(head.entry_id), "hash": bytes(head.hash).hex()} if head else None


# --- In words ---------------------------------------------------------------------------------------------------------


def identity(found: dict[str, int], currency: str) -> str:
    """The balance identity as a sum: "Earned 10.00 + adjustments 0.00 = available 10.00 + ... "."""

    def added(names: tuple[str, ...]) -> str:
        return " + ".join(f"{LABELS[name].lower()} {plain(found[name], currency)}" for name in names)

    left = added((states.EARNED, states.ADJUSTED))
    return f"{left[0].upper()}{left[1:]} = {added(states.BUCKETS)}"


def plain(minor: int, currency: str) -> str:
    """An amount for people without its currency."""
    return display(minor, currency).rpartition(" ")[0]


def title_of(statement: Statement) -> str:
    return f"Statement of the fund earned {span(*statement.clocks.earn)}"


def span(first: Any, last: Any) -> str:
    return f"{show_day(first)} to {show_day(last)}"


def facts_of(statement: Statement) -> list[tuple[str, str]]:
    """What stands at the head of a statement."""
    fund, clocks = statement.fund, statement.clocks
    return [
        ("Partner", f"{fund.partner.name} ({fund.partner.external_id})"),
        ("Location", f"{fund.location.name} ({fund.location.external_id})"),
        ("Program", fund.program.name),
        ("Earning period", str(fund.earning_period)),
        ("Currency", fund.currency),
        ("Earned", span(*clocks.earn)),
        ("Spend", span(*clocks.use)),
        ("Claim", span(*clocks.claim)),
        ("Mend returned claims", f"until {show_day(clocks.cure)}"),
        ("Fund number", str(fund.pk)),
        ("From", show_day(statement.first) if statement.first else "the beginning"),
        ("To", show_day(statement.last)),
        ("As known at", show_instant(statement.known_at)),
    ]


def proof_of(statement: Statement) -> str:
    """Which entry is the last one, and its link of the chain."""
    head = statement.head
    if head is None:
        return "No entry is included."
    return f"Last entry included: number {head.number} of the fund, with the chain's hash {bytes(head.hash).hex()}"


def moved_text(line: StatementLine, currency: str) -> str:
    """Where the money of a movement went that left *available* as it was."""
    entry = line.entry
    if line.change_minor:
        return ""
    return f"{plain(entry.amount_minor, currency)} from {entry.from_bucket} to {entry.to_bucket}".replace("_", " ")


def details_of(line: StatementLine, currency: str) -> str:
    entry = line.entry
    reason = states.REASON_CODES.get(entry.reason_code, "")
    return ", ".join(filter(None, (moved_text(line, currency), reason, entry.note)))


# --- CSV --------------------------------------------------------------------------------------------------------------


def as_csv(statement: Statement) -> bytes:
    """The whole statement as one CSV file: plain decimals, and no text that a spreadsheet would run."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(csv_rows(statement))
    return file.getvalue().encode()


def csv_rows(statement: Statement) -> Iterator[list[str]]:
    currency = statement.fund.currency
    yield ["Statement"]
    yield from ([neutral(name), neutral(value)] for name, value in facts_of(statement))
    yield from balance_rows("Opening", statement.opening, currency)
    yield []
    yield list(MOVEMENT_COLUMNS)
    for line in statement.lines:
        entry, change = line.entry, to_text(abs(line.change_minor), currency)
        yield [
            str(line.number),
            entry.effective_on.isoformat(),
            entry.recorded_at.isoformat().replace("+00:00", "Z"),
            neutral(entry.sentence),
            neutral(line.reference),
            neutral(entry.reason_code),
            neutral(entry.note),
            entry.from_bucket,
            entry.to_bucket,
            to_text(entry.amount_minor, currency),
            change if line.change_minor > 0 else "",
            change if line.change_minor < 0 else "",
            to_text(line.available_minor, currency),
        ]
    yield from balance_rows("Closing", statement.closing, currency)
    yield []
    yield ["Identity", identity(statement.closing, currency)]
    yield ["Proof", proof_of(statement)]


def balance_rows(name: str, found: dict[str, int], currency: str) -> Iterator[list[str]]:
    yield []
    yield [f"{name} balance"]
    yield from ([LABELS[figure], to_text(found[figure], currency)] for figure in FIGURES)


# --- PDF --------------------------------------------------------------------------------------------------------------


def as_pdf(statement: Statement) -> bytes:
    fund, currency = statement.fund, statement.fund.currency
    paper = Paper(
        title_of(statement),
        subtitle=f"{fund.partner.name}, {fund.location.name}",
        at=statement.known_at,
        footer=f"Fund {fund.pk}, to {show_day(statement.last)}, as known at {show_instant(statement.known_at)}",
        wide=True,
    )
    paper.facts(facts_of(statement))
    paper.heading("Balances")
    paper.table(
        [Column("Where the money is", 3), Column("Opening", 2, amount=True), Column("Closing", 2, amount=True)],
        [
            (LABELS[name], *(plain(found[name], currency) for found in (statement.opening, statement.closing)))
            for name in FIGURES
        ],
    )
    paper.write(identity(statement.closing, currency))
    paper.heading("Movements")
    if statement.lines:
        paper.table(
            [
                Column("No.", 0.6),
                Column("Day", 1.3),
                Column("Recorded", 2.3),
                Column("What", 3.3),
                Column("Reference", 2.2),
                Column("In", 1.4, amount=True),
                Column("Out", 1.4, amount=True),
                Column("Available", 1.5, amount=True),
            ],
            [pdf_row(line, currency) for line in statement.lines],
        )
    else:
        paper.write("Nothing happened in this fund on these days.")
    paper.write(proof_of(statement), muted=True)
    return paper.bytes()


def pdf_row(line: StatementLine, currency: str) -> tuple[str, ...]:
    entry, details = line.entry, details_of(line, currency)
    change = plain(abs(line.change_minor), currency)
    return (
        str(line.number),
        show_day(entry.effective_on),
        show_instant(entry.recorded_at),
        f"{entry.sentence}\n{details}" if details else entry.sentence,
        line.reference,
        change if line.change_minor > 0 else "",
        change if line.change_minor < 0 else "",
        plain(line.available_minor, currency),
    )


def filename_of(statement: Statement, kind: str) -> str:
    fund = statement.fund
    return f"statement-{fund.pk}-{fund.earning_period.code}-{statement.last.isoformat()}.{kind}".lower()
