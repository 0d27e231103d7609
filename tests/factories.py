"""Small stories for tests, told through the operations of the product: nothing here writes a table by itself.

Only the sandbox's clock is set directly (`set_clock`), because tests may also start in the past of other tests.

A typical test:

    fund = make_fund()                       # 10,003.55 USD of FY24 H1, settled; the clock stands at 4 March 2024
    claim = make_claim(fund, "4000.00")      # a complete draft by the partner's marketer
    submit_claim(claim.id, by=claim.created_by, at=clock.now())

Money is given as text ("4000.00") as people write it.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from functools import cache
from io import BytesIO
from itertools import count
from typing import Any

from django.conf import settings

from claims.models import Claim, ClaimLine, Plan, PlanActivity
from claims.operations.catalog import load_catalog as publish
from claims.operations.documents import add_document
from claims.operations.drafting import add_line, change_line, create_claim, update_claim
from claims.operations.plan_review import approve_plan
from claims.operations.plans import add_activity, create_plan, submit_plan
from claims.operations.review import approve_claim, reject_claim
from claims.operations.sending import submit_claim
from claims.queries.book import dated_proofs, line_details_asked, metrics_asked, proofs_asked
from claims.rules.facts import Metric
from coop.lib import clock
from coop.lib.models import SandboxClock
from coop.lib.money import to_minor
from coop.people import VENDOR
from funds.models import Adjustment, EarningPeriod, Enrollment, Fund, Import, PaymentRun, Program, Reconciliation
from funds.operations.adjustments import request_adjustment
from funds.operations.earnings import take_lines
from funds.operations.enrollments import enroll
from funds.operations.payments import approve_run, prepare_run
from funds.operations.reconciliation import reconcile
from funds.operations.results import Result, read_results
from funds.operations.settlement import expire_period, settle_period
from partners.models import Location, Partner, PayoutAccount, Person
from partners.operations import create_location, create_partner, create_person, set_payout_account

RESELLER = "mci-csp-reseller"
EARNING = datetime(2023, 12, 1, 12, tzinfo=UTC)  # FY24 H1 is being earned
IN_USE = datetime(2024, 2, 1, 12, tzinfo=UTC)  # settled, claims not open yet
CLAIMING = datetime(2024, 3, 4, 9, tzinfo=UTC)  # claims for FY24 H1 are taken
LAST_INSTANT = datetime(2024, 8, 14, 23, 59, 59, 999_999, tzinfo=UTC)
DEADLINE = datetime(2024, 8, 15, tzinfo=UTC)
CURE_DEADLINE = datetime(2024, 9, 29, tzinfo=UTC)

# A PDF of one blank page and a picture of one point, which every reader opens; what stands behind their end is not read.
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj
xref
0 4
0000000000 65535 f\x20
0000000009 00000 n\x20
0000000052 00000 n\x20
0000000101 00000 n\x20
trailer<</Size 4/Root 1 0 R>>
startxref
164
%%EOF"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)

_numbers = count(1)


def number() -> int:
    """A number that no other call in this process gets."""
    return next(_numbers)


# --- Time -------------------------------------------------------------------------------------------------------------


def set_clock(at: datetime) -> datetime:
    """Make the sandbox's clock stand at an instant, backwards too; no job runs."""
    SandboxClock.objects.update_or_create(id=1, defaults={"now": at, "jobs_held": False})
    return at


# --- The catalog and the vendor's people --------------------------------------------------------------------------------


@cache
def shipped_catalog() -> dict[str, Any]:
    return tomllib.loads((settings.BASE_DIR / "catalog.toml").read_text(encoding="utf-8"))


def load_catalog(*codes: str, years: tuple[int, int] = (2023, 2024), **changes: Any) -> None:
    """Load the shipped catalog; of the programs only those named (by default the reseller's) for a few fiscal years.

    `changes` replace values of every program loaded, e.g. `currency="JPY"`.
    """
    catalog = shipped_catalog()
    wanted = codes or (RESELLER,)
    programs = [{**program, **changes} for program in catalog["programs"] if program["code"] in wanted]
    others = [program["code"] for program in catalog["programs"] if program["code"] not in wanted]
    part = {"programs": programs, "other_programs": others} if others else {"programs": programs}
    publish({**catalog, **part, "fiscal_years": list(years)}, at=clock.now())


