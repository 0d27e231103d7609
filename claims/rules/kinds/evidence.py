"""Rules about what shows that the work was done: evidence of money, proof of execution, results."""

from __future__ import annotations

from collections.abc import Iterable

from claims.rules.answers import WANTED, is_result
from claims.rules.book import Book, Case, Rule
from claims.rules.facts import Facts, Metric, Proof
from claims.rules.findings import Finding
from claims.rules.kinds.kind import Kind, sentence


def inside(name: str) -> str:
    """A name as it reads inside a sentence: "Call log" is "call log", but "URL" stays "URL"."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def money_evidence(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R3: every line is backed by its invoice, or by a CSR for in-house work."""
    if not facts.lines:
        yield rule.finding(
            False,
            seen="no line",
            wanted="at least one invoice or CSR line",
            fix="Add a line for each invoice, or one for work done in-house.",
            at_field="lines",
        )
    # A document that names no line serves all lines of its kind.
    serves = {(document.kind, document.line) for document in facts.documents}
    for line in facts.lines:
        what = "invoice" if line.kind == "invoice" else "CSR"
        yield rule.finding(
            (line.kind, line.id) in serves or (line.kind, None) in serves,
            seen=f"{facts.show(line.amount_minor)} of {line.name}",
            wanted=f"its {what} as a file",
            fix=f"Upload the {what} for {line.name}.",
            at_field=f"lines.{line.id}",
        )


def proofs_of(rule: Rule) -> list[Proof]:
    """The proofs of which a rule wants one."""
    rows = rule.params["any_of"]
    group = rule.code if len(rows) > 1 else ""
    return [
        Proof(row["code"], row["name"], row.get("hint", ""), group, "when" not in rule.params, rule.example)
        for row in rows
    ]


def proof_of_execution(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R4: each proof that the activity asks for on its date is there; of several that serve, one is enough."""
    if "when" in rule.params:
        return  # asked for only in a case that a reviewer judges
    given = {document.kind for document in facts.documents}
    proofs = proofs_of(rule)
    names = " or ".join(inside(proof.name) if index else proof.name for index, proof in enumerate(proofs))
    found = [proof.name for proof in proofs if proof.code in given]
    yield rule.finding(
        bool(found),
        seen=", ".join(found) or "nothing uploaded for it",
        wanted=names,
        fix=f"Upload this: {inside(names)}." + (f" {proofs[0].hint}" if proofs[0].hint else ""),
        at_field=f"documents.{proofs[0].code}",
    )


def metric_of(rule: Rule) -> Metric:
    """What a rule wants to be reported."""
    params = rule.params
    return Metric(
        params["code"],
        params["name"],
        params.get("kind", "text"),
        params.get("hint", ""),
        params.get("required", True),
        rule.example,
    )


def results(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R5: each metric that the activity asks for is given, a count as a whole number, money as an amount."""
    metric = metric_of(rule)
    value = str(facts.metrics.get(metric.code, "")).strip()
    wanted = WANTED[metric.kind]
    if not metric.required and not value:
        return
    yield rule.finding(
        is_result(metric, value, facts.currency),
        text=rule.sentence,
        seen=value or "nothing",
        wanted=wanted,
        fix=f"Fill in “{metric.name}”" + (f" with {wanted}." if metric.kind != "text" else "."),
        at_field=f"metrics.{metric.code}",
    )


def asked_proofs(book: Book, case: Case) -> list[Proof]:
    """Every proof that may be asked for in a case."""
    return [proof for rule in book.of_kind("proof_of_execution", case) for proof in proofs_of(rule)]


def asked_metrics(book: Book, case: Case) -> list[Metric]:
    """Everything that may have to be reported in a case."""
    return [metric_of(rule) for rule in book.of_kind("results", case)]


KINDS = {
    "money_evidence": Kind(money_evidence, sentence),
    "proof_of_execution": Kind(
        proof_of_execution, sentence, params={"any_of": "proofs", "when": "text"}, optional=frozenset({"when"})
    ),
    "results": Kind(
        results,
        sentence,
        params={"code": "code", "name": "text", "kind": "answer", "hint": "text", "required": "flag"},
        optional=frozenset({"kind", "hint", "required"}),
    ),
}
