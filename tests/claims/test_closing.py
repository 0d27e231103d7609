"""The preview of a close is what the close posts, fund by fund, whatever happened before."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from claims.checks import CHECKS
from claims.queries.closing import lapsing
from coop import jobs
from coop.lib import clock
from funds.checks import check_ledger
from funds.models import Entry
from funds.operations.extensions import grant_extension
from funds.queries.closing import funds_to_expire, funds_to_test, totals_to_expire, totals_to_test
from tests import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# Earned before the split: 24,999.98 gives 9,999.99 of co-op, one cent under the threshold; 25,000.00 stays exactly at it.
EARNED = st.sampled_from(["24999.98", "25000.00", "60000.00", "1.00"])
ADJUSTED = st.sampled_from([None, "0.01", "-0.01", "4000.00", "-150.00"])
LIFE = st.tuples(EARNED, ADJUSTED, st.booleans(), st.booleans(), st.booleans())


def run_due(at: Any) -> None:
    make.set_clock(at)
    for done in jobs.run_due(at):
        assert not done.failed, done.notes


@settings(
    max_examples=3,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(lives=st.lists(LIFE, min_size=2, max_size=3))
def test_what_the_preview_says_is_what_is_posted(db: None, lives: list[tuple[str, Any, bool, bool, bool]]) -> None:
    with transaction.atomic():
        close_a_period(lives)
        transaction.set_rollback(True)  # the next example begins anew


def close_a_period(lives: list[tuple[str, Any, bool, bool, bool]]) -> None:
    make.set_clock(make.EARNING)
    funds = []
    for earned, adjusted, *_ in lives:
        fund = make.make_fund(earned, settled=False, now=make.EARNING)
        if adjusted:
            make.make_adjustment(fund, adjusted)
        funds.append(fund)
    half, mine = make.period(), [fund.pk for fund in funds]

    before = {one.id: one.converts_minor for one in funds_to_test(half) if one.id in mine}
    (total,) = totals_to_test(half)
    run_due(half.settle_at)
    posted = dict(Entry.objects.filter(fund__in=mine, kind="conversion").values_list("fund_id", "amount_minor"))
    assert posted == {fund_id: minor for fund_id, minor in before.items() if minor}
    assert total.minor == sum(posted.values())
    assert totals_to_test(half) == []

    make.set_clock(make.CLAIMING)
    for fund, (_, _, plans, drafts, extended) in zip(funds, lives, strict=True):
        fund.refresh_from_db()
        if fund.available_minor < 100_000:
            continue
        if plans:
            make.make_approved_plan(fund, "500.00")
        if drafts:
            make.make_claim(fund, "100.00")
            make.make_sent_claim(fund, "200.00")
        if extended:
            more = {"reason": "Late.", "by": make.vendor(), "at": clock.now()}
            grant_extension(period_id=half.pk, partner_id=fund.partner_id, claims_close_on=date(2024, 8, 30), **more)

    half = make.period()
    expected = {one.id: (one.expires_minor, one.closes_on) for one in funds_to_expire(half) if one.id in mine}
    reserves = {fund_id: one for fund_id, one in lapsing(half).items() if fund_id in mine}
    total_minor = sum(total.minor for total in totals_to_expire(half))
    run_due(make.DEADLINE)
    run_due(make.CURE_DEADLINE)
    found = Entry.objects.filter(fund__in=mine, kind="expiry").values_list("fund_id", "amount_minor", "effective_on")
    assert {fund_id: (minor, day) for fund_id, minor, day in found} == {
        fund_id: said for fund_id, said in expected.items() if said[0]
    }
    released = Entry.objects.filter(fund__in=mine, kind="release", from_bucket="reserved", to_bucket="expired")
    assert dict(released.values_list("fund_id", "amount_minor")) == {
        fund_id: one.reserved_minor for fund_id, one in reserves.items() if one.reserved_minor
    }
    assert total_minor == sum(minor for _, minor, _ in found)
    assert sum(one.drafts for one in reserves.values()) == sum(draft for *_, draft, _ in lives) - sum(
        draft for fund, (*_, draft, _) in zip(funds, lives, strict=True) if fund.available_minor < 100_000
    )
    assert totals_to_expire(make.period()) == []
    assert check_ledger(CHECKS).differences == []
