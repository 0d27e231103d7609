"""Writing a claim: drafts, lines and results. A draft may be incomplete; what is said must still be readable."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from claims import states
from claims.files.suppliers import number_key, supplier_key
from claims.models import Activity, Claim, ClaimLine
from claims.operations.duplicates import look_for_duplicates
from claims.operations.files import forget_unused
from claims.operations.on_plans import from_plan, move_to_plan, planned_for, require_same
from claims.operations.opening import lock_open_claim, touched
from claims.permissions import WRITERS
from claims.queries.book import case_of, current_book, is_offered, line_details_asked, metrics_asked
from claims.queries.guests import lines_added_by
from claims.rules.answers import WANTED, is_result
from coop.lib.errors import FieldError, Invalid, NotFound, require_fields
from coop.lib.text import require_fit_text
from funds.ledger import lock_fund
from funds.models import Fund
from partners import events
from partners.models import Person
from partners.permissions import may_see, require_role
from partners.states import AGENCY

FIELDS = ("activity", "title", "solution_area", "country", "activity_from", "activity_to", "metrics", "plan_activity")
TEXTS = ("title", "solution_area")
LINE_FIELDS = (
    "kind",
    "supplier",
    "invoice_number",
    "invoiced_on",
    "description",
    "amount_minor",
    "cost_minor",
    "details",
    "csr",
)
LINE_TEXTS = ("supplier", "invoice_number", "description")
MAX_LINES = 500


@transaction.atomic
def create_claim(
    *,
    fund_id: int,
    activity_code: str = "",
    title: str = "",
    country: str = "",
    activity_from: date | None = None,
    activity_to: date | None = None,
    solution_area: str = "",
    metrics: Mapping[str, Any] | None = None,
    plan_activity_id: int | None = None,
    by: Person,
    at: datetime,
) -> Claim:
    """Begin a draft against one fund for one activity. Nothing is held until it is sent.

    On an activity of an approved plan what is not said is taken over from that. Raises NotFound (fund), NotAllowed, Invalid
    (activity, plan).
    """
    fund = Fund.objects.with_names().filter(id=fund_id).first()
    if fund is None or not may_see(by, fund.partner_id):
        raise NotFound("There is no such fund.")
    require_role(by, *WRITERS, to="write and send claims")
    require_fit_text({"title": title, "solution_area": solution_area}, TEXTS)
    said: dict[str, Any] = {
        "activity_code": activity_code,
        "title": title,
        "country": country,
        "activity_from": activity_from,
        "activity_to": activity_to,
        "solution_area": solution_area,
    }
    planned = None
    if plan_activity_id is not None:
        # Locked, so that no amendment is approved meanwhile, which would take this claim along if it knew of it.
        planned = planned_for(lock_fund(fund.pk), plan_activity_id)
        said = from_plan(planned, said)
    activity = offered_activity(said.pop("activity_code"), fund, said["activity_from"])
    said["title"] = said["title"] or activity.name
    said["country"] = said["country"] or fund.location.country
    claim = Claim(
        partner_id=fund.partner_id,
        fund=fund,
        activity=activity,
        plan_activity=planned,
        **said,
        currency=fund.currency,
        created_by=by,
        created_at=at,
        turn_since=at,
    )
    claim.metrics = checked_metrics(claim, metrics or {})
    claim.save()
    events.record("claim.created", claim, by=by, at=at, partner_only=True, number=claim.number, activity=activity.code)
    return claim


@transaction.atomic
def update_claim(
    claim_id: int, changes: Mapping[str, Any], *, revision: int | None = None, by: Person, at: datetime
) -> Claim:
    """Change what a draft or a returned claim says about the activity. `changes` maps names of FIELDS to values.

    Raises NotFound, NotAllowed, Stale, WrongStatus, Invalid.
    """
    changed, changes = sorted(changes), dict(changes)
    task = "" if "metrics" in changed and len(changed) > 1 else "results" if changed == ["metrics"] else "about"
    claim = lock_open_claim(claim_id, by=by, revision=revision, task=task)
    require_fields(changes, FIELDS, "A claim")
    require_fit_text(changes, TEXTS)
    activity, results = changes.pop("activity", None), changes.pop("metrics", None)
    if "plan_activity" in changes:
        move_to_plan(claim, changes.pop("plan_activity"))
    if claim.plan_activity:
        require_same(claim.plan_activity, activity or claim.activity.code)
    for name, value in changes.items():
        setattr(claim, name, value)
    if activity is not None:
        claim.activity = offered_activity(activity, claim.fund, claim.activity_from)
        # Results that the new activity does not ask for would stay behind unseen.
        asked = {metric.code for metric in metrics_asked(claim)}
        claim.metrics = {code: value for code, value in claim.metrics.items() if code in asked}
    if results is not None:
        claim.metrics = {**claim.metrics, **checked_metrics(claim, results)}
    touched(claim, "claim.changed", by=by, at=at, fields=changed)
    return claim


def offered_activity(code: str, fund: Fund, day: date | None) -> Activity:
    """The activity with this code, if the fund's program pays for it on the day. Raises Invalid."""
    activity = Activity.objects.filter(code=code).first()
    if activity is None:
        raise Invalid.field("activity", f"There is no activity “{code[:40]}” in the catalog.", "unknown_activity")
    book = current_book()
    case = case_of(fund, activity, fund.location.country, day or fund.earning_period.use_from, book)
    if not is_offered(activity, case, book):
        raise Invalid.field(
            "activity",
            f"{fund.program} does not pay for {activity.name.lower()} on these dates. Choose an activity that it offers.",
            "activity_not_offered",
        )
    return activity


