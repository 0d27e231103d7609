"""The walls: raw SQL that would do what must never be is refused by the database itself, whoever sends it.

No operation of the product is on the way here. Each refusal is checked for its reason (the constraint, or the sentence of
the trigger), so that a statement which merely has a typing error does not pass for a refusal. At the end every wall is
taken down once, to see that the attack then succeeds: a test that cannot fail proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from psycopg import errors

from claims.models import Claim
from funds.models import Earning, Enrollment, Entry, Fund, PaymentRun
from funds.operations.heads import record_head
from partners.models import Event
from tests import factories as make

pytestmark = pytest.mark.django_db

ENTRY = """INSERT INTO funds_entry (fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor, effective_on,
             recorded_at, reference_type, reference, reason_code, key)
           VALUES (%(fund)s, %(partner)s, %(currency)s, %(kind)s, %(from)s, %(to)s, %(amount)s, %(effective_on)s,
             %(recorded_at)s, 'attack', '1', %(reason)s, %(key)s)"""


def run(sql: str, params: Any = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def refused(sql: str, params: Any = None, *, by: str) -> None:
    """The statement is refused; `by` is the constraint's name, or words of the trigger's sentence."""
    run("SET CONSTRAINTS ALL IMMEDIATE")  # a foreign key that is still to be checked would refuse a TRUNCATE by itself
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        run(sql, params)
    cause = caught.value.__cause__
    assert isinstance(cause, errors.Error)
    assert by in (cause.diag.constraint_name or "") or by in (cause.diag.message_primary or ""), cause


def entry(fund: Fund, kind: str, bucket: str, to_bucket: str, amount: int = 100, **more: Any) -> dict[str, Any]:
    """The values of a raw entry, right in all that is not given otherwise."""
    return {
        "fund": fund.id,
        "partner": fund.partner_id,
        "currency": fund.currency,
        "kind": kind,
        "from": bucket,
        "to": to_bucket,
        "amount": amount,
        "effective_on": date(2024, 3, 4),
        "recorded_at": make.CLAIMING,
        "reason": "",
        "key": f"attack:{make.number()}",
        **more,
    }


def earning(fund: Fund, amount: int = 100, **more: Any) -> dict[str, Any]:
    return entry(fund, "earning", "program", "available", amount, **more)


def totals(fund: Fund) -> dict[str, int]:
    columns = [field.attname for field in Fund._meta.fields if field.attname.endswith("_minor")]
    return Fund.objects.values(*columns).get(id=fund.id)


def test_a_right_entry_is_taken_and_moves_the_totals(fund: Fund) -> None:
    """The control of all that follows: what is refused below is not refused for the way in which it is sent."""
    run(ENTRY, earning(fund, 100))
    run(ENTRY, entry(fund, "hold", "available", "in_review", 30))
    after = totals(fund)
    assert (after["earned_minor"], after["available_minor"], after["in_review_minor"]) == (1_000_455, 1_000_425, 30)


# --- History is never rewritten ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE funds_entry SET amount_minor = amount_minor + 1",
        "UPDATE funds_entry SET note = 'nothing to see here' WHERE id = 0",
        "DELETE FROM funds_entry",
        "TRUNCATE funds_entry",
        "TRUNCATE funds_entry, funds_fund CASCADE",
        "INSERT INTO funds_entry SELECT * FROM funds_entry ON CONFLICT (id) DO UPDATE SET amount_minor = 1",
        "MERGE INTO funds_entry e USING funds_fund f ON e.fund_id = f.id WHEN MATCHED THEN UPDATE SET amount_minor = 1",
        "MERGE INTO funds_entry e USING funds_fund f ON e.fund_id = f.id WHEN MATCHED THEN DELETE",
        "WITH gone AS (DELETE FROM funds_entry RETURNING *) SELECT * FROM gone",
        "UPDATE partners_event SET actor_id = NULL",
        "DELETE FROM partners_event",
        "TRUNCATE partners_event",
        "UPDATE funds_earning SET lever = 'another'",
        "DELETE FROM funds_earning",
        "TRUNCATE funds_earning",
        "UPDATE funds_exchangerate SET rate = 2 * rate",
        "DELETE FROM funds_exchangerate",
        "TRUNCATE funds_exchangerate",
        "UPDATE funds_link SET hash = sha256('another')",
        "UPDATE funds_link SET number = number + 1",
        "DELETE FROM funds_link",
        "TRUNCATE funds_link",
        "UPDATE funds_anchor SET hash = sha256('another')",
        "DELETE FROM funds_anchor",
        "TRUNCATE funds_anchor",
        "UPDATE funds_ledgerhead SET hash = sha256('another')",
        "UPDATE funds_ledgerhead SET previous = NULL, entries = 0, funds = 0, at = now(), day = '2020-01-01'",
        "DELETE FROM funds_ledgerhead",
        "TRUNCATE funds_ledgerhead",
        "UPDATE funds_rebate SET amount_minor = 1",
        "UPDATE funds_rebate SET partner_id = partner_id + 1, payable_id = NULL",
        "DELETE FROM funds_rebate",
        "TRUNCATE funds_rebate",
    ],
)
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_what_was_recorded_is_never_changed_or_taken_away(fund: Fund, attack: str, role: str) -> None:
    """Not as a replication role either, which skips ordinary triggers."""
    run(f"SET LOCAL session_replication_role = {role}")
    refused(attack, by="is append-only")


@pytest.mark.parametrize("role", ["origin", "replica"])
def test_a_fund_is_never_deleted_and_the_funds_are_never_emptied(fund: Fund, role: str) -> None:
    run(f"SET LOCAL session_replication_role = {role}")
    refused("DELETE FROM funds_fund WHERE id = %s", [fund.id], by="a fund is never deleted")
    refused("TRUNCATE funds_fund CASCADE", by="is append-only")


def test_of_a_head_only_the_mail_and_of_a_rebate_only_the_payable_may_be_noted(fund: Fund) -> None:
    record_head(date(2024, 3, 4), at=make.CLAIMING)
    assert run("UPDATE funds_ledgerhead SET mailed_at = now()") == 1
    run(ENTRY, entry(fund, "conversion", "available", "converted", 100))
    assert run("UPDATE funds_rebate SET payable_id = NULL") > 0


@pytest.mark.parametrize("role", ["origin", "replica"])
def test_a_link_is_made_by_its_entry_alone(fund: Fund, role: str) -> None:
    run(f"SET LOCAL session_replication_role = {role}")
    by_hand = "INSERT INTO funds_link (fund_id, number, entry_id, hash) SELECT id, 99, 1, '' FROM funds_fund"
    refused(by_hand, by="a link is made by its entry alone")


# --- The totals move with an entry and with nothing else --------------------------------------------------------------


@pytest.mark.parametrize("role", ["origin", "replica"])
@pytest.mark.parametrize(
    "column", [*(f.attname for f in Fund._meta.fields if f.attname.endswith("_minor")), "entries_posted"]
)
def test_no_total_of_a_fund_is_changed_without_an_entry(fund: Fund, column: str, role: str) -> None:
    run(f"SET LOCAL session_replication_role = {role}")
    refused(f"UPDATE funds_fund SET {column} = {column} + 1", by="move only with an entry")


def test_totals_that_keep_the_identity_are_refused_just_the_same(fund: Fund) -> None:
    refused(
        "UPDATE funds_fund SET available_minor = available_minor - 1, in_review_minor = in_review_minor + 1",
        by="move only with an entry",
    )


def test_the_head_of_a_fund_is_not_set_by_hand(fund: Fund) -> None:
    refused("UPDATE funds_fund SET head = sha256('another')", by="move only with an entry")
    refused("UPDATE funds_fund SET head = NULL", by="move only with an entry")


@pytest.mark.parametrize("column", ["entries_posted = 1", "head = sha256('another')"])
def test_a_new_fund_has_no_chain_yet(fund: Fund, column: str) -> None:
    name, value = column.split(" = ")
    refused(*another_fund(fund, **{name: value}), by="a fund begins empty")


def test_a_temporary_table_does_not_take_the_place_of_the_funds(fund: Fund) -> None:
    run("CREATE TEMPORARY TABLE funds_fund (LIKE public.funds_fund INCLUDING DEFAULTS) ON COMMIT DROP")
    run("INSERT INTO pg_temp.funds_fund SELECT * FROM public.funds_fund")
    overdrawing = entry(fund, "hold", "available", "in_review", 1_000_356)
    refused(ENTRY, overdrawing, by="fund_is_never_overspent")


def test_a_fund_begins_empty(fund: Fund) -> None:
    refused(*another_fund(fund, earned_minor="100", available_minor="100"), by="a fund begins empty")
    run(*another_fund(fund))  # the control


def another_fund(fund: Fund, **changed: str) -> tuple[str, list[int]]:
    """An INSERT of a fund like this one in another period, empty but for what is changed (SQL)."""
    zero = {field.attname: "0" for field in Fund._meta.fields if field.attname.endswith("_minor")}
    values = {"earning_period_id": "%s", "currency": "currency", "created_at": "now()", **zero, **changed}
    same = "partner_id, location_id, program_id, enrollment_id"
    columns, selected = f"{same}, {', '.join(values)}", f"{same}, {', '.join(values.values())}"
    sql = f"INSERT INTO funds_fund ({columns}) SELECT {selected} FROM funds_fund WHERE id = %s"
    return sql, [make.period("FY23-H2").id, fund.id]


@pytest.mark.parametrize(
    "change",
    ["currency = 'EUR'", "earning_period_id = earning_period_id + 1", "partner_id = partner_id + 1", "id = id + 1000"],
)
def test_a_fund_never_changes_whose_it_is_or_what_for(fund: Fund, change: str) -> None:
    refused(f"UPDATE funds_fund SET {change} WHERE id = {fund.id}", by="never changes")


def test_an_entry_that_reaches_no_fund_is_refused(fund: Fund) -> None:
    refused(ENTRY, {**earning(fund), "fund": fund.id + 1_000}, by="entry_fits_its_fund")


def test_of_several_entries_in_one_statement_a_single_wrong_one_refuses_all(fund: Fund) -> None:
    refused(
        """INSERT INTO funds_entry (fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor, effective_on,
             recorded_at, reference_type, reference, key)
           SELECT id, partner_id, c, 'earning', 'program', 'available', 100, '2024-03-04', now(), 'attack', '1', 'a:' || c
           FROM funds_fund, unnest(ARRAY['USD', 'EUR']) AS c""",
        by="entry_fits_its_fund",
    )


# --- Nothing is spent that is not there -------------------------------------------------------------------------------


def test_a_fund_is_never_overspent(fund: Fund) -> None:
    refused(ENTRY, entry(fund, "hold", "available", "in_review", 1_000_356), by="fund_is_never_overspent")
    refused(ENTRY, entry(fund, "reserve", "available", "reserved", 1_000_356), by="fund_is_never_overspent")
    refused(ENTRY, entry(fund, "conversion", "available", "converted", 1_000_356), by="fund_is_never_overspent")


def test_many_small_holds_in_one_statement_do_not_overspend_either(fund: Fund) -> None:
    refused(
        """INSERT INTO funds_entry (fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor, effective_on,
             recorded_at, reference_type, reference, key)
           SELECT id, partner_id, currency, 'hold', 'available', 'in_review', 100000, '2024-03-04', now(), 'attack', '1',
             'many:' || n FROM funds_fund, generate_series(1, 11) AS n""",
        by="fund_is_never_overspent",
    )


def test_a_hold_does_not_hide_behind_a_clawback_of_the_same_statement(fund: Fund) -> None:
    refused(
        """INSERT INTO funds_entry (fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor, effective_on,
             recorded_at, reference_type, reference, key)
           SELECT id, partner_id, currency, v.kind, 'available', v.bucket, 900000, '2024-03-04', now(), 'attack', '1', v.kind
           FROM funds_fund, (VALUES ('clawback', 'program'), ('hold', 'in_review')) AS v (kind, bucket)""",
        by="fund_is_never_overspent",
    )


def test_only_a_correction_of_what_was_earned_may_leave_less_than_nothing(fund: Fund) -> None:
    run(ENTRY, entry(fund, "hold", "available", "in_review", 1_000_000))
    run(ENTRY, entry(fund, "clawback", "available", "program", 400))
    run(ENTRY, entry(fund, "adjustment", "available", "program", 55, reason="wrong_calculation"))
    assert totals(fund)["available_minor"] == -100
    refused(ENTRY, entry(fund, "hold", "available", "in_review", 1), by="fund_is_never_overspent")
    run(ENTRY, entry(fund, "release", "in_review", "available", 50))  # on the way up again
    assert totals(fund)["available_minor"] == -50


@pytest.mark.parametrize(
    ("kind", "bucket", "to_bucket"),
    [
        ("release", "in_review", "available"),
        ("release", "reserved", "available"),
        ("approval", "in_review", "approved"),
        ("payment", "approved", "paid"),
        ("hold", "reserved", "in_review"),
        ("restoration", "expired", "in_review"),
        ("conversion", "converted", "available"),
    ],
)
def test_no_other_bucket_goes_below_zero(fund: Fund, kind: str, bucket: str, to_bucket: str) -> None:
    refused(ENTRY, entry(fund, kind, bucket, to_bucket, 1), by="no_bucket_below_zero")


def test_no_more_comes_back_from_the_bank_than_was_paid(fund: Fund) -> None:
    make.make_approved_claim(fund, "100.00")
    run(ENTRY, entry(fund, "payment", "approved", "paid", 10_000))
    refused(ENTRY, entry(fund, "return", "paid", "approved", 10_001), by="no_bucket_below_zero")
    run(ENTRY, entry(fund, "return", "paid", "approved", 10_000))
    refused(ENTRY, entry(fund, "return", "paid", "available", 1), by="entry_is_a_known_movement")


def overdraw(fund: Fund, minor: int) -> None:
    """Leave the fund this much below zero."""
    run(ENTRY, entry(fund, "hold", "available", "in_review", 1_000_355))
    run(ENTRY, entry(fund, "clawback", "available", "program", minor))


def write_off(fund: Fund, amount: int, **more: Any) -> dict[str, Any]:
    return entry(fund, "write_off", "program", "available", amount, **{"reason": "policy_exception", **more})


def test_a_write_off_lifts_a_fund_to_nothing_at_most(fund: Fund) -> None:
    refused(ENTRY, write_off(fund, 1), by="write_off_is_no_gift")
    overdraw(fund, 100)
    refused(ENTRY, write_off(fund, 101), by="write_off_is_no_gift")
    refused(ENTRY, write_off(fund, 100, reason=""), by="adjustment_has_a_reason")
    run(ENTRY, write_off(fund, 40))
    run(ENTRY, write_off(fund, 60))
    assert totals(fund)["available_minor"] == 0
    refused(ENTRY, write_off(fund, 1), by="write_off_is_no_gift")


TOGETHER = """INSERT INTO funds_entry (fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor, effective_on,
                recorded_at, reference_type, reference, reason_code, key)
              SELECT id, partner_id, currency, v.kind, v.source, v.target, v.amount, '2024-03-04', now(), 'attack', '1',
                'policy_exception', 'together:' || v.place
              FROM funds_fund, (VALUES (1, 'write_off', 'program', 'available', 200),
                                       (2, 'hold', 'available', 'in_review', 100)) AS v (place, kind, source, target, amount)"""


def test_a_write_off_does_not_hide_behind_a_hold_of_the_same_statement(fund: Fund) -> None:
    overdraw(fund, 100)
    refused(TOGETHER, by="write_off_is_no_gift")


@pytest.mark.parametrize("amount", [0, -1, -1_000_355])
def test_an_amount_is_above_zero(fund: Fund, amount: int) -> None:
    refused(ENTRY, earning(fund, amount), by="entry_amount_is_positive")


# --- What an entry must fit -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("currency", ["EUR", "usd", "", "JPY"])
def test_a_foreign_currency_is_refused(fund: Fund, currency: str) -> None:
    refused(ENTRY, earning(fund, currency=currency), by="entry_fits_its_fund")


def test_another_partner_does_not_post_to_this_fund(fund: Fund) -> None:
    other = make.make_partner("Contoso")
    refused(ENTRY, earning(fund, partner=other.id), by="entry_fits_its_fund")


@pytest.mark.parametrize(
    ("kind", "bucket", "to_bucket"),
    [
        ("gift", "program", "available"),
        ("earning", "available", "program"),
        ("earning", "program", "paid"),
        ("payment", "available", "paid"),
        ("payment", "in_review", "paid"),
        ("approval", "available", "approved"),
        ("release", "approved", "available"),
        ("release", "paid", "available"),
        ("expiry", "in_review", "expired"),
        ("expiry", "approved", "expired"),
        ("release", "expired", "available"),
        ("hold", "expired", "in_review"),
        ("hold", "available", "available"),
        ("adjustment", "paid", "program"),
        ("clawback", "approved", "program"),
    ],
)
def test_money_moves_only_where_the_table_of_movements_says(fund: Fund, kind: str, bucket: str, to_bucket: str) -> None:
    refused(ENTRY, entry(fund, kind, bucket, to_bucket, reason="wrong_calculation"), by="entry_is_a_known_movement")


@pytest.mark.parametrize("reason", ["", "because", "WRONG_CALCULATION"])
def test_an_adjustment_has_a_known_reason(fund: Fund, reason: str) -> None:
    refused(ENTRY, entry(fund, "adjustment", "program", "available", reason=reason), by="adjustment_has_a_reason")


@pytest.mark.parametrize("word", ["key", "reference", "reference_type"])
@pytest.mark.parametrize("sign", ["\n", "\r", "\t", "\x01", "\x7f"])
def test_the_words_of_an_entry_hold_no_control_characters(fund: Fund, word: str, sign: str) -> None:
    sql = ENTRY.replace("'attack'", "%(reference_type)s").replace("'1'", "%(reference)s")
    right = {**earning(fund), "reference_type": "attack", "reference": "1"}
    refused(sql, {**right, word: f"a{sign}b"}, by="entry_words_are_one_line")
    run(sql, right)


def test_a_key_is_used_once_in_a_fund(fund: Fund) -> None:
    run(ENTRY, earning(fund, key="the same"))
    refused(ENTRY, earning(fund, key="the same"), by="entry_key_is_used_once")


# --- Expiry -----------------------------------------------------------------------------------------------------------


def expiry(fund: Fund, amount: int = 100, **more: Any) -> dict[str, Any]:
    right = {"effective_on": date(2024, 8, 14), "recorded_at": make.DEADLINE}
    return entry(fund, "expiry", "available", "expired", amount, **{**right, **more})


def test_nothing_expires_before_the_deadline(fund: Fund) -> None:
    refused(ENTRY, expiry(fund), by="expiry_is_at_the_deadline")  # the clock stands in March, the entry says otherwise
    make.set_clock(make.DEADLINE - timedelta(microseconds=1))
    refused(ENTRY, expiry(fund), by="expiry_is_at_the_deadline")
    make.set_clock(make.DEADLINE)
    refused(ENTRY, expiry(fund, recorded_at=make.LAST_INSTANT), by="expiry_is_at_the_deadline")
    run(ENTRY, expiry(fund))


def test_no_release_goes_to_expired_before_the_deadline(fund: Fund) -> None:
    run(ENTRY, entry(fund, "hold", "available", "in_review", 100))
    refused(ENTRY, entry(fund, "release", "in_review", "expired", 100), by="expiry_is_at_the_deadline")


def test_a_fund_expires_once(fund: Fund) -> None:
    """Neither for the same day nor, as the deadline is one, for another."""
    make.set_clock(make.DEADLINE + timedelta(days=9))
    run(ENTRY, expiry(fund))
    refused(ENTRY, expiry(fund), by="a_deadline_expires_a_fund_once")
    refused(ENTRY, expiry(fund, effective_on=date(2024, 8, 15)), by="expiry_is_at_the_deadline")
    refused(ENTRY, expiry(fund, effective_on=date(2024, 8, 13)), by="expiry_is_at_the_deadline")
    assert totals(fund)["expired_minor"] == 100


# --- Whose it is ------------------------------------------------------------------------------------------------------


def test_an_enrollment_is_at_a_location_of_its_own_partner(fund: Fund) -> None:
    other = make.make_location(make.make_partner("Contoso"))
    refused(
        """INSERT INTO funds_enrollment (partner_id, location_id, program_id, starts_on, revision, created_at)
           VALUES (%s, %s, %s, '2023-07-01', 1, now())""",
        [fund.partner_id, other.id, fund.program_id],
        by="enrollment_location_same_partner",
    )


def test_a_fund_is_of_its_enrollments_partner(fund: Fund) -> None:
    other = make.make_location(make.make_partner("Contoso"))
    refused(
        """INSERT INTO funds_fund (partner_id, location_id, program_id, enrollment_id, earning_period_id, currency,
             earned_minor, adjustments_minor, available_minor, reserved_minor, in_review_minor, approved_minor, paid_minor,
             expired_minor, converted_minor, created_at)
           SELECT %s, %s, program_id, enrollment_id, %s, currency, 0, 0, 0, 0, 0, 0, 0, 0, 0, now() FROM funds_fund
           WHERE id = %s""",
        [other.partner_id, other.id, make.period("FY23-H2").id, fund.id],
        by="fund_enrollment_same_partner",
    )


def test_a_claim_is_on_a_fund_of_its_own_partner(fund: Fund) -> None:
    claim = make.make_draft(fund)
    other = make.make_partner("Contoso")
    refused("UPDATE claims_claim SET partner_id = %s WHERE id = %s", [other.id, claim.id], by="claim_fund_same_partner")


# --- What claims and payments must be ---------------------------------------------------------------------------------


def test_a_claim_holds_money_exactly_while_it_is_decided(fund: Fund) -> None:
    wall = "claim_holds_money_only_while_it_is_decided"
    draft, sent = make.make_draft(fund), make.make_sent_claim(fund)
    refused("UPDATE claims_claim SET held_minor = 1 WHERE id = %s", [draft.id], by=wall)
    refused("UPDATE claims_claim SET held_minor = 0 WHERE id = %s", [sent.id], by=wall)
    refused("UPDATE claims_claim SET status = 'withdrawn' WHERE id = %s", [sent.id], by=wall)
    refused("UPDATE claims_claim SET status = 'approved' WHERE id = %s", [sent.id], by=wall)


def test_nobody_reviews_what_they_sent(fund: Fund) -> None:
    sent = make.make_sent_claim(fund)
    refused(
        "UPDATE claims_claim SET reviewer_id = submitted_by_id WHERE id = %s",
        [sent.id],
        by="nobody_reviews_what_they_sent",
    )


def test_a_claim_is_not_approved_above_what_it_claims(fund: Fund) -> None:
    approved = make.make_approved_claim(fund)
    wall = "claim_amounts_in_order"
    refused("UPDATE claims_claim SET approved_minor = claimed_minor + 1 WHERE id = %s", [approved.id], by=wall)
    refused("UPDATE claims_claim SET paid_minor = approved_minor + 1 WHERE id = %s", [approved.id], by=wall)


@pytest.mark.parametrize("at", ["2024-02-14 23:59:59.999999+00", "2024-08-15 00:00:00+00"])
def test_a_claim_does_not_say_that_it_was_sent_outside_its_window(fund: Fund, at: str) -> None:
    claim = make.make_claim(fund)
    refused(
        """UPDATE claims_claim SET status = 'submitted', sendings = 1, submitted_at = %s, first_submitted_at = %s,
             submitted_by_id = created_by_id, held_minor = 1 WHERE id = %s""",
        [at, at, claim.id],
        by="claim_is_sent_in_its_windows",
    )


def test_a_claim_is_not_sent_by_raw_sql_after_the_deadline_however_it_is_dated(fund: Fund) -> None:
    claim = make.make_claim(fund)
    make.set_clock(make.DEADLINE)
    refused(
        """UPDATE claims_claim SET status = 'submitted', sendings = 1, submitted_at = %s, first_submitted_at = %s,
             submitted_by_id = created_by_id, held_minor = 1 WHERE id = %s""",
        [make.CLAIMING, make.CLAIMING, claim.id],
        by="claim_is_sent_in_its_windows",
    )


def test_a_run_is_approved_by_somebody_who_did_not_prepare_it(fund: Fund) -> None:
    finance = make.vendor("finance")
    run_row = PaymentRun.objects.create(cutoff=date(2024, 3, 4), prepared_by=finance, created_at=make.CLAIMING)
    refused(
        "UPDATE funds_paymentrun SET status = 'approved', approved_at = now(), approved_by_id = prepared_by_id",
        by="run_is_approved_by_a_second_person",
    )
    refused(
        "UPDATE funds_paymentrun SET status = 'exported' WHERE id = %s", [run_row.id], by="run_past_draft_was_approved"
    )


def test_a_payable_is_in_one_open_payment(fund: Fund) -> None:
    make.make_approved_claim(fund)
    make.prepare()
    refused(
        """INSERT INTO funds_paymentitem (payment_id, payable_id, amount_minor, open)
           SELECT payment_id, payable_id, amount_minor, true FROM funds_paymentitem""",
        by="a_payable_is_in_one_open_payment",
    )


# --- Ranges do not overlap --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attack", "wall"),
    [
        (
            """INSERT INTO funds_programsplit (program_id, valid_from, valid_to, coop_bp, example)
               SELECT program_id, '2023-12-31', NULL, 5000, false FROM funds_fund""",
            "splits_of_a_program_do_not_overlap",
        ),
        (
            """INSERT INTO funds_programthreshold (program_id, valid_from, valid_to, amount_minor, example)
               SELECT program_id, '2019-07-01', '2019-07-01', 1, false FROM funds_fund""",
            "thresholds_of_a_program_do_not_overlap",
        ),
        (
            """INSERT INTO funds_enrollment (partner_id, location_id, program_id, starts_on, revision, created_at)
               SELECT partner_id, location_id, program_id, '2024-01-01', 1, now() FROM funds_fund""",
            "a_location_is_enrolled_once_at_a_time",
        ),
        (
            "UPDATE funds_earningperiod SET earn_to = '2024-01-01' WHERE code = 'FY24-H1'",
            "periods_of_a_program_do_not_overlap",
        ),
        (
            "UPDATE funds_earningperiod SET settle_at = claims_open_at + interval '1 second' WHERE code = 'FY24-H1'",
            "period_clocks_in_order",
        ),
        (
            "UPDATE funds_earningperiod SET claims_close_on = '2024-08-13' WHERE code = 'FY24-H1'",
            "deadline_only_moves_later",
        ),
        (
            """UPDATE funds_fund SET own_close_on = '2024-08-14', own_close_at = '2024-08-15Z', own_cure_on = '2024-09-28',
                 own_cure_at = '2024-09-29Z'""",
            "own_deadline_only_moves_later",
        ),
        (
            """UPDATE funds_fund SET own_close_on = '2024-08-30', own_close_at = '2024-08-31Z', own_cure_on = '2024-10-15',
                 own_cure_at = '2024-10-16Z'""",  # 46 days to mend, and the period leaves 45
            "own_deadline_only_moves_later",
        ),
        ("UPDATE funds_programsplit SET coop_bp = 10001", "split_is_a_share"),
    ],
)
def test_dated_rows_do_not_overlap_and_clocks_stay_in_order(fund: Fund, attack: str, wall: str) -> None:
    refused(attack, by=wall)


def test_the_shares_of_an_earning_sum_to_it(fund: Fund) -> None:
    refused(another_version(coop_minor="coop_minor + 1"), by="earning_shares_sum")
    refused(another_version(withdrawn="true"), by="withdrawn_earning_holds_nothing")
    assert run(another_version()) > 0  # the control


def another_version(**changed: str) -> str:
    """An INSERT of each earning once more, as its next version, with what is changed (SQL)."""
    columns = [field.attname for field in Earning._meta.concrete_fields]
    values = {**{column: column for column in columns}, "version": "version + 1", **changed}
    return f"INSERT INTO funds_earning ({', '.join(values)}) SELECT {', '.join(values.values())} FROM funds_earning"


# --- Each wall holds something: without it the attack succeeds ------------------------------------------------------------


def without(*statements: str) -> None:
    """Take down walls for the rest of this test's transaction."""
    run("SET CONSTRAINTS ALL IMMEDIATE")  # no pending trigger events, which would forbid ALTER TABLE
    for statement in statements:
        run(statement)


