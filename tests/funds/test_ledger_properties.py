"""Any sequence of operations keeps the books.

Hypothesis plays partner, channel manager, finance, the jobs and time itself on one small world, in any order, and after
each step the ledger is looked at. What is refused is part of the game: a refusal must leave nothing behind.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from claims.checks import CHECKS
from claims.models import Claim, Plan, PlanActivity
from claims.operations.drafting import change_line
from claims.operations.plan_review import PlanDecision, approve_plan
from claims.operations.plans import amend_plan, cancel_plan, change_activity, close_activity, submit_plan
from claims.operations.review import Fix, LineDecision, approve_claim, reject_claim, return_claim, start_review
from claims.operations.sending import submit_claim, withdraw_claim
from coop import jobs
from coop.lib import clock
from coop.lib.errors import Refused
from funds.checks import check_ledger
from funds.models import Entry, Fund, PaymentRun
from funds.operations.payments import approve_run, cancel_run, prepare_run
from funds.operations.results import Result, read_results
from partners.models import Event
from tests import factories as make

# The instants that matter: before, at and after each deadline of FY24 H1.
STOPS = [
    make.EARNING,
    *(make.CLAIMING.replace(month=month) for month in (2, 3, 5)),
    make.LAST_INSTANT,
    make.DEADLINE,
    make.DEADLINE + timedelta(days=9),
    make.CURE_DEADLINE - timedelta(microseconds=1),
    make.CURE_DEADLINE,
    make.CURE_DEADLINE + timedelta(days=30),
]
cents = st.one_of(st.integers(1, 2_000_000), st.sampled_from([1, 100_000, 1_000_000, 2_500_000]))


class Books(RuleBasedStateMachine):
    """One partner with two funds, and everybody who touches their money."""

    @initialize(earned=st.sampled_from(["25000.00", "24999.98", "40000.00"]), early=st.booleans())
    def begin(self, earned: str, early: bool) -> None:
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        self.stop = 0 if early else 2
        partner = make.make_partner()
        enrollments = [make.make_enrollment(make.make_location(partner)) for _ in range(2)]
        self.funds = [make.make_fund(earned, enrollment=e, settled=not early) for e in enrollments]
        make.set_clock(STOPS[self.stop])
        self.marketer, self.manager = make.marketer_of(partner), make.vendor("manager")
        self.finance, self.second = make.vendor("finance"), make.vendor("finance2")
        self.claims: list[int] = []
        if not early:
            for which, amount in ((0, 300_000), (0, 999_999), (1, 1)):
                self.write(which, [amount])

    def teardown(self) -> None:
        if hasattr(self, "rollback"):
            try:
                assert check_ledger(CHECKS).differences == []
            finally:
                transaction.set_rollback(True)
                self.rollback.__exit__(None, None, None)

    @contextmanager
    def maybe_refused(self) -> Iterator[None]:
        before = (Entry.objects.count(), Event.objects.count())
        try:
            yield
        except Refused:
            assert (Entry.objects.count(), Event.objects.count()) == before, "a refusal left something behind"

    def claim(self, pick: int) -> Claim | None:
        return Claim.objects.get(id=self.claims[pick % len(self.claims)]) if self.claims else None

    @rule(which=st.integers(0, 1), amount=cents, sign=st.sampled_from(["", "", "-"]))
    def earn(self, which: int, amount: int, sign: str) -> None:
        line = make.earning_line(self.funds[which].location.external_id, f"{sign}{amount // 100}.{amount % 100:02}")
        make.take_lines([line], by=self.finance, at=clock.now())

    @rule(which=st.integers(0, 1), amounts=st.lists(cents, min_size=1, max_size=2))
    def write(self, which: int, amounts: list[int]) -> None:
        if len(self.claims) < 6:
            texts = [f"{amount // 100}.{amount % 100:02}" for amount in amounts]
            self.claims.append(make.make_claim(self.funds[which], *texts, activity="internal-training").id)
            self.submit(len(self.claims) - 1)

    @rule(pick=st.integers(0, 5))
    def submit(self, pick: int) -> None:
        if claim := self.claim(pick):
            with self.maybe_refused():
                submit_claim(claim.id, by=self.marketer, at=clock.now())

    @rule(pick=st.integers(0, 5), amount=cents)
    def mend(self, pick: int, amount: int) -> None:
        if claim := self.claim(pick):
            with self.maybe_refused():
                line = claim.lines.get(id=claim.lines.first().id)  # type: ignore[union-attr]
                change_line(claim.id, line.id, {"amount_minor": amount}, by=self.marketer, at=clock.now())

    @rule(pick=st.integers(0, 5))
    def withdraw(self, pick: int) -> None:
        if claim := self.claim(pick):
            with self.maybe_refused():
                withdraw_claim(claim.id, by=self.marketer, at=clock.now())

    @rule(
        pick=st.integers(0, 5),
        verb=st.sampled_from(["start", "return", "approve", "less", "decline one", "reject"]),
        part=st.integers(1, 99),
    )
    def decide(self, pick: int, verb: str, part: int) -> None:
        claim = self.claim(pick)
        if not claim:
            return
        line = claim.lines.first()
        assert line
        given: dict[str, Any] = {"by": self.manager, "at": clock.now()}
        less = LineDecision(line.id, "approve_less", line.amount_minor * part // 100, "Beverages are left out.")
        acts = {
            "start": lambda: start_review(claim.id, **given),
            "return": lambda: return_claim(claim.id, fixes=[Fix("lines", "Add the log.")], **given),
            "approve": lambda: approve_claim(claim.id, **given),
            "less": lambda: approve_claim(claim.id, decisions=[less], **given),
            "decline one": lambda: approve_claim(
                claim.id, decisions=[LineDecision(line.id, "decline", reason="Not marketing.")], **given
            ),
            "reject": lambda: reject_claim(claim.id, reason="Not marketing.", **given),
        }
        with self.maybe_refused():
            acts[verb]()

    @rule(which=st.integers(0, 1), amounts=st.lists(cents, min_size=1, max_size=2))
    def plan(self, which: int, amounts: list[int]) -> None:
        if Plan.objects.count() < 4:
            texts = [f"{amount // 100}.{amount % 100:02}" for amount in amounts]
            plan = make.make_plan(self.funds[which], *texts, activity="internal-training", by=self.marketer)
            with self.maybe_refused():
                submit_plan(plan.pk, by=self.marketer, at=clock.now())

    @rule(pick=st.integers(0, 5), part=st.integers(1, 100))
    def decide_plan(self, pick: int, part: int) -> None:
        waiting = list(Plan.objects.filter(status="submitted").order_by("id"))
        if waiting:
            plan = waiting[pick % len(waiting)]
            rows = [(row.pk, row.requested_minor * part // 100) for row in plan.activities.all()]
            less = [PlanDecision(pk, "approve_less", minor, "Less will do.") for pk, minor in rows if part < 100]
            with self.maybe_refused():
                approve_plan(plan.pk, decisions=less, by=self.manager, at=clock.now())

    @rule(pick=st.integers(0, 5), amount=cents)
    def amend(self, pick: int, amount: int) -> None:
        plans = list(Plan.objects.filter(status="approved").order_by("id"))
        if plans and Plan.objects.count() < 7:
            with self.maybe_refused():
                amend_plan(plans[pick % len(plans)].pk, by=self.marketer, at=clock.now())
            if draft := Plan.objects.filter(status="draft", version__gt=1).last():
                row = draft.activities.first()
                with self.maybe_refused():
                    change = {"requested_minor": amount}
                    change_activity(draft.pk, row.pk if row else 0, change, by=self.marketer, at=clock.now())
                with self.maybe_refused():
                    submit_plan(draft.pk, by=self.marketer, at=clock.now())

    @rule(pick=st.integers(0, 5), whole=st.booleans())
    def end_plan(self, pick: int, whole: bool) -> None:
        rows = list(PlanActivity.objects.filter(plan__status="approved", closed_at__isnull=True).order_by("id"))
        if rows:
            row = rows[pick % len(rows)]
            with self.maybe_refused():
                if whole:
                    cancel_plan(row.plan_id, by=self.marketer, at=clock.now())
                else:
                    close_activity(row.plan_id, row.pk, by=self.marketer, at=clock.now())

    @rule(pick=st.integers(0, 5), amount=cents)
    def claim_on_plan(self, pick: int, amount: int) -> None:
        rows = list(PlanActivity.objects.filter(plan__status="approved", reserved_minor__gt=0).order_by("id"))
        if rows and len(self.claims) < 7:
            row, text = rows[pick % len(rows)], f"{amount // 100}.{amount % 100:02}"
            made = make.make_claim(
                row.plan.fund, text, activity="internal-training", plan_activity_id=row.pk, by=self.marketer
            )
            self.claims.append(made.pk)
            self.submit(len(self.claims) - 1)

    @rule()
    def prepare(self) -> None:
        with self.maybe_refused():
            prepare_run(cutoff=clock.now().date(), by=self.finance, at=clock.now())

    @rule(outcome=st.sampled_from(["cancelled", "sent", "sent", "failed"]))
    def run_payments(self, outcome: str) -> None:
        run = PaymentRun.objects.filter(status="draft").first()
        if not run:
            return
        if outcome == "cancelled":
            cancel_run(run.id, by=self.finance, at=clock.now())
            return
        approve_run(run.id, by=self.second, at=clock.now())
        results = [Result(payment.id, outcome, failure="Unknown account.") for payment in run.payments.all()]
        read_results(run.id, results, by=self.finance, at=clock.now())

    @rule(steps=st.integers(1, 2))
    def time_passes(self, steps: int) -> None:
        self.stop = min(self.stop + steps, len(STOPS) - 1)
        make.set_clock(STOPS[self.stop])

    @rule(job=st.sampled_from(jobs.BY_THE_CLOCK))
    def job_runs(self, job: Any) -> None:
        done = job(clock.now())
        assert done.failed == 0, done.notes

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "funds"):
            return
        for fund in Fund.objects.filter(id__in=[fund.id for fund in self.funds]):
            buckets = (
                fund.available_minor,
                fund.reserved_minor,
                fund.in_review_minor,
                fund.approved_minor,
                fund.paid_minor,
                fund.expired_minor,
                fund.converted_minor,
            )
            assert fund.earned_minor + fund.adjustments_minor == sum(buckets)
            assert min(buckets[1:]) >= 0
            held = sum(Claim.objects.filter(fund=fund).values_list("held_minor", flat=True))
            assert held == fund.in_review_minor
            reserved = PlanActivity.objects.filter(plan__fund=fund).values_list("reserved_minor", flat=True)
            assert sum(reserved) == fund.reserved_minor
            if clock.now() < make.DEADLINE:
                assert fund.expired_minor == 0
            assert fund.entries.filter(kind="expiry").count() <= 1


@pytest.mark.django_db
def test_m6_any_sequence_of_operations_keeps_the_balance_identity() -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=10,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=False,
        ),
    )


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(5))
def test_m6_long_walks_keep_it_too(seed: int) -> None:
    """The same players on long walks with their own weights, which get to payments, returns and expiry far more often."""
    chance = random.Random(seed)
    books = Books()
    books.begin("40000.00", early=seed == 0)
    planned = int(seed > 0)  # the walk that begins before the money is final goes without plans
    steps: list[tuple[int, Callable[[], None]]] = [
        (2, lambda: books.earn(chance.randrange(2), chance.randrange(1, 200_000), chance.choice(["", "", "-"]))),
        (3, lambda: books.write(chance.randrange(2), [chance.randrange(1, 600_000)])),
        (3, lambda: books.submit(chance.randrange(9))),
        (1, lambda: books.mend(chance.randrange(6), chance.randrange(1, 600_000))),
        (1, lambda: books.withdraw(chance.randrange(6))),
        (8, lambda: books.decide(chance.randrange(9), chance.choice(["return", "return", "approve", "less"]), 60)),
        (1, lambda: books.decide(chance.randrange(6), chance.choice(["start", "decline one", "reject"]), 60)),
        (planned, lambda: books.plan(chance.randrange(2), [chance.randrange(1, 600_000)])),
        (planned, lambda: books.decide_plan(chance.randrange(6), chance.choice([60, 100, 100]))),
        (planned, lambda: books.amend(chance.randrange(6), chance.randrange(1, 600_000))),
        (2 * planned, lambda: books.claim_on_plan(chance.randrange(6), chance.randrange(1, 600_000))),
        (planned, lambda: books.end_plan(chance.randrange(6), chance.random() < 0.3)),
        (2, books.prepare),
        (2, lambda: books.run_payments(chance.choice(["cancelled", "sent", "sent", "failed"]))),
        (1, lambda: books.time_passes(1)),
        (2, lambda: books.job_runs(chance.choice(jobs.BY_THE_CLOCK))),
    ]
    try:
        for _ in range(80):
            chance.choices([step for _, step in steps], [weight for weight, _ in steps])[0]()
            books.the_books_agree()
        kinds = set(Entry.objects.values_list("kind", flat=True))
        assert {"earning", "hold", "release", "approval"} <= kinds, "this walk did not get far"
    finally:
        books.teardown()


@pytest.mark.django_db
def test_m6_the_worked_example() -> None:
    """25,000.00 and 8.88 earned; a claim of 4,000.00 approved at 3,600.00 and paid; the rest expires."""
    fund = make.make_fund()
    claim = make.make_sent_claim(fund, "4000.00")
    line = claim.lines.get()
    decision = LineDecision(line.id, "approve_less", 360_000, "Beverages are left out.")
    approve_claim(claim.id, decisions=[decision], by=make.vendor("manager"), at=clock.now())
    make.pay_all()
    jobs.run_due(make.set_clock(make.CURE_DEADLINE + timedelta(days=2)))
    fund.refresh_from_db()
    assert (fund.earned_minor, fund.adjustments_minor) == (1_000_355, 0)
    assert (fund.available_minor, fund.paid_minor, fund.expired_minor) == (0, 360_000, 640_355)
    assert check_ledger(CHECKS).differences == []