def need_catalog(*codes: str) -> None:
    if not set(codes or (RESELLER,)) <= set(Program.objects.values_list("code", flat=True)):
        load_catalog(*codes)


def vendor(who: str = "program") -> Person:
    """One of the vendor's people of every sandbox: program, program2, finance, finance2, manager, pcmm, gtm or auditor."""
    email = f"{who}@vendor.example"
    known = Person.objects.filter(email=email).first()
    if known:
        return known
    name, role, title = next(row[1:] for row in VENDOR if row[0] == email)
    return create_person(email=email, name=name, role=role, title=title, by=None, at=clock.now())


# --- Partners -----------------------------------------------------------------------------------------------------------


def make_partner(name: str = "Northwind Traders", *, external_id: str = "", country: str = "US") -> Partner:
    return create_partner(
        external_id=external_id or f"P-{number()}", name=name, country=country, by=vendor(), at=clock.now()
    )


def make_payout_account(partner: Partner, **changes: str) -> PayoutAccount:
    """A German account of the partner, entered by its first admin (made if there is none), with `changes`."""
    admin = partner.people.filter(role="partner_admin", is_active=True).order_by("id").first()
    values = {"holder": partner.name, "country": "DE", "iban": "DE89370400440532013000", "bank_code": "COBADEFF"}
    admin = admin or make_person(partner, "partner_admin")
    return set_payout_account(partner.id, {**values, **changes}, by=admin, at=clock.now())


def make_location(partner: Partner | None = None, *, external_id: str = "", name: str = "Head office") -> Location:
    partner = partner or make_partner()
    return create_location(
        partner_id=partner.id,
        external_id=external_id or f"L-{number()}",
        name=name,
        country=partner.country,
        by=vendor(),
        at=clock.now(),
    )


def make_person(partner: Partner | None = None, role: str = "marketer", **more: Any) -> Person:
    """Somebody of a partner, or of the vendor where no partner is given and the role is one of the vendor's."""
    serial = number()
    house = f"partner{partner.id}" if partner else "vendor"
    return create_person(
        **{
            "email": f"{role}{serial}@{house}.example",
            "name": f"{role.replace('_', ' ').title()} {serial}",
            "role": role,
            "partner_id": partner.id if partner else None,
            "by": None,
            "at": clock.now(),
            **more,
        }
    )


def marketer_of(partner: Partner) -> Person:
    """The partner's first marketer; made if there is none."""
    return partner.people.filter(role="marketer", is_active=True).order_by("id").first() or make_person(partner)


def make_enrollment(
    location: Location | None = None,
    program: str = RESELLER,
    *,
    starts_on: date = date(2022, 7, 1),
    ends_on: date | None = None,
    payout_profile_complete: bool | None = True,
) -> Enrollment:
    need_catalog(program)
    return enroll(
        location_id=(location or make_location()).id,
        program_code=program,
        starts_on=starts_on,
        ends_on=ends_on,
        payout_profile_complete=payout_profile_complete,
        by=vendor(),
        at=clock.now(),
    )


# --- Money --------------------------------------------------------------------------------------------------------------


def period(code: str = "FY24-H1", program: str = RESELLER) -> EarningPeriod:
    return EarningPeriod.objects.select_related("program").get(program__code=program, code=code)


def earning_line(
    location: str, amount: str, *, on: str = "2023-08-15", program: str = RESELLER, **more: str
) -> dict[str, Any]:
    """One line of earnings as the REST door passes it on; an unsplit incentive in USD unless said otherwise."""
    return {
        "external_id": f"E-{number()}",
        "location_code": location,
        "program_code": program,
        "kind": "incentive",
        "earned_text": on,
        "amount_text": amount,
        "currency": "USD",
        **more,
    }


