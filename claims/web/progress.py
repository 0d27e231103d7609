"""How far an open claim is: its tasks with their statuses, told by what the rules say of it now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.urls import reverse

from claims import rules, states
from claims.models import Claim, ClaimLine
from claims.queries.book import metrics_asked
from claims.web.places import line_of, place_of, task_of
from funds.web.clocks import span

DONE, OPTIONAL = ("Completed", "done"), ("Optional", "locked")
NOT_STARTED, STARTED = ("Not yet started", "draft"), ("In progress", "active")
PROBLEM, RETURNED = ("There is a problem", "problem"), ("Returned to you", "attention")


@dataclass(frozen=True)
class Task:
    """One row of the hub. `key` is what the places call it."""

    key: str
    label: str
    url: str
    hint: str
    status: str
    tone: str
    people: str = ""

    @property
    def done(self) -> bool:
        return (self.status, self.tone) in (DONE, OPTIONAL)


def wrong(findings: Sequence[rules.Finding], task: str) -> list[rules.Finding]:
    """The failed findings that a task's page mends."""
    return [found for found in rules.failed(findings) if task_of(found.field) == task]


def tasks_of(claim: Claim, findings: Sequence[rules.Finding]) -> list[Task]:
    """The tasks of a claim, in the order of the work; the last one sends it."""
    tasks = [about_task(claim, findings), *line_tasks(claim, findings), proof_task(claim, findings)]
    if metrics_asked(claim):
        tasks.append(results_task(claim, findings))
    return [*tasks, send_task(claim, findings)]


def asked_for(claim: Claim, task: str) -> bool:
    """Whether the reviewer returned the claim with something to mend in this task."""
    return any(task_of(fix["field"]) == task for fix in claim.returned_fixes)


def state(claim: Claim, task: str, *, begun: bool, missing: int, is_wrong: bool) -> tuple[str, str]:
    if is_wrong:
        return PROBLEM
    if asked_for(claim, task):
        return RETURNED
    if not missing:
        return DONE
    return STARTED if begun else NOT_STARTED


def about_task(claim: Claim, findings: Sequence[rules.Finding]) -> Task:
    failed = wrong(findings, "about")
    given = {"activity_from": claim.activity_from, "activity_to": claim.activity_to, "activity": claim.activity_id}
    misfits = [found for found in failed if given.get(found.field)]
    dates = span(claim.activity_from, claim.activity_to)
    hint = misfits[0].fix if misfits else ", ".join(filter(None, (claim.activity.name, dates or "dates are missing")))
    status = state(claim, "about", begun=True, missing=len(failed), is_wrong=bool(misfits))
    return Task("about", "About the activity", reverse("claim-about", args=[claim.pk]), hint, *status)


def line_tasks(claim: Claim, findings: Sequence[rules.Finding]) -> list[Task]:
    failed = wrong(findings, "lines")
    return [
        line_task(claim, failed, "invoice", "Invoices", "what others charged you"),
        line_task(claim, failed, "csr", "In-house work", "what your own people did, each with its statement (CSR)"),
    ]


def line_task(claim: Claim, failed: Sequence[rules.Finding], kind: str, label: str, meaning: str) -> Task:
    lines = [line for line in claim.lines.all() if line.kind == kind]
    of_kind = {line.pk for line in lines}
    mine = [found for found in failed if line_of(found.field) in of_kind]
    too_much = [found for found in failed if found.field == "lines" and claim.lines.all()]
    missing = [found for found in mine if is_missing(found, lines)]
    is_wrong = bool(lines) and len(mine) + len(too_much) > len(missing)
    asked = any(line_of(fix["field"]) in of_kind for fix in claim.returned_fixes)
    if not lines:
        status = OPTIONAL if claim.lines.all() else NOT_STARTED
        hint = meaning[:1].upper() + meaning[1:]
    else:
        status = PROBLEM if is_wrong else RETURNED if asked else STARTED if missing else DONE
        noun = {"invoice": "invoice", "csr": "statement"}[kind] + ("" if len(lines) == 1 else "s")
        total = f"{len(lines)} {noun}, {claim.show(sum(line.amount_minor for line in lines))}"
        fix = too_much[0].fix if too_much else mine[0].fix if mine else ""
        hint = f"{total}. {fix}" if fix else total
    new = reverse("claim-line-new" if kind == "invoice" else "claim-lines", args=[claim.pk])
    url = reverse("claim-lines", args=[claim.pk]) if lines else new
    return Task(kind, label, f"{url}?kind={kind}", hint, *status)


def is_missing(found: rules.Finding, lines: Sequence[ClaimLine]) -> bool:
    """Whether a finding of a line says that something is not there yet, rather than that something is wrong."""
    if found.kind == "money_evidence":
        return True
    line = next(line for line in lines if line.pk == line_of(found.field))
    if found.kind == "line_detail":
        return not line.details.get(found.field.rpartition(".")[2])
    return found.kind == "invoice_date" and line.invoiced_on is None


def proof_task(claim: Claim, findings: Sequence[rules.Finding]) -> Task:
    url = reverse("claim-proof", args=[claim.pk])
    wanted = [found for found in findings if found.kind == "proof_of_execution"]
    failed = wrong(findings, "proof")
    given = [found for found in wanted if found.outcome == rules.PASSED]
    if not wanted and not failed:
        return Task("proof", "Proof of execution", url, "This activity asks for no further proof", *OPTIONAL)
    missing = [found for found in failed if found in wanted]
    misfits = [found for found in failed if found not in wanted]
    hint = f"{len(given)} of {len(wanted)} given"
    if missing:
        hint = f"Missing: {', '.join(found.wanted for found in missing)}"
    if misfits:
        hint = misfits[0].fix
    any_proof = any(document.kind not in states.MONEY_EVIDENCE for document in claim.documents.all())
    status = state(claim, "proof", begun=any_proof, missing=len(failed), is_wrong=bool(misfits))
    return Task("proof", "Proof of execution", url, hint, *status)


def results_task(claim: Claim, findings: Sequence[rules.Finding]) -> Task:
    failed = wrong(findings, "results")
    misfits = [found for found in failed if claim.metrics.get(found.field.partition(".")[2])]
    hint = misfits[0].fix if misfits else ", ".join(metric.name for metric in metrics_asked(claim))
    begun = any(value for value in claim.metrics.values())
    status = state(claim, "results", begun=begun, missing=len(failed), is_wrong=bool(misfits))
    return Task("results", "Results", reverse("claim-results", args=[claim.pk]), hint, *status)


def send_task(claim: Claim, findings: Sequence[rules.Finding]) -> Task:
    """It can always be opened: it shows what is missing."""
    url = reverse("claim-send", args=[claim.pk])
    left = rules.failed(findings)
    if not left:
        return Task("send", "Check and send", url, "Everything is there", "Ready to send", "attention")
    own = [found for found in left if not task_of(found.field)]
    hint = own[0].fix if len(own) == len(left) else "Shows what is missing"
    return Task("send", "Check and send", url, hint, f"{len(left)} thing{'s' if len(left) > 1 else ''} left", "locked")


def shown_findings(claim: Claim, findings: Sequence[rules.Finding]) -> list[dict[str, Any]]:
    """Findings as `_components/findings.html` takes them, each with the address where it is mended."""
    return [{**asdict(found), "rule": "", "url": place_of(claim, found.field)} for found in findings]
