"""Rules about what shows that the work was done: evidence of money, proof of execution, results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from claims.rules.answers import NO, WANTED, YES, is_result, parts
from claims.rules.book import Book, Case, Rule
from claims.rules.facts import CLAIM, IDEA, Facts, LineFacts, Metric, Proof
from claims.rules.findings import FAILED, PERSON, Finding
from claims.rules.kinds.kind import Kind, sentence
from claims.rules.kinds.limits import fixed
from coop.lib.dates import show_day

Answers = Mapping[str, Any]
SHOWN_BY = {"invoice": "invoice", "csr": "CSR"}


def inside(name: str) -> str:
    """A name as it reads inside a sentence: "Call log" is "call log", but "URL" stays "URL"."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def either(names: Iterable[str]) -> str:
    return " or ".join(inside(name) if index else name for index, name in enumerate(names))


# --- Evidence of money ------------------------------------------------------------------------------------------------


def money_evidence(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R3: every line is backed by its invoice, or by a CSR for in-house work where the activity takes one."""
    accepts = accepted_by(rule)
    if not facts.lines:
        both = "csr" in accepts
        yield rule.finding(
            False,
            seen="no line",
            wanted="at least one invoice or CSR line" if both else "at least one invoice",
            fix="Add a line for each invoice" + (", or one for work done in-house." if both else "."),
            at_field="lines",
        )
    # A document that names no line serves all lines of its kind.
    serves = {(document.kind, document.line) for document in facts.documents}
    for line in facts.lines:
        what = SHOWN_BY[line.kind]
        accepted = line.kind in accepts
        yield rule.finding(
            accepted and ((line.kind, line.id) in serves or (line.kind, None) in serves),
            seen=f"{facts.show(line.amount_minor)} of {line.name}" + ("" if accepted else ", shown by a CSR"),
            wanted=f"its {what} as a file" if accepted else "the invoice of a supplier: a CSR does not count here",
            fix=mend_of_line(line, accepted),
            at_field=f"lines.{line.id}",
        )


def mend_of_line(line: LineFacts, accepted: bool) -> str:
    if not accepted:
        return "Take this line out, or claim it with the invoice instead."
    if "csr" in line.details:  # in-house work that is described row by row
        return f"Sign the statement (CSR) for {line.name}."
    return f"Upload the {SHOWN_BY[line.kind]} for {line.name}."


def accepted_by(rule: Rule) -> Sequence[str]:
    """The kinds of lines that a rule takes as evidence of money."""
    return tuple(rule.params.get("accepts", SHOWN_BY))


def words_of_money_evidence(rule: Rule) -> str:
    if "csr" in accepted_by(rule):
        return "Each line is shown by an invoice, or by a CSR for in-house work."
    return "Each line is shown by an invoice; a CSR for in-house work does not count."


# --- Small amounts ----------------------------------------------------------------------------------------------------


def poe_threshold(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R13: below the amount of its country's class a claim needs no more than the evidence of money."""
    if facts.claimed_minor <= 0:
        return
    free = is_waived(facts, book)
    yield rule.finding(
        True,
        seen=f"{facts.show(facts.claimed_minor)} {'claimed' if facts.subject == CLAIM else 'asked for'}",
        wanted=f"below {fixed(rule)}: only the evidence of money"
        if free
        else f"from {fixed(rule)} on: proof of execution and results too",
    )


def is_waived(facts: Facts, book: Book) -> bool:
    """Whether a claim is so small that only the evidence of money is asked for; where no rate is known it is not."""
    rules = book.of_kind("poe_threshold", facts.case)
    amounts = [facts.in_fund_currency(rule.params["amount"], rule.params["currency"]) for rule in rules]
    return any(amount is not None and 0 < facts.claimed_minor < amount for amount in amounts)


def words_of_poe_threshold(rule: Rule) -> str:
    return f"A claim below {fixed(rule)} needs only the evidence of money."


# --- Proof of execution -----------------------------------------------------------------------------------------------


def proofs_of(rule: Rule, answers: Answers | None = None) -> list[Proof]:
    """The proofs of which a rule wants one. What depends on an answer is required once the answer says so."""
    rows = rule.params["any_of"]
    group = rule.code if len(rows) > 1 else ""
    required = is_asked(rule, answers or {})
    return [Proof(row["code"], row["name"], row.get("hint", ""), group, required, rule.example) for row in rows]


def is_asked(rule: Rule, answers: Answers) -> bool:
    """Whether a proof is asked for: always, or where a question was answered as its condition says."""
    when = rule.params.get("when")
    return when is None or str(answers.get(when["answer"], "")).strip() == when["is"]


def proof_of_execution(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R4: each proof that the activity asks for on its date is there; of several that serve, one is enough."""
    if not is_asked(rule, facts.metrics) or is_waived(facts, book):
        return
    given = {document.kind for document in facts.documents}
    proofs = proofs_of(rule, facts.metrics)
    found = [proof.name for proof in proofs if proof.code in given]
    names = either(proof.name for proof in proofs)
    yield rule.finding(
        bool(found),
        seen=", ".join(found) or "nothing uploaded for it",
        wanted=names,
        fix=f"Upload this: {inside(names)}." + (f" {proofs[0].hint}" if proofs[0].hint else ""),
        at_field=f"documents.{proofs[0].code}",
    )


def words_of_proof(rule: Rule) -> str:
    names = either(row["name"] for row in rule.params["any_of"])
    when = rule.params.get("when")
    said = {YES: "yes", NO: "no"}
    return f"Proof: {inside(names)}" + (f", if “{when['answer']}” is answered {said[when['is']]}." if when else ".")


def approval_before(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R14: an approval bears a day, and that day lies before the activity's first one."""
    if is_waived(facts, book):
        return
    first = facts.activity_from
    for document in facts.documents:
        if document.kind != rule.params["proof"]:
            continue
        dated = document.dated_on
        yield rule.finding(
            dated is not None and (first is None or dated < first),
            seen=f"dated {show_day(dated)}" if dated else "no day on it",
            wanted=f"a day before {show_day(first)}" if first else "a day before the first one of the activity",
            fix="What ran before its approval is not paid. Correct the day if it was mistyped."
            if dated
            else "Enter the day that stands on the approval.",
            at_field=f"documents.{rule.params['proof']}",
            unless=unless_said(rule, dated),
        )


# --- The parts of a campaign ------------------------------------------------------------------------------------------


def parts_asked(rule: Rule, case: Case, book: Book, answers: Answers | None = None) -> list[tuple[str, Case]]:
    """The parts that a campaign says it has, or all that it may have (`answers` None), each with its case."""
    among = rule.params["among"]
    chosen = among if answers is None else parts(str(answers.get(rule.params["answer"], "")))
    return [(part, replace(case, activity=part)) for part in among if part in chosen]


def proof_of_parts(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R4: a campaign shows every proof that each of its parts would need by itself."""
    if is_waived(facts, book):
        return
    chosen = parts_asked(rule, facts.case, book, facts.metrics)
    least = int(rule.params["at_least"])
    if 0 < len(chosen) < least:
        yield rule.finding(
            False,
            seen=f"{len(chosen)} part",
            wanted=f"at least {least} parts",
            fix="Name all parts of the campaign; a claim for one of them alone is made for that activity.",
            at_field=f"metrics.{rule.params['answer']}",
        )
    for _, case in chosen:
        part = replace(facts, case=case)
        for question in questions_of(case, book):
            yield from results(question, part, book)
        for proof in book.of_kind("proof_of_execution", case):
            yield from proof_of_execution(proof, part, book)


def questions_of(case: Case, book: Book) -> list[Rule]:
    """The questions whose answers decide which proofs are asked for in a case."""
    codes = {
        rule.params["when"]["answer"] for rule in book.of_kind("proof_of_execution", case) if "when" in rule.params
    }
    return [rule for rule in book.of_kind("results", case) if rule.params["code"] in codes]


# --- Results ----------------------------------------------------------------------------------------------------------


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
        tuple(params.get("among", ())),
    )


def unless_said(rule: Rule, value: Any) -> str:
    """What it means that something is missing: it fails, or a person looks where the rule takes silence for no fault."""
    return PERSON if not value and rule.params.get("unsaid") == PERSON else FAILED


def results(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R5: each metric that the activity asks for is given, a count as a whole number, money as an amount."""
    metric = metric_of(rule)
    value = facts.answer(metric.code)
    wanted = WANTED[metric.kind]
    if (not metric.required and not value) or is_waived(facts, book):
        return
    yield rule.finding(
        is_result(metric, value, facts.currency),
        text=rule.sentence,
        seen=value or "nothing",
        wanted=wanted,
        fix=f"{'Answer' if metric.kind == 'yes_no' else 'Fill in'} “{metric.name}”"
        + (f" with {wanted}." if metric.kind != "text" else "."),
        at_field=f"metrics.{metric.code}",
        unless=unless_said(rule, value),
    )


def words_of_results(rule: Rule) -> str:
    metric = metric_of(rule)
    return f"Report: {inside(metric.name.rstrip('?.'))} ({WANTED[metric.kind]})."


# --- What is asked in a case ------------------------------------------------------------------------------------------


def asked_proofs(book: Book, case: Case, answers: Answers | None = None) -> list[Proof]:
    """Every proof that may be asked for in a case; with the `answers` given so far, those that they do not rule out.

    Of the parts of a campaign only those count that it has; without answers all that it may have.
    """
    found = [proof for rule in book.of_kind("proof_of_execution", case) for proof in proofs_of(rule, answers)]
    for rule in book.of_kind("proof_of_parts", case):
        for _, part in parts_asked(rule, case, book, answers):
            asked = asked_proofs(book, part, answers)
            found += [proof if answers is not None else replace(proof, required=False) for proof in asked]
    return list({proof.code: proof for proof in reversed(found)}.values())[::-1]


def asked_metrics(book: Book, case: Case, answers: Answers | None = None) -> list[Metric]:
    """Everything that may have to be reported or confirmed in a case."""
    found = [metric_of(rule) for rule in book.of_kind("results", case)]
    found += [confirmation_of(rule) for rule in book.of_kind("declaration", case)]
    for rule in book.of_kind("proof_of_parts", case):
        chosen = {part for part, _ in parts_asked(rule, case, book, answers or {})}
        for part, part_case in parts_asked(rule, case, book):
            questions = [metric_of(question) for question in questions_of(part_case, book)]
            found += [replace(question, required=part in chosen) for question in questions]
    return list({metric.code: metric for metric in reversed(found)}.values())[::-1]


def confirmation_of(rule: Rule) -> Metric:
    """What a rule wants to be confirmed."""
    params = rule.params
    return Metric(params["code"], params["name"], "confirmed", params.get("hint", ""), True, rule.example)


KINDS = {
    "money_evidence": Kind(
        money_evidence, words_of_money_evidence, params={"accepts": "line kinds"}, optional=frozenset({"accepts"})
    ),
    "poe_threshold": Kind(
        poe_threshold, words_of_poe_threshold, frozenset({CLAIM, IDEA}), {"amount": "amount", "currency": "currency"}
    ),
    "proof_of_execution": Kind(
        proof_of_execution,
        words_of_proof,
        params={"any_of": "proofs", "when": "condition"},
        optional=frozenset({"when"}),
    ),
    "proof_of_parts": Kind(
        proof_of_parts, sentence, params={"answer": "code", "among": "activities", "at_least": "positive"}
    ),
    "approval_before": Kind(
        approval_before, sentence, params={"proof": "code", "unsaid": "text"}, optional=frozenset({"unsaid"})
    ),
    "results": Kind(
        results,
        words_of_results,
        params={
            "code": "code",
            "name": "text",
            "kind": "answer",
            "hint": "text",
            "required": "flag",
            "among": "activities",
            "unsaid": "text",
        },
        optional=frozenset({"kind", "hint", "required", "among", "unsaid"}),
    ),
}
