"""The jobs run twice, late, together and killed, and the ledger is the same; and the audit finds what is planted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from claims.checks import CHECKS as CLAIM_CHECKS
from claims.models import Claim
from claims.operations.review import Fix, return_claim
from coop import jobs
from coop.lib import clock
from funds.checks import CHECKS, check_ledger
from funds.models import EarningPeriod, Entry, Fund
from funds.operations.settlement import expire_period
from partners.models import Event
from tests import factories as make


def ledger() -> list[tuple[object, ...]]:
    """What the entries say, without ids and without when it was learned."""
    columns = ("fund_id", "kind", "from_bucket", "to_bucket", "amount_minor", "effective_on", "key")
    return sorted(Entry.objects.values_list(*columns), key=str)


def agrees() -> None:
    assert check_ledger(CLAIM_CHECKS).differences == []


# --- Twice, late, together --------------------------------------------------------------------------------------------


def told() -> dict[str, list[tuple[object, ...]]]:
    """One small world: a fund that qualifies, one that converts, a draft, a sent and a returned claim."""
    good, small = make.make_fund("25000.00", settled=False), make.make_fund("24999.98", settled=False)
    jobs.run_due(make.set_clock(make.CLAIMING))
    make.make_claim(good, "10.00")
    make.make_sent_claim(good, "20.00")
    back = make.make_sent_claim(good, "30.00")
    return_claim(back.id, fixes=[Fix("lines", "Add the log.")], by=make.vendor("manager"), at=clock.now())
    small.refresh_from_db()
    assert small.converted_minor == 999_999
    return {"before": ledger()}


def amounts() -> list[tuple[object, ...]]:
    return sorted(Entry.objects.values_list("kind", "to_bucket", "amount_minor", "effective_on"), key=str)


@pytest.mark.django_db
def test_jobs_in_time_twice_and_in_any_order_make_the_same_entries() -> None:
    wanted = None
    for order in (jobs.BY_THE_CLOCK, tuple(reversed(jobs.BY_THE_CLOCK)), jobs.BY_THE_CLOCK * 2):
        with transaction.atomic():
            told()
            for at in (make.DEADLINE, make.CURE_DEADLINE):
                make.set_clock(at)
                for job in order:
                    assert job(at).failed == 0
            agrees()
            wanted = wanted or amounts()
            assert amounts() == wanted
            transaction.set_rollback(True)


@pytest.mark.django_db
def test_a_job_that_runs_late_dates_its_entries_on_the_promised_day() -> None:
    told()
    jobs.run_due(make.set_clock(make.DEADLINE + timedelta(days=17)))
    expired = Entry.objects.get(kind="expiry")
    assert expired.effective_on == date(2024, 8, 14)
    assert expired.recorded_at == make.DEADLINE + timedelta(days=17)
    converted = Entry.objects.get(kind="conversion")
    assert converted.effective_on == date(2024, 1, 30)


@pytest.mark.django_db
def test_nothing_is_done_before_its_instant() -> None:
    told()
    before = ledger()
    jobs.run_due(make.set_clock(make.LAST_INSTANT))
    assert expire_period(make.period().id, at=clock.now()).funds == 0
    assert ledger() == before
    assert not Claim.objects.filter(status="lapsed").exists()


@pytest.mark.django_db
def test_a_second_run_does_nothing_and_says_nothing() -> None:
    told()
    jobs.run_due(make.set_clock(make.CURE_DEADLINE))
    before, events = ledger(), Event.objects.count()
    assert all(done.worked == 0 for done in jobs.run_due(make.CURE_DEADLINE + timedelta(days=1)))
    assert (ledger(), Event.objects.count()) == (before, events)
    assert EarningPeriod.objects.get(id=make.period().id).expired_at == make.CURE_DEADLINE


# --- Killed -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_sweep_that_is_killed_in_the_middle_and_run_again_expires_each_fund_once() -> None:
    funds = [make.make_fund("25000.00") for _ in range(10)]
    half = make.period()
    make.set_clock(make.DEADLINE)
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.coop.sweep_child", connection.settings_dict["NAME"], str(half.id)],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout
    with child.stdout as said:
        for _ in range(2):  # the second chunk is written and not committed yet, or just about to be
            assert said.readline() == "chunk\n"
        child.send_signal(signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    partly = Entry.objects.filter(kind="expiry").count()
    assert 3 <= partly < 10, "the kill came too early or too late to show anything"
    agrees()
    assert jobs.expire_periods(clock.now()).failed == 0
    for fund in funds:
        fund.refresh_from_db()
        assert (fund.available_minor, fund.expired_minor) == (0, 1_000_000)
    assert Entry.objects.filter(kind="expiry").count() == 10
    assert Event.objects.filter(verb="fund.expired").count() == 10
    agrees()


# --- A record that fails ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_record_that_fails_is_counted_and_does_not_stop_the_others() -> None:
    fund = make.make_fund()
    claims = [make.make_claim(fund, "10.00") for _ in range(3)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$
                  BEGIN RAISE EXCEPTION 'this row is broken'; END $$;
                CREATE TRIGGER broken BEFORE UPDATE ON claims_claim FOR EACH ROW
                  WHEN (OLD.id = {claims[1].id} AND NEW.status = 'lapsed') EXECUTE FUNCTION broken()"""
        )
    try:
        done = jobs.lapse_claims(make.set_clock(make.DEADLINE))
        assert (done.worked, done.failed) == (2, 1)
        assert "this row is broken" in done.notes[0]
        assert sorted(Claim.objects.values_list("status", flat=True)) == ["draft", "lapsed", "lapsed"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER broken ON claims_claim; DROP FUNCTION broken()")
    assert jobs.lapse_claims(clock.now()).worked == 1
    agrees()


# --- The audit finds what is planted ------------------------------------------------------------------------------------

ENTRY = """INSERT INTO funds_entry (fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor, effective_on,
             recorded_at, reference_type, reference, key)
           SELECT id, partner_id, currency, {values} FROM funds_fund LIMIT 1"""

# What somebody with all rights could do while no trigger looks, and the check that must find it.
PLANTED: dict[str, tuple[str, ...]] = {
    "totals equal the entries": (
        "UPDATE funds_fund SET earned_minor = earned_minor + 1, available_minor = available_minor + 1",
    ),
    "every entry fits its fund": (
        ENTRY.format(values="'earning', 'program', 'available', 5, '2024-03-04', now(), 'x', '1', 'x'").replace(
            "SELECT id,", "SELECT id + 1000,"
        ),
    ),
    "every fund counts its entries": ("UPDATE funds_fund SET entries_posted = entries_posted + 1",),
    "every adjustment agrees with its entries": (
        ENTRY.format(values="'adjustment', 'program', 'available', 5, '2024-03-04', now(), 'adjustment', '999999', 'x'")
        .replace("reference, key)", "reference, key, reason_code)")
        .replace("'x' FROM", "'x', 'policy_exception' FROM"),
    ),
    "every import agrees with its entries": ("UPDATE funds_importeffect SET coop_minor = coop_minor + 1",),
    "every import agrees with its rebates": ("UPDATE funds_importeffect SET rebate_minor = rebate_minor + 1",),
    "the balance identity holds": (
        "ALTER TABLE funds_fund DROP CONSTRAINT balance_identity",
        "UPDATE funds_fund SET available_minor = available_minor + 1",
    ),
    "no bucket is below zero": (
        "ALTER TABLE funds_fund DROP CONSTRAINT no_bucket_below_zero",
        "UPDATE funds_fund SET reserved_minor = -1, available_minor = available_minor + reserved_minor + 1",
    ),
    "co-op of the earnings equals what was posted for them": (
        "UPDATE funds_earning SET coop_change_minor = coop_change_minor + 1",
    ),
    "every earning has its fund": ("UPDATE funds_earning SET enrollment_id = enrollment_id + 1000",),
    "nothing expired before its deadline": (
        ENTRY.format(values="'expiry', 'available', 'expired', 5, '2024-08-14', '2024-03-04', 'x', '1', 'x'"),
    ),
    "every expiry is effective on the deadline of its fund": (
        ENTRY.format(values="'expiry', 'available', 'expired', 5, '2024-08-13', '2024-08-15', 'x', '1', 'x'"),
    ),
    "no partner's own deadline is before its period's": (
        """UPDATE funds_fund SET own_close_on = '2024-08-13', own_close_at = '2024-08-14Z', own_cure_on = '2024-09-27',
             own_cure_at = '2024-09-28Z'""",
    ),
    "nothing is left in a fund that expired": (
        ENTRY.format(values="'expiry', 'available', 'expired', 5, '2024-08-14', '2024-08-15', 'x', '1', 'x'"),
    ),
    "what is paid equals the payables that were paid": ("UPDATE funds_payable SET paid_at = now()",),
    "what is approved equals the payables that wait": ("UPDATE funds_payable SET amount_minor = amount_minor + 1",),
    "what is paid was sent in one payment": ("UPDATE funds_payable SET paid_at = now()",),
    "a rebate that is payable is the sum of its parts": (
        """INSERT INTO funds_payable
             (partner_id, program_id, currency, kind, reference_type, reference, amount_minor, approved_at)
           SELECT partner_id, program_id, currency, 'rebate', 'rebate', '2024-02:x', 5, now() FROM funds_fund LIMIT 1""",
    ),
    "what was converted is owed as rebate": (
        "ALTER TABLE funds_fund DROP CONSTRAINT balance_identity",
        "UPDATE funds_fund SET converted_minor = converted_minor + 1",
    ),
    "every claim agrees with its entries": (
        "UPDATE claims_claim SET held_minor = held_minor + 1 WHERE status = 'submitted'",
    ),
    "every entry of a claim has its claim": (
        ENTRY.format(values="'hold', 'available', 'in_review', 5, '2024-03-04', now(), 'claim', '999999', 'x'"),
    ),
    "every claim that was sent began with a hold": (
        "UPDATE funds_entry SET key = 'another' || id WHERE kind = 'hold' AND reference_type = 'claim'",
    ),
    "no claim was sent outside its windows": (
        "UPDATE claims_claim SET first_submitted_at = '2024-08-15' WHERE status = 'submitted'",
    ),
    "what is reserved in a fund is what its plans reserve": (
        "UPDATE claims_planactivity SET reserved_minor = reserved_minor - 1 WHERE reserved_minor > 0",
    ),
    "every plan agrees with its entries": (
        "UPDATE claims_planactivity SET reserved_minor = approved_minor WHERE reserved_minor = 0",
    ),
    "every reserve was decided": ("UPDATE funds_entry SET reference = '987' WHERE kind = 'reserve'",),
    "every entry of a plan has its plan": ("UPDATE funds_entry SET reference = '987' WHERE kind = 'reserve'",),
    "no claim holds more of a plan than was approved": ("UPDATE claims_claim SET from_plan_minor = held_minor",),
    "no claim holds money of a plan without one": (
        "UPDATE claims_claim SET plan_activity_id = NULL WHERE plan_activity_id IS NOT NULL",
    ),
    "nothing stays reserved in a fund that expired": ("UPDATE funds_earningperiod SET expired_at = claims_close_at",),
}


@pytest.mark.django_db
def test_the_audit_finds_every_difference_that_is_planted() -> None:
    fund = make.make_fund()
    make.make_sent_claim(fund, "100.00")
    make.make_approved_claim(fund, "200.00")
    plan = make.make_approved_plan(fund, "1000.00")
    make.make_sent_claim(fund, "1200.00", plan_activity_id=plan.activities.get().pk)  # 200.00 more than its plan has
    make.make_approved_plan(fund, "300.00")
    agrees()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for check, statements in PLANTED.items():
            with transaction.atomic():
                for table in ("funds_entry", "funds_fund", "funds_earning", "claims_claim"):
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                for statement in statements:
                    cursor.execute(statement)
                found = {difference.check for difference in check_ledger(CLAIM_CHECKS).differences}
                assert check in found, (check, found)
                done = jobs.audit_ledger(clock.now())
                assert done.failed
                assert done.notes
                transaction.set_rollback(True)
    agrees()


def test_each_check_of_the_audit_has_an_attack_here() -> None:
    assert set(PLANTED) == {*CHECKS, *CLAIM_CHECKS}


@pytest.mark.django_db
def test_the_audit_says_what_it_looked_at() -> None:
    make.make_sent_claim(make.make_fund(), "100.00")
    report = check_ledger(CLAIM_CHECKS)
    assert (report.funds, report.entries, report.differences) == (Fund.objects.count(), Entry.objects.count(), [])