def test_without_the_append_only_trigger_an_entry_could_be_changed_and_deleted(fund: Fund) -> None:
    without("DROP TRIGGER entry_is_append_only ON funds_entry")
    assert run("UPDATE funds_entry SET amount_minor = 1") == Entry.objects.count() > 0
    assert run("DELETE FROM funds_entry") > 0


def test_with_an_ordinary_trigger_a_replication_role_could_delete_entries(fund: Fund) -> None:
    without(
        "ALTER TABLE funds_entry ENABLE TRIGGER entry_is_append_only", "SET LOCAL session_replication_role = replica"
    )
    assert run("DELETE FROM funds_entry") > 0


def test_without_its_trigger_an_event_could_be_deleted(fund: Fund) -> None:
    without("DROP TRIGGER event_is_append_only ON partners_event")
    assert run("DELETE FROM partners_event") > 0
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("trigger", "table", "attack"),
    [
        ("earning_is_append_only", "funds_earning", "UPDATE funds_earning SET lever = 'another'"),
        ("link_is_append_only", "funds_link", "UPDATE funds_link SET hash = sha256('another')"),
        ("link_is_append_only", "funds_link", "DELETE FROM funds_link"),
        ("link_only_by_entry", "funds_link", "INSERT INTO funds_link SELECT id, 99, 1, '' FROM funds_fund"),
        ("anchor_is_append_only", "funds_anchor", "UPDATE funds_anchor SET hash = sha256('another')"),
        ("head_is_append_only", "funds_ledgerhead", "UPDATE funds_ledgerhead SET hash = sha256('another')"),
        ("rebate_is_append_only", "funds_rebate", "UPDATE funds_rebate SET amount_minor = 1"),
        ("rate_is_append_only", "funds_exchangerate", "UPDATE funds_exchangerate SET rate = 2 * rate"),
    ],
)
def test_without_its_trigger_what_was_recorded_could_be_changed(
    fund: Fund, trigger: str, table: str, attack: str
) -> None:
    record_head(date(2024, 3, 4), at=make.CLAIMING)
    run(ENTRY, entry(fund, "conversion", "available", "converted", 100))
    run(
        """INSERT INTO funds_exchangerate (base, quote, "on", rate, source, loaded_at)
           VALUES ('EUR', 'USD', '2024-03-04', 1.1, 'test', now())"""
    )
    refused(attack, by="is append-only" if "append" in trigger else "a link is made by its entry alone")
    without(f"DROP TRIGGER {trigger} ON {table}")
    assert run(attack) > 0