def earn(
    enrollment: Enrollment, *amounts: str, at: datetime | None = None, on: str = "2023-08-15", **more: str
) -> Import:
    """Incentives of these amounts, before the split, are delivered for an enrollment."""
    lines = [
        earning_line(enrollment.location.external_id, amount, on=on, program=enrollment.program.code, **more)
        for amount in amounts
    ]
    delivery = take_lines(lines, by=vendor("finance"), at=at or clock.now())
    assert delivery.rejected == 0, "the test's own earnings were rejected"
    return delivery


def make_fund(
    *amounts: str, enrollment: Enrollment | None = None, settled: bool = True, now: datetime = CLAIMING
) -> Fund:
    """A fund of FY24 H1 that earned 25,000.00 and 8.88 (or `amounts`), settled; then the clock stands at `now`.

    40 % of it is co-op: 10,003.55. Settled means that the threshold test ran for the period at its instant.
    """
    set_clock(EARNING)
    enrollment = enrollment or make_enrollment()
    earn(enrollment, *(amounts or ("25000.00", "8.88")))
    half = period(program=enrollment.program.code)
    if settled:
        settle_period(half.id, at=set_clock(half.settle_at))
    set_clock(now)
    return Fund.objects.with_names().get(enrollment=enrollment, earning_period=half)


def expire(code: str = "FY24-H1", program: str = RESELLER) -> None:
    """The job that expires what is left of a period runs now."""
    expire_period(period(code, program).id, at=clock.now())


def make_adjustment(fund: Fund, amount: str = "-5.00", *, reason_code: str = "wrong_calculation") -> Adjustment:
    """A correction for today, asked for by finance: posted at once, or waiting where it is above the program's amount."""
    at = clock.now()
    return request_adjustment(
        fund.id,
        amount_minor=to_minor(amount, fund.currency),
        reason_code=reason_code,
        effective_on=at.date(),
        by=vendor("finance"),
        at=at,
    )


# --- Claims -------------------------------------------------------------------------------------------------------------


def make_draft(
    fund: Fund,
    activity: str = "telemarketing",
    *,
    by: Person | None = None,
    activity_from: date | None = date(2024, 3, 1),
    activity_to: date | None = date(2024, 3, 2),
    **more: Any,
) -> Claim:
    """A draft without lines, documents or results."""
    return create_claim(
        fund_id=fund.id,
        activity_code=activity,
        activity_from=activity_from,
        activity_to=activity_to,
        by=by or marketer_of(fund.partner),
        at=clock.now(),
        **more,
    )


def add_invoice(
    claim: Claim, amount: str, *, on: date = date(2024, 3, 2), document: bool = True, **more: Any
) -> ClaimLine:
    """A line backed by an invoice of its own."""
    who = {"by": claim.created_by, "at": clock.now()}
    serial = number()
    values = {"supplier": "Fabrikam Print", "invoice_number": f"INV-{serial}", "invoiced_on": on, **more}
    line = add_line(claim.id, kind="invoice", amount_minor=to_minor(amount, claim.currency), **values, **who)
    if document:
        add_document(
            claim.id, kind="invoice", line_id=line.id, filename="invoice.pdf", data=PDF + b" %d" % serial, **who
        )
    return line


def complete(claim: Claim) -> Claim:
    """Give a draft all the results, answers, details and proofs that its activity asks for."""
    who = {"by": claim.created_by, "at": clock.now()}
    results = {metric.code: answer(metric) for metric in metrics_asked(claim)}
    claim = update_claim(claim.id, {"metrics": results}, **who)
    dated = dated_proofs(claim)
    for proof in proofs_asked(claim):
        day = claim.activity_from - timedelta(1) if proof.code in dated and claim.activity_from else None
        data = PNG + b" %d" % number()
        add_document(claim.id, kind=proof.code, filename="proof.png", data=data, dated_on=day, **who)
    details = {metric.code: answer(metric) for metric in line_details_asked(claim)}
    for line in claim.lines.all() if details else ():
        change_line(claim.id, line.pk, {"details": details}, **who)
    return claim


def answer(metric: Metric) -> str:
    """An answer that passes: a good one of the metric's kind."""
    if metric.code == "travellers":
        return "2"
    answers = {"count": "120", "money": "120.00", "yes_no": "no", "confirmed": "yes", "day": "2024-03-01"}
    return ", ".join(metric.choices) or answers.get(metric.kind, "Good")


