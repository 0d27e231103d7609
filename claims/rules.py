"""The rules kernel: facts in, findings out. Pure: no Django, no database, no clock.

The same rules advise while a draft is written, refuse at sending, and stand beside the reviewer's decision. Every rule
gives exactly one finding for each thing it looks at, passed ones too, so that a reader sees what was checked. The rules
are numbered in docs/rules.md with a worked example each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from coop.lib import money
from coop.lib.dates import show_day, show_deadline, show_instant

PASSED, FAILED, WARNING, PERSON = "passed", "failed", "warning", "person"
INVOICE_DAYS_AFTER_USE = 45


@dataclass(frozen=True)
class Finding:
    """What one rule says of one claim: what was seen, what is wanted, the fix, and the field that mends it."""

    rule: str
    version: int
    outcome: str
    text: str
    seen: str
    wanted: str
    fix: str
    field: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Proof:
    """One proof that the activity asks for. Of proofs with the same group any one is enough."""

    code: str
    name: str
    hint: str = ""
    group: str = ""
    required: bool = True


@dataclass(frozen=True)
class Metric:
    code: str
    name: str
    kind: str = "text"


@dataclass(frozen=True)
class LineFacts:
    id: str
    kind: str
    supplier: str
    number: str
    invoiced_on: date | None
    amount_minor: int


@dataclass(frozen=True)
class DocumentFacts:
    """A document: its kind (invoice, csr or a proof's code) and the line it belongs to, if any."""

    kind: str
    line: str | None = None


@dataclass(frozen=True)
class Facts:
    """All that the rules look at, as plain values. Instants are aware; money is minor units of `currency`."""

    at: datetime
    zone: str
    currency: str
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
    proofs: Sequence[Proof] = ()
    metrics_wanted: Sequence[Metric] = ()
    lines: Sequence[LineFacts] = ()
    documents: Sequence[DocumentFacts] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def claimed_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    def show(self, minor: int) -> str:
        return money.display(minor, self.currency)


def finding(
    rule: str, ok: bool, text: str, *, seen: str, wanted: str, fix: str, at_field: str, unless: str = FAILED
) -> Finding:
    """A finding that passed, or else has the outcome `unless`; a passed one needs no fix."""
    return Finding(rule, 1, PASSED if ok else unless, text, seen, wanted, "" if ok else fix, at_field)


def inside(name: str) -> str:
    """A name as it reads inside a sentence: "Call log" is "call log", but "URL" stays "URL"."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def use_period(facts: Facts) -> Iterable[Finding]:
    """R1: the activity lies inside the use period."""
    text = "The activity must take place inside the use period."
    wanted = f"{show_day(facts.use_from)} to {show_day(facts.use_to)}"
    for name, day in (("activity_from", facts.activity_from), ("activity_to", facts.activity_to)):
        which = "first" if name == "activity_from" else "last"
        ok = day is not None and facts.use_from <= day <= facts.use_to
        seen = f"{which} day {show_day(day)}" if day else f"no {which} day"
        fix = f"Give a {which} day from {wanted}. Work outside it belongs to another fund."
        yield finding("use_period", ok, text, seen=seen, wanted=wanted, fix=fix, at_field=name)
    if facts.activity_from and facts.activity_to and facts.activity_to < facts.activity_from:
        seen = f"{show_day(facts.activity_from)} to {show_day(facts.activity_to)}"
        fix = "Swap the two days."
        yield finding(
            "use_period",
            False,
            text,
            seen=seen,
            wanted="a last day on or after the first",
            fix=fix,
            at_field="activity_to",
        )


def claim_window(facts: Facts) -> Iterable[Finding]:
    """R2: sent from the opening of claims until before the closing instant; a returned claim until the cure deadline."""
    now = show_instant(facts.at, facts.zone)
    if facts.returned and facts.sent_in_time:
        yield finding(
            "claim_window",
            facts.at < facts.cure_close_at,
            "A claim that was sent in time and returned must be mended before its cure deadline.",
            seen=now,
            wanted=f"until {show_deadline(facts.cure_close_at, facts.zone)}",
            fix="The cure deadline has passed; this claim cannot be sent again.",
            at_field="",
        )
        return
    early = facts.at < facts.claims_open_at
    opens_on = facts.claims_open_at.astimezone(ZoneInfo(facts.zone)).date()
    yield finding(
        "claim_window",
        facts.claims_open_at <= facts.at < facts.claims_close_at,
        "A claim must be sent while the fund takes claims.",
        seen=now,
        wanted=f"{show_instant(facts.claims_open_at, facts.zone)} to {show_deadline(facts.claims_close_at, facts.zone)}",
        fix=(
            f"Finish the draft now and send it on {show_day(opens_on)} or later."
            if early
            else "The claim deadline has passed; this fund takes no more claims."
        ),
        at_field="",
    )


def money_evidence(facts: Facts) -> Iterable[Finding]:
    """R3: every line is backed by its invoice, or by a CSR for in-house work."""
    text = "The cost must be shown by an invoice, or by a CSR for in-house work."
    if not facts.lines:
        yield finding(
            "money_evidence",
            False,
            text,
            seen="no line",
            wanted="at least one invoice or CSR line",
            fix="Add a line for each invoice, or one for work done in-house.",
            at_field="lines",
        )
    # A document that names no line serves all lines of its kind.
    serves = {(document.kind, document.line) for document in facts.documents}
    for line in facts.lines:
        what = "invoice" if line.kind == "invoice" else "CSR"
        name = " ".join(part for part in (line.supplier, line.number) if part) or "this line"
        yield finding(
            "money_evidence",
            (line.kind, line.id) in serves or (line.kind, None) in serves,
            text,
            seen=f"{facts.show(line.amount_minor)} of {name}",
            wanted=f"its {what} as a file",
            fix=f"Upload the {what} for {name}.",
            at_field=f"lines.{line.id}",
        )


def proof_of_execution(facts: Facts) -> Iterable[Finding]:
    """R4: each proof that the activity asks for on its date is there; of a group, one is enough."""
    given = {document.kind for document in facts.documents}
    groups: dict[str, list[Proof]] = {}
    for proof in facts.proofs:
        if proof.required:
            groups.setdefault(proof.group or proof.code, []).append(proof)
    for proofs in groups.values():
        names = " or ".join(inside(proof.name) if index else proof.name for index, proof in enumerate(proofs))
        found = [proof.name for proof in proofs if proof.code in given]
        yield finding(
            "proof_of_execution",
            bool(found),
            f"{facts.activity_name} must be proved by: {inside(names)}.",
            seen=", ".join(found) or "nothing uploaded for it",
            wanted=names,
            fix=f"Upload this: {inside(names)}." + (f" {proofs[0].hint}" if proofs[0].hint else ""),
            at_field=f"documents.{proofs[0].code}",
        )


RESULTS_WANTED = {
    "count": "a whole number",
    "money": "an amount such as 120.00",
    "text": "a short answer",
}


def is_result(metric: Metric, text: str, currency: str) -> bool:
    """Whether a text answers a metric: digits for a count, an amount of the currency for money, anything for text."""
    if metric.kind == "count":
        return text.isascii() and text.isdigit()
    if metric.kind == "money":
        return money.is_amount(text, currency)
    return bool(text)


def results(facts: Facts) -> Iterable[Finding]:
    """R5: each metric that the activity asks for is given, a count as a whole number, money as an amount."""
    for metric in facts.metrics_wanted:
        value = str(facts.metrics.get(metric.code, "")).strip()
        wanted = RESULTS_WANTED[metric.kind]
        yield finding(
            "results",
            is_result(metric, value, facts.currency),
            f"The result “{metric.name}” must be reported.",
            seen=value or "nothing",
            wanted=wanted,
            fix=f"Fill in “{metric.name}”" + (f" with {wanted}." if metric.kind != "text" else "."),
            at_field=f"metrics.{metric.code}",
        )


def money_there(facts: Facts) -> Iterable[Finding]:
    """R6: the amount is more than nothing and not more than what the fund holds for it; a fund below zero holds nothing."""
    if not facts.lines:
        return  # R3 asks for a line already
    if facts.available_minor < 0 and facts.claimed_minor > facts.held_minor == 0:
        yield finding(
            "money_there",
            False,
            "Nothing can be planned or claimed from a fund below zero.",
            seen=f"{facts.show(-facts.available_minor)} more was taken back than was left in this fund",
            wanted="a fund that is not below zero",
            fix="Later earnings of the same half make up for it first. Until then claim from another fund, or ask your "
            "channel manager.",
            at_field="lines",
        )
        return
    there = max(facts.available_minor, 0) + facts.held_minor
    wanted = facts.claimed_minor
    yield finding(
        "money_there",
        0 < wanted <= there and facts.settled,
        "The fund must hold the amount that is claimed.",
        seen=f"{facts.show(wanted)} claimed, {facts.show(there)} {'there' if facts.settled else 'estimated'}",
        wanted=f"more than zero and at most {facts.show(there)}"
        if facts.settled
        else "money that is no longer an estimate",
        fix=(
            f"Wait until the earnings are final, after {show_day(facts.settle_on)}."
            if not facts.settled
            else f"Lower the lines by {facts.show(wanted - there)} in all."
            if wanted > there
            else "Enter what the work cost."
        ),
        at_field="lines",
    )


def invoice_date(facts: Facts) -> Iterable[Finding]:
    """R7: an invoice is dated inside the use period or at most 45 days after it."""
    last = facts.use_to + timedelta(days=INVOICE_DAYS_AFTER_USE)
    wanted = f"{show_day(facts.use_from)} to {show_day(last)}"
    for line in facts.lines:
        if line.kind != "invoice":
            continue
        yield finding(
            "invoice_date",
            line.invoiced_on is not None and facts.use_from <= line.invoiced_on <= last,
            "The invoice must be dated inside the use period or at most 45 days after it.",
            seen=show_day(line.invoiced_on) if line.invoiced_on else "no date",
            wanted=wanted,
            fix=f"Correct the date if it was mistyped; an invoice dated outside {wanted} cannot be claimed from this fund."
            if line.invoiced_on
            else "Enter the day that stands on the invoice.",
            at_field=f"lines.{line.id}.invoiced_on",
        )


def payout_profile(facts: Facts) -> Iterable[Finding]:
    """R8: bank and tax details are complete before a first claim is sent; where nobody said so, it only warns."""
    known = facts.payout_profile_complete
    yield finding(
        "payout_profile",
        known is True,
        "The bank and tax profile for co-op must be complete.",
        seen={True: "complete", False: "not complete", None: "not known here"}[known],
        wanted="complete before a first claim is sent",
        fix="Ask your partner admin to complete the bank and tax profile."
        if known is False
        else "Check with your partner admin that the bank and tax profile is complete, or the payment will wait.",
        at_field="payout_profile",
        unless=FAILED if known is False else WARNING,
    )


def activity_offered(facts: Facts) -> Iterable[Finding]:
    """R9: the program offers this activity on the day it takes place."""
    yield finding(
        "activity_offered",
        facts.activity_valid,
        "The program must pay for this activity on its dates.",
        seen=facts.activity_name,
        wanted="an activity that the program offers on the activity's first day",
        fix="Choose another activity, or correct the dates.",
        at_field="activity",
    )


RULES: tuple[Callable[[Facts], Iterable[Finding]], ...] = (
    claim_window,
    use_period,
    activity_offered,
    money_evidence,
    invoice_date,
    proof_of_execution,
    results,
    money_there,
    payout_profile,
)


def evaluate(facts: Facts) -> list[Finding]:
    """All findings of all rules, in the order in which a person would mend them."""
    return [found for rule in RULES for found in rule(facts)]


def failed(findings: Iterable[Finding]) -> list[Finding]:
    return [found for found in findings if found.outcome == FAILED]