def checked_metrics(claim: Claim, metrics: Mapping[str, Any]) -> dict[str, str]:
    """Results by code as text. Raises Invalid for results that the claim's activity does not ask for, all at once."""
    known = {metric.code: metric for metric in metrics_asked(claim)}
    errors = [
        FieldError(
            f"metrics.{code}",
            "unknown_metric",
            f"{claim.activity.name} asks for no result “{code}”. It asks for: {', '.join(known) or 'none'}.",
        )
        for code in metrics
        if code not in known
    ]
    errors += [
        FieldError(f"metrics.{code}", "invalid", f"“{value}” is not {WANTED[known[code].kind]}.")
        for code, value in metrics.items()
        if code in known and text_of(value) and not is_result(known[code], text_of(value), claim.currency)
    ]
    if errors:
        raise Invalid(errors=errors)
    return {code: text_of(value)[:2000] for code, value in metrics.items()}


def checked_details(claim: Claim, details: Mapping[str, Any]) -> dict[str, str]:
    """What is asked beside a line, by code as text. Raises Invalid for what the activity does not ask for, all at once."""
    known = {metric.code: metric for metric in line_details_asked(claim)}
    errors = [
        FieldError(
            f"details.{code}", "unknown_detail", f"{claim.activity.name} asks for no “{code[:40]}” beside a line."
        )
        for code in details
        if code not in known
    ]
    errors += [
        FieldError(f"details.{code}", "invalid", f"“{text_of(value)[:40]}” is not {WANTED[known[code].kind]}.")
        for code, value in details.items()
        if code in known and text_of(value) and not is_result(known[code], text_of(value), claim.currency)
    ]
    if errors:
        raise Invalid(errors=errors)
    return {code: text_of(value)[:500] for code, value in details.items()}


def text_of(value: Any) -> str:
    """A result as text; none at all is an empty answer, not the word "None"."""
    return "" if value is None else str(value).strip()


