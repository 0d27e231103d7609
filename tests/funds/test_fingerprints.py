"""The sums that spare `check_ledger` most of its work: they are what they say, and no swap of equal amounts deceives them."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from claims.checks import CHECKS as CLAIM_CHECKS
from coop.lib.db import execute, rows
from funds import checks
from funds.checks import CHECKS, Check, check_ledger
from funds.fingerprints import PRIME, disagreeing, times
from tests import factories as make

pytestmark = pytest.mark.django_db

BIGINTS = st.integers(-(2**63), 2**63 - 1)
FINGERPRINTS = {check.fingerprint for check in {**CHECKS, **CLAIM_CHECKS}.values() if isinstance(check, Check)}


@given(BIGINTS, BIGINTS, BIGINTS)
def test_products_are_those_of_whole_numbers_modulo_the_prime_and_never_overflow(
    one: int, two: int, three: int
) -> None:
    factors = [f"({number})::numeric::bigint" for number in (one, two, three)]
    assert (rows(f"SELECT {times(*factors)}")[0][0] - one * two * three) % PRIME == 0


def test_equal_amounts_that_change_places_between_two_funds_or_claims_are_seen() -> None:
    one, other = (
        make.make_fund(),
        make.make_fund("25000.00", "8.88", enrollment=make.make_enrollment(make.make_location())),
    )
    first, second = make.make_sent_claim(one, "100.00"), make.make_sent_claim(one, "200.00")
    assert disagreeing(list(FINGERPRINTS))[1] == set()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE funds_entry DISABLE TRIGGER USER")
    execute(
        "UPDATE funds_entry SET reference = CASE reference WHEN %s THEN %s ELSE %s END WHERE kind = 'hold'",
        [str(first.id), str(second.id), str(first.id)],
    )
    assert {d.check for d in check_ledger(CLAIM_CHECKS).differences} == {
        "every claim agrees with its entries",
        "every claim that was sent began with a hold",
    }
    execute("UPDATE funds_entry SET fund_id = %s WHERE kind = 'earning' AND fund_id = %s", [other.id + 1_000, other.id])
    assert checks.FUNDS in disagreeing(list(FINGERPRINTS))[1]


def test_where_the_sums_agree_no_check_goes_through_the_entries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    make.make_sent_claim(make.make_fund(), "100.00")
    asked: list[str] = []
    monkeypatch.setattr(checks, "rows", lambda sql, *more: asked.append(sql) or rows(sql, *more))
    assert check_ledger(CLAIM_CHECKS).differences == []
    spared = [check.sql for check in {**CHECKS, **CLAIM_CHECKS}.values() if isinstance(check, Check)]
    assert not set(spared) & set(asked)
    made = {sql: name for name, sql in {**CHECKS, **CLAIM_CHECKS}.items() if isinstance(sql, str)}
    assert {made[sql] for sql in asked if "funds_entry" in sql} == {  # each reads few of them: of expiry, or of plans
        "nothing expired before its deadline",
        "every expiry is effective on the deadline of its fund",
        "nothing is left in a fund that expired",
        "every plan agrees with its entries",
    }
