"""In-house work: who worked, when, for how long and at what cost; and its certification statement and report (CSR).

The CSR is made from these words, signed in the product and kept as a document. A line that says something else afterwards
loses it: `change_line` takes a signed CSR away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction

from claims.models import Claim, ClaimLine, Document
from claims.operations.documents import add_document
from claims.operations.drafting import add_line, change_line, lock_line, void_signature
from claims.operations.opening import touched
from claims.permissions import require_writer
from claims.queries.shares import proposed_minor
from coop.lib import money
from coop.lib.dates import show_day, show_instant
from coop.lib.errors import FieldError, Invalid
from coop.lib.pdf import Column, Paper
from coop.lib.text import text_fault
from partners.models import Person

STATEMENT = (
    "The work described here was done by our own people in the hours stated. Its cost is what it cost us, without profit. "
    "Nobody else has paid for it or was asked to."
)
MOST_ROWS = 50
MOST_HOURS = Decimal(10_000)


@dataclass(frozen=True)
class Work:
    """What one person did: the days (both inclusive), the hours as a plain decimal, and the cost of one hour."""

    name: str
    role: str
    first_day: date | None
    last_day: date | None
    hours: str
    hourly_minor: int

    def cost_minor(self) -> int:
        """Hours by the hourly cost, rounded half-even to a minor unit."""
        return int((Decimal(self.hours) * self.hourly_minor).to_integral_value())


def read_hours(text: str) -> str:
    """Hours in their plain form, for example 7.5. Raises ValueError for what is not above zero with two decimals at most."""
    try:
        hours = Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if not hours.is_finite() or not 0 < hours <= MOST_HOURS or hours != round(hours, 2):
        raise ValueError("not hours")
    return f"{hours.normalize():f}"


def work_of(line: ClaimLine) -> list[Work]:
    """Who worked, as a line keeps it; nothing for a line that came with a CSR of the partner's own."""
    return [
        Work(
            row["name"],
            row["role"],
            date.fromisoformat(row["first_day"]) if row["first_day"] else None,
            date.fromisoformat(row["last_day"]) if row["last_day"] else None,
            row["hours"],
            row["hourly_minor"],
        )
        for row in line.details.get("csr", {}).get("rows", [])
    ]


def statement_of(line: ClaimLine) -> str:
    return str(line.details.get("csr", {}).get("statement", STATEMENT))


