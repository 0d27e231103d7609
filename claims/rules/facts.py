"""What the rules look at, as plain values. Money is in minor units of the fund's currency, instants are aware."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from claims.rules.book import Case
from coop.lib import money

CLAIM, PLAN, IDEA = "claim", "plan", "idea"

# What the fields of a claim are called in a plan's activity and in an idea.
FIELDS = {
    PLAN: {
        "activity_from": "starts_on",
        "activity_to": "ends_on",
        "lines": "requested_amount",
        "metrics": "answers",
        "plan_activity": "starts_on",
    },
    IDEA: {"activity_from": "starts_on", "activity_to": "ends_on", "lines": "amount", "plan_activity": "starts_on"},
}


@dataclass(frozen=True)
class Proof:
    """One proof that an activity asks for. Of proofs with the same group any one is enough.

    `required` is false where it is asked for only in a case that the answers decide.
    """

    code: str
    name: str
    hint: str = ""
    group: str = ""
    required: bool = True
    example: bool = False


@dataclass(frozen=True)
class Metric:
    """One thing to report. Its kind says what an answer looks like: see `claims.rules.answers`.

    `choices` are the codes that an answer of the kind "activities" may name.
    """

    code: str
    name: str
    kind: str = "text"
    hint: str = ""
    required: bool = True
    example: bool = False
    choices: Sequence[str] = ()


@dataclass(frozen=True)
class LineFacts:
    """An invoice or in-house work: what it cost, and how much of it is claimed."""

    id: str
    kind: str
    supplier: str
    number: str
    invoiced_on: date | None
    amount_minor: int
    cost_minor: int | None = None
    description: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How people call it inside a sentence."""
        return " ".join(part for part in (self.supplier, self.number) if part) or "this line"


@dataclass(frozen=True)
class DocumentFacts:
    """A document: its kind (invoice, csr or a proof's code), the line it belongs to, and the day that stands on it."""

    kind: str
    line: str | None = None
    dated_on: date | None = None


@dataclass(frozen=True)
class PlanFacts:
    """The activity of a plan that a claim is made on. `approved_on` is empty while, or if ever, it is not approved.

    `left_minor` is what is still reserved for it, with what this claim holds of it already.
    """

    number: str
    title: str
    activity: str
    approved_on: date | None
    starts_on: date | None
    ends_on: date | None
    left_minor: int


@dataclass(frozen=True)
class DuplicateFacts:
    """Evidence that was seen before. `other` names the other claim only where it is the reader's own organisation's."""

    kind: str  # file, picture, invoice or amount
    field: str
    other: str = ""


@dataclass(frozen=True)
class Facts:
    """All that is known of a claim, of one activity of a plan, or of an idea."""

    at: datetime
    zone: str
    currency: str
    case: Case
    use_from: date
    use_to: date
    claims_open_at: datetime
    claims_close_at: datetime
    cure_close_at: datetime
    returned: bool
    sent_in_time: bool
    activity_name: str
    activity_from: date | None
    activity_to: date | None
    activity_valid: bool
    held_minor: int
    available_minor: int
    settled: bool
    settle_on: date
    payout_profile_complete: bool | None
    subject: str = CLAIM
    fund_known: bool = True  # an idea may be asked about before there is a fund
    lines: Sequence[LineFacts] = ()
    documents: Sequence[DocumentFacts] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    # What a plan or an idea asks for; a claim asks for the sum of its lines.
    asked_minor: int | None = None
    earned_minor: int = 0  # co-op that the fund earned in its half: what percentages are of
    used_in_fund_minor: int = 0  # what other claims of the fund hold, or were granted, for the same activity
    used_in_program_minor: int = 0  # the same over all the partner's funds of the program and period
    program_name: str = ""
    plan_approval: str = "optional"  # required, optional or none
    plan: PlanFacts | None = None
    solution_area: str = ""
    # What is planned and claimed of the fund, this included, by solution area and by category.
    by_area: Mapping[str, int] = field(default_factory=dict)
    by_category: Mapping[str, int] = field(default_factory=dict)
    duplicates: Sequence[DuplicateFacts] = ()
    # Units of the fund's currency for one unit of another, for limits that name another currency.
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def claimed_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines) if self.asked_minor is None else self.asked_minor

    def answer(self, code: str) -> str:
        """What was answered to a question or reported as a result; empty where nothing was."""
        return str(self.metrics.get(code, "")).strip()

    def field(self, name: str) -> str:
        """What a field of a claim is called here."""
        first, dot, rest = name.partition(".")
        return FIELDS.get(self.subject, {}).get(first, first) + dot + rest

    def show(self, minor: int) -> str:
        return money.display(minor, self.currency)

    def in_fund_currency(self, amount: str, currency: str) -> int | None:
        """A rule's amount in minor units of the fund's currency, rounded half-even; None where no rate is known."""
        if currency == self.currency:
            return money.to_minor(amount, currency)
        rate = self.rates.get(currency)
        if rate is None:
            return None
        return int((Decimal(amount) * rate).scaleb(money.decimals(self.currency)).to_integral_value())