@transaction.atomic
def add_line(
    claim_id: int,
    *,
    kind: str,
    amount_minor: int,
    supplier: str = "",
    invoice_number: str = "",
    invoiced_on: date | None = None,
    description: str = "",
    cost_minor: int | None = None,
    details: Mapping[str, str] | None = None,
    csr: Mapping[str, Any] | None = None,
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> ClaimLine:
    """Add an invoice, or a CSR for in-house work, to an open claim. Amounts are in the claim's currency.

    `amount_minor` is what is claimed, `cost_minor` what it cost where that is more. `details` are what rules ask for beside;
    `csr` what the certification of in-house work says (`operations.csr`).

    Raises NotFound, NotAllowed, Stale, WrongStatus, Invalid.
    """
    claim = lock_open_claim(claim_id, by=by, revision=revision, task=kind)
    require_fit_text({"supplier": supplier, "invoice_number": invoice_number, "description": description}, LINE_TEXTS)
    require_line(kind, amount_minor, supplier, invoice_number, cost_minor)
    if claim.lines.count() >= MAX_LINES:
        raise Invalid.field(
            "lines", f"A claim holds {MAX_LINES} lines at most. Put the rest into another one.", "too_many"
        )
    line = ClaimLine.objects.create(
        claim=claim,
        kind=kind,
        amount_minor=amount_minor,
        supplier=supplier,
        invoice_number=invoice_number,
        invoiced_on=invoiced_on,
        description=description,
        cost_minor=cost_minor,
        details=checked_details(claim, details or {}) | ({"csr": dict(csr)} if csr else {}),
        supplier_key=supplier_key(supplier),
        number_key=number_key(invoice_number),
        created_at=at,
    )
    touched(claim, "claim.line_added", by=by, at=at, line=str(line.pk))
    look_for_duplicates(claim, at)
    return line


@transaction.atomic
def change_line(
    claim_id: int,
    line_id: int,
    changes: Mapping[str, Any],
    *,
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> ClaimLine:
    """Change a line of an open claim; what was decided on it before is forgotten, as it is another line now."""
    claim, line = lock_line(claim_id, line_id, revision=revision, by=by)
    require_fields(changes, LINE_FIELDS, "A line")
    require_fit_text(changes, LINE_TEXTS)
    fields, changes = sorted(changes), dict(changes)
    line.details = {**line.details, **checked_details(claim, changes.pop("details", {}))}
    csr = changes.pop("csr", None)
    if csr is not None:
        line.details["csr"] = dict(csr)
    for name, value in changes.items():
        setattr(line, name, value)
    require_line(line.kind, line.amount_minor, line.supplier, line.invoice_number, line.cost_minor)
    line.decision, line.approved_minor, line.reason_code, line.reason = "", None, "", ""
    line.supplier_key, line.number_key = supplier_key(line.supplier), number_key(line.invoice_number)
    line.save()
    void = void_signature(line)
    told = {"signature_void": True} if void else {}
    touched(claim, "claim.line_changed", by=by, at=at, line=str(line.pk), fields=fields, **told)
    look_for_duplicates(claim, at)
    return line


def void_signature(line: ClaimLine) -> bool:
    """Take away the certification that was signed for a line: it says what the line does not say any more."""
    signed = list(line.documents.select_related("stored").filter(signed_at__isnull=False))
    for document in signed:
        document.delete()
        if document.stored is not None:
            forget_unused(document.stored)
    return bool(signed)


def lock_line(claim_id: int, line_id: int, *, by: Person, revision: int | None) -> tuple[Claim, ClaimLine]:
    """An open claim and a line of it, to be changed; a guest's only where the guest added it.

    Raises NotFound, NotAllowed, Stale, WrongStatus.
    """
    kind = ClaimLine.objects.filter(id=line_id, claim_id=claim_id).values_list("kind", flat=True).first()
    claim = lock_open_claim(claim_id, by=by, revision=revision, task=kind or "")
    line = claim.lines.filter(id=line_id).first()
    if line is None or (by.role == AGENCY and line.pk not in lines_added_by(by, claim)):
        raise NotFound("There is no such line in this claim.")
    return claim, line


def require_line(
    kind: str, amount_minor: int, supplier: str, invoice_number: str, cost_minor: int | None = None
) -> None:
    """Refuse a line that cannot be one, all faults at once. Raises Invalid."""
    errors = []
    if kind not in states.LINE_KINDS:
        errors.append(FieldError("kind", "invalid", "A line is an “invoice” or a “csr” for work done in-house."))
    if amount_minor <= 0:
        errors.append(
            FieldError(
                "amount",
                "must_be_positive",
                "Enter an amount above zero. Corrections are made by changing the line.",
            )
        )
    if cost_minor is not None and cost_minor < amount_minor:
        errors.append(FieldError("cost", "too_small", "What is claimed cannot be more than what it cost."))
    if kind == "invoice" and not supplier:
        errors.append(FieldError("supplier", "required", "Say whose invoice it is."))
    if kind == "invoice" and not invoice_number:
        errors.append(FieldError("invoice_number", "required", "Enter the invoice's number, as it stands on it."))
    if errors:
        raise Invalid(errors=errors)
