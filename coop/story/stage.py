"""Where the story is played: the time, the people by their short names, and how they import, write claims and pay."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from claims.models import Claim, Plan
from claims.operations.documents import add_document
from claims.operations.drafting import add_line, create_claim, update_claim
from claims.operations.plan_drafts import add_activity, create_plan
from claims.operations.plans import submit_plan
from claims.operations.sending import submit_claim
from claims.queries import document_kinds
from claims.queries.book import metrics_asked, proofs_asked
from coop.lib import clock
from coop.lib.money import to_minor
from coop.sandbox import move_clock
from coop.story import papers
from funds.models import Fund, Import
from funds.operations.deliveries import check_import
from funds.operations.earnings import commit_import
from funds.operations.imports import receive_file
from partners.models import Person, Untold

CONTENT_OF_KIND = {"url", "landing-page-url"}  # proofs that are given as a link
# Answers to the questions of activities, where the work itself says nothing.
USUAL = {
    "search": "no",
    "brand-in-photos": "yes",
    "parts": "digital-advertising, direct-mail",
    "no-alcohol": "yes",
    "vendor-content-only": "yes",
}
PICTURES = {"ad-screenshot", "screenshots", "photos", "booth-photo"}


@dataclass(frozen=True)
class Paper:
    """One line of a claim: an invoice of a supplier, or a CSR where there is none."""

    amount: str
    what: str
    supplier: str = ""
    number: str = ""
    on: date | None = None


@dataclass(frozen=True)
class Work:
    """What a claim asks to be paid back for: fund (location, program, half), activity, days, lines and results."""

    fund: tuple[str, str, str]
    activity: str
    title: str
    days: tuple[date, date] | None
    lines: tuple[Paper, ...] = ()
    results: Mapping[str, str] = field(default_factory=dict)
    area: str = ""
    without: tuple[str, ...] = ()  # kinds of documents that are not there yet
    log_until: date | None = None  # where the log of calls ends too early
    details: Mapping[str, str] = field(default_factory=dict)  # what is asked beside each line


@dataclass(frozen=True)
class Intent:
    """One activity of a plan: what, when, for how much, and what is hoped for. A claim of the same title is made on it."""

    activity: str
    title: str
    days: tuple[date, date]
    amount: str
    outcome: str
    area: str = ""


TOLD_FROM = datetime(2024, 2, 12, tzinfo=UTC)


@dataclass
class Stage:
    """The people of the story, and how many papers were made so far (each gets its own picture)."""

    people: dict[str, Person] = field(default_factory=dict)
    pictures: int = 0
    plans: dict[str, int] = field(default_factory=dict)  # activities of plans, by their titles

    def at(self) -> datetime:
        return clock.now()

    def until(self, text: str) -> None:
        """Move the sandbox's clock to an instant of UTC like "2023-11-20 10:12"; jobs that fall due on the way run.

        People are told of the last half year alone: nobody looks further back, and a demo starts the sooner.
        """
        at = datetime.fromisoformat(text).replace(tzinfo=UTC)
        if self.at() < TOLD_FROM <= at:
            move_clock(TOLD_FROM, telling=False, by=None)
            Untold.objects.all().delete()
        move_clock(at, telling=at >= TOLD_FROM, by=None)

    def receive(self, filename: str, data: bytes) -> Import:
        """Upload an earnings file and have it checked, as finance and the worker do."""
        delivery = receive_file(filename=filename, file=io.BytesIO(data), by=self.people["finance"], at=self.at())
        checked = check_import(delivery.id, at=self.at())
        assert checked is not None  # noqa: S101 - nobody else is here to take it
        return checked

    def take(self, filename: str, data: bytes) -> Import:
        delivery = self.receive(filename, data)
        return commit_import(delivery.id, by=self.people["finance"], at=self.at())

    def fund(self, location: str, program: str, half: str) -> Fund:
        """The fund of a location, by its number, in a program for a half."""
        return Fund.objects.get(
            location__external_id=location, program__code=program, earning_period__code=half, currency="USD"
        )

    def write(self, who: str, work: Work) -> Claim:
        """Write a claim with its lines, documents and results, complete but for what it leaves out."""
        by, at = self.people[who], self.at()
        fund = self.fund(*work.fund)
        first, last = work.days or (None, None)
        claim = create_claim(
            fund_id=fund.id,
            activity_code=work.activity,
            title=work.title,
            activity_from=first,
            activity_to=last,
            solution_area=work.area,
            plan_activity_id=self.plans.get(work.title),
            by=by,
            at=at,
        )
        answers = {metric.code: USUAL[metric.code] for metric in metrics_asked(claim) if metric.code in USUAL}
        claim = update_claim(claim.id, {"metrics": {**answers, **work.results}}, by=by, at=at)
        for paper in work.lines:
            self.put_line(claim, paper, details=work.details, without=work.without, by=by, at=at)
        kinds = [proof.code for proof in proofs_asked(claim) if proof.required]
        for kind in kinds:
            if kind not in ("invoice", "csr", *work.without):
                self.put_proof(claim, kind, work.log_until or last, by=by, at=at)
        return claim

    def plan(self, who: str, fund: tuple[str, str, str], title: str, *intents: Intent) -> Plan:
        """Write a plan and send it."""
        by, at = self.people[who], self.at()
        plan = create_plan(fund_id=self.fund(*fund).id, title=title, people=[by.pk], by=by, at=at)
        for intent in intents:
            first, last = intent.days
            row = add_activity(
                plan.pk,
                activity_code=intent.activity,
                title=intent.title,
                solution_area=intent.area,
                starts_on=first,
                ends_on=last,
                requested_minor=to_minor(intent.amount, plan.currency),
                expected_outcome=intent.outcome,
                by=by,
                at=at,
            )
            self.plans[intent.title] = row.pk
        return submit_plan(plan.pk, by=by, at=at)

    def put_line(
        self,
        claim: Claim,
        paper: Paper,
        *,
        details: Mapping[str, str],
        without: tuple[str, ...],
        by: Person,
        at: datetime,
    ) -> None:
        kind = "invoice" if paper.supplier else "csr"
        line = add_line(
            claim.id,
            kind=kind,
            amount_minor=to_minor(paper.amount, claim.currency),
            supplier=paper.supplier,
            invoice_number=paper.number,
            invoiced_on=paper.on,
            description=paper.what,
            details=details,
            by=by,
            at=at,
        )
        if kind in without:
            return
        head = f"Invoice {paper.number}" if paper.supplier else "Certification statement and report"
        said = [f"{paper.supplier or by.name}", f"{paper.what}", "", f"Total {paper.amount} {claim.currency}"]
        said += [f"Date {paper.on.isoformat()}"] if paper.on else []
        name = f"{paper.number or 'csr-' + str(line.pk)}.pdf".lower().replace("/", "-").replace(" ", "-")
        add_document(claim.id, kind=kind, filename=name, data=papers.pdf(head, said), line_id=line.id, by=by, at=at)

    def put_proof(self, claim: Claim, kind: str, last: date | None, *, by: Person, at: datetime) -> None:
        """Upload one proof in the form that suits it: a link, a picture, a list of calls until a day, or a page of text."""
        self.pictures += 1
        if kind in CONTENT_OF_KIND:
            site = by.email.partition("@")[2]
            address = f"https://www.{site}/offers/{claim.title.lower().replace(' ', '-')}"
            add_document(claim.id, kind=kind, url=address, by=by, at=at)
            return
        name, data = f"{kind}.pdf", b""
        if kind in PICTURES:
            name, data = f"{kind}-{self.pictures}.png", papers.png(self.pictures)
        elif kind == "call-log" and claim.activity_from and last:
            name, data = "call-log.csv", papers.call_log(int(claim.metrics["calls"]), claim.activity_from, last)
        else:
            data = papers.pdf(claim.title, [document_kinds(claim)[kind], "", f"{claim.partner}, {claim.activity}"])
        add_document(claim.id, kind=kind, filename=name, data=data, by=by, at=at)

    def send(self, who: str, work: Work) -> Claim:
        """Write a claim and send it."""
        claim = self.write(who, work)
        return submit_claim(claim.id, by=self.people[who], at=self.at())