def make_claim(
    fund: Fund, *amounts: str, activity: str = "telemarketing", by: Person | None = None, **more: Any
) -> Claim:
    """A complete draft, ready to be sent, with one invoice line for each amount (by default one of 4,000.00)."""
    claim = make_draft(fund, activity, by=by, **more)
    for amount in amounts or ("4000.00",):
        add_invoice(claim, amount)
    complete(claim)
    return Claim.objects.with_names().get(id=claim.id)


def make_sent_claim(fund: Fund, *amounts: str, **more: Any) -> Claim:
    claim = make_claim(fund, *amounts, **more)
    return submit_claim(claim.id, by=claim.created_by, at=clock.now())


def make_approved_claim(fund: Fund, *amounts: str, **more: Any) -> Claim:
    claim = make_sent_claim(fund, *amounts, **more)
    return approve_claim(claim.id, by=vendor("manager"), at=clock.now())


# --- Plans --------------------------------------------------------------------------------------------------------------


def add_planned(plan: Plan, amount: str = "4000.00", *, activity: str = "telemarketing", **more: Any) -> PlanActivity:
    """One activity of a draft, complete, in March 2024."""
    values = {"starts_on": date(2024, 3, 10), "ends_on": date(2024, 3, 20), "expected_outcome": "300 calls", **more}
    return add_activity(
        plan.id,
        activity_code=activity,
        requested_minor=to_minor(amount, plan.currency),
        by=plan.created_by,
        at=clock.now(),
        **values,
    )


def make_plan(fund: Fund, *amounts: str, by: Person | None = None, title: str = "Spring calls", **more: Any) -> Plan:
    """A complete draft with one activity for each amount (by default one of 4,000.00)."""
    plan = create_plan(fund_id=fund.id, title=title, by=by or marketer_of(fund.partner), at=clock.now())
    for amount in amounts or ("4000.00",):
        add_planned(plan, amount, **more)
    return Plan.objects.with_names().get(id=plan.id)


def make_sent_plan(fund: Fund, *amounts: str, **more: Any) -> Plan:
    plan = make_plan(fund, *amounts, **more)
    return submit_plan(plan.id, by=plan.created_by, at=clock.now())


def make_approved_plan(fund: Fund, *amounts: str, **more: Any) -> Plan:
    plan = make_sent_plan(fund, *amounts, **more)
    return approve_plan(plan.id, by=vendor("manager"), at=clock.now())


def make_declined_claim(fund: Fund, *amounts: str, reason: str = "No call log.", **more: Any) -> Claim:
    claim = make_sent_claim(fund, *amounts, **more)
    return reject_claim(claim.id, reason=reason, by=vendor("manager"), at=clock.now())


# --- Payments -----------------------------------------------------------------------------------------------------------


def prepare() -> PaymentRun:
    """A run of all that was approved until today, prepared by finance."""
    at = clock.now()
    return prepare_run(cutoff=at.date(), by=vendor("finance"), at=at)


def make_approved_run() -> PaymentRun:
    """The same, approved by the second person of finance."""
    return approve_run(prepare().id, by=vendor("finance2"), at=clock.now())


def pay_all() -> PaymentRun:
    """Pay all that was approved until today: prepared, approved, and every payment sent."""
    run = make_approved_run()
    results = [Result(payment.id, "sent", bank_reference=f"BANK-{payment.id}") for payment in run.payments.all()]
    return read_results(run.id, results, by=vendor("finance"), at=clock.now())


def make_reconciliation(run: PaymentRun) -> Reconciliation:
    """A bank's list that says of the first payment of an unsettled run that it was sent, which we do not know: one line."""
    payment = run.payments.order_by("id")[0]
    text = f"payment_id,currency,amount,day,status\n{payment.pk},{payment.currency},1.00,{clock.now().date()},sent\n"
    return reconcile(
        kind="paid", filename="bank.csv", file=BytesIO(text.encode()), by=vendor("finance"), at=clock.now()
    )