@transaction.atomic
def save_csr(
    claim_id: int,
    line_id: int | None,
    *,
    description: str,
    work: Sequence[Work],
    statement: str = STATEMENT,
    amount_minor: int | None = None,
    details: Mapping[str, str] | None = None,
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> ClaimLine:
    """Add in-house work to an open claim (`line_id` None), or change it. What it cost is the sum of its rows.

    Without an amount, what the allowance pays of the cost is claimed. What was signed before is void. Raises NotFound,
    NotAllowed, Stale, WrongStatus, Invalid with all faults.
    """
    require_work(description, work, statement)
    cost = sum(row.cost_minor() for row in work)
    claim = (
        Claim.objects.select_related("fund__earning_period", "fund__partner", "activity").filter(id=claim_id).first()
    )
    amount = amount_minor if amount_minor is not None else proposed_minor(claim, cost) if claim else cost
    rows = [{**asdict(row), "first_day": iso(row.first_day), "last_day": iso(row.last_day)} for row in work]
    values: dict[str, Any] = {
        "supplier": ", ".join(dict.fromkeys(row.name for row in work))[:200],
        "description": description,
        "cost_minor": cost,
        "amount_minor": amount,
        "details": details or {},
        "csr": {"rows": rows, "statement": statement},
    }
    if line_id is None:
        return add_line(claim_id, kind="csr", **values, revision=revision, by=by, at=at)
    return change_line(claim_id, line_id, values, revision=revision, by=by, at=at)


def iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def require_work(description: str, work: Sequence[Work], statement: str) -> None:
    """Refuse work that cannot be certified, all faults at once. Raises Invalid."""
    errors = [
        FieldError(name, "invalid", fault)
        for name, text in (("description", description), ("statement", statement))
        if (fault := text_fault(text, one_line=name != "statement"))
    ]
    if not description.strip():
        errors.append(FieldError("description", "required", "Say what was done, in a few words."))
    if not statement.strip() or len(statement) > 1_000:
        errors.append(FieldError("statement", "required", "Write what you certify, in at most 1,000 characters."))
    if not 0 < len(work) <= MOST_ROWS:
        errors.append(FieldError("work", "required", f"Name at least one person who worked, and at most {MOST_ROWS}."))
    for number, row in enumerate(work):
        errors += [FieldError(f"work.{number}.{name}", "invalid", said) for name, said in row_faults(row)]
    if errors:
        raise Invalid(errors=errors)


def row_faults(row: Work) -> list[tuple[str, str]]:
    """What is wrong with one row, by its field."""
    found = [(name, fault) for name in ("name", "role") if (fault := text_fault(getattr(row, name)))]
    if not row.name.strip() or len(row.name) > 100:
        found.append(("name", "Give the name of the person who worked."))
    if len(row.role) > 100:
        found.append(("role", "A role has at most 100 characters."))
    if row.first_day and row.last_day and row.last_day < row.first_day:
        found.append(("last_day", "The last day is before the first. Swap the two."))
    try:
        if read_hours(row.hours) != row.hours:
            raise ValueError
    except ValueError:
        found.append(("hours", "Write the hours as a number above zero, for example 7.5."))
    if row.hourly_minor <= 0:
        found.append(("hourly", "Give what an hour of this person costs you, above zero."))
    return found


@transaction.atomic
def sign_csr(
    claim_id: int, line_id: int, *, name: str, revision: int | None = None, by: Person, at: datetime
) -> Document:
    """Certify in-house work: the CSR is made as a PDF that says who signed it and when, and becomes the line's document.

    One signs with one's own name, typed. The partner's own people sign, never a guest. Raises NotFound, NotAllowed, Stale,
    WrongStatus, Invalid.
    """
    claim, line = lock_line(claim_id, line_id, by=by, revision=revision)
    require_writer(by, claim)
    work = work_of(line)
    if line.kind != "csr" or not work:
        raise Invalid.field("work", "Say first who did the work, for how long and at what cost.", "required")
    if " ".join(name.split()).casefold() != " ".join(by.name.split()).casefold():
        raise Invalid.field("name", f"Sign with your own name, as Coop knows it: {by.name}.", "not_your_name")
    void_signature(line)
    document = add_document(
        claim_id,
        kind="csr",
        filename=f"CSR {claim.number}-{line.pk}.pdf",
        data=paper_of(claim, line, by=by, at=at),
        line_id=line.pk,
        note=f"Signed by {by.name}",
        by=by,
        at=at,
    )
    document.signed_at = at
    document.save()
    claim.refresh_from_db(fields=["revision", "claimed_minor"])
    touched(claim, "claim.csr_signed", by=by, at=at, line=str(line.pk), sha256=document.sha256)
    return document


def paper_of(claim: Claim, line: ClaimLine, *, by: Person, at: datetime) -> bytes:
    """The CSR of a line, printed."""
    zone = claim.fund.program.time_zone

    def figure(minor: int) -> str:
        return money.display(minor, claim.currency).rpartition(" ")[0]

    paper = Paper(
        "Certification statement and report",
        subtitle=f"{claim.partner.name}, {claim.fund.location.name}",
        at=at,
        footer=f"Claim {claim.number}, in-house work {line.pk}",
    )
    paper.facts(
        [
            ("Claim", f"{claim.number}: {claim.title}"),
            ("Activity", claim.activity.name),
            ("What was done", line.description),
            ("Currency", claim.currency),
        ]
    )
    paper.table(
        [
            Column("Who", 3),
            Column("Days", 3),
            Column("Hours", 1.2, True),
            Column("An hour", 1.6, True),
            Column("Cost", 1.8, True),
        ],
        [
            (
                row.name + (f", {row.role}" if row.role else ""),
                " to ".join(dict.fromkeys(show_day(day) for day in (row.first_day, row.last_day) if day)),
                row.hours,
                figure(row.hourly_minor),
                figure(row.cost_minor()),
            )
            for row in work_of(line)
        ],
        total=("Total", "", "", "", figure(line.cost_minor or line.amount_minor)),
    )
    paper.facts([("Claimed of it", claim.show(line.amount_minor))])
    paper.heading("Statement")
    paper.write(statement_of(line))
    paper.heading("Signed")
    paper.facts([("By", f"{by.name} ({by.email})"), ("For", claim.partner.name), ("At", show_instant(at, zone))])
    return paper.bytes()