def test_without_its_search_path_the_trigger_would_be_deceived_by_a_temporary_table(fund: Fund) -> None:
    without("ALTER FUNCTION funds_entry_moves_totals() RESET ALL")
    run("CREATE TEMPORARY TABLE funds_fund (LIKE public.funds_fund INCLUDING DEFAULTS) ON COMMIT DROP")
    run("INSERT INTO pg_temp.funds_fund SELECT * FROM public.funds_fund")
    run(ENTRY, entry(fund, "hold", "available", "in_review", 100))
    run("DROP TABLE pg_temp.funds_fund")
    assert totals(fund)["in_review_minor"] == 0


def test_without_the_trigger_on_funds_totals_could_be_set_by_hand(fund: Fund) -> None:
    without("DROP TRIGGER fund_totals_only_by_entry ON funds_fund")
    run("UPDATE funds_fund SET earned_minor = earned_minor + 1, available_minor = available_minor + 1")
    assert totals(fund)["available_minor"] == 1_000_356


def test_without_the_trigger_on_entries_the_totals_would_stand_still_and_nothing_would_stop_overspending(
    fund: Fund,
) -> None:
    without("DROP TRIGGER entry_moves_totals ON funds_entry")
    run(ENTRY, entry(fund, "hold", "available", "in_review", 9_999_999, currency="EUR"))
    run(ENTRY, write_off(fund, 5))
    assert totals(fund)["available_minor"] == 1_000_355


def test_without_the_trigger_on_expiry_money_could_expire_early(fund: Fund) -> None:
    without("DROP TRIGGER expiry_at_the_deadline ON funds_entry")
    run(ENTRY, expiry(fund))
    assert totals(fund)["expired_minor"] == 100


def test_without_the_trigger_on_claims_a_late_claim_could_be_sent(fund: Fund) -> None:
    claim = make.make_claim(fund)
    without("DROP TRIGGER claim_sent_in_its_windows ON claims_claim")
    run(
        """UPDATE claims_claim SET status = 'submitted', sendings = 1, submitted_at = %s, first_submitted_at = %s,
             submitted_by_id = created_by_id, held_minor = 1 WHERE id = %s""",
        [make.DEADLINE, make.DEADLINE, claim.id],
    )
    assert Claim.objects.get(id=claim.id).status == "submitted"


CONSTRAINTS: list[tuple[str, str, Callable[[Fund], tuple[str, Any]]]] = [
    ("funds_entry", "entry_is_a_known_movement", lambda f: (ENTRY, entry(f, "payment", "available", "paid"))),
    ("funds_entry", "adjustment_has_a_reason", lambda f: (ENTRY, entry(f, "adjustment", "program", "available"))),
    ("funds_entry", "entry_amount_is_positive", lambda f: (ENTRY, earning(f, -1))),
    ("funds_fund", "no_bucket_below_zero", lambda f: (ENTRY, entry(f, "payment", "approved", "paid", 1))),
    ("funds_fund", "no_bucket_below_zero", lambda f: (ENTRY, entry(f, "return", "paid", "approved", 1))),
    ("funds_entry", "entry_words_are_one_line", lambda f: (ENTRY, earning(f, key="a\nb"))),
    (
        "funds_enrollment",
        "a_location_is_enrolled_once_at_a_time",
        lambda f: (
            """INSERT INTO funds_enrollment (partner_id, location_id, program_id, starts_on, revision, created_at)
               SELECT partner_id, location_id, program_id, '2024-01-01', 1, now() FROM funds_fund""",
            None,
        ),
    ),
]


@pytest.mark.parametrize(
    ("table", "wall", "attack"), CONSTRAINTS, ids=[f"{row[1]}-{place}" for place, row in enumerate(CONSTRAINTS)]
)
def test_without_its_constraint_the_attack_succeeds(
    fund: Fund, table: str, wall: str, attack: Callable[[Fund], tuple[str, Any]]
) -> None:
    before = Entry.objects.count() + Enrollment.objects.count()
    without(f"ALTER TABLE {table} DROP CONSTRAINT {wall}")
    run(*attack(fund))
    assert Entry.objects.count() + Enrollment.objects.count() == before + 1


def test_every_refusing_trigger_is_on_for_every_role(db: None) -> None:
    """A migration or a restore that brings one back as an ordinary trigger would open a way around it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT tgname, tgenabled FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
               WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace"""
        )
        found = dict(cursor.fetchall())
    assert set(found) >= {
        "entry_is_append_only",
        "event_is_append_only",
        "earning_is_append_only",
        "rate_is_append_only",
        "link_is_append_only",
        "anchor_is_append_only",
        "head_is_append_only",
        "rebate_is_append_only",
        "link_only_by_entry",
        "conversion_is_rebate",
        "fund_is_never_truncated",
        "entry_moves_totals",
        "fund_totals_only_by_entry",
        "expiry_at_the_deadline",
        "claim_sent_in_its_windows",
    }
    assert set(found.values()) == {"A"}
