"""Payments over the API: runs with what they hold, the files for the bank, returns, remittance, payout accounts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection

from coop.lib import clock
from funds.models import Fund, Payment
from funds.operations.rebates import gather_rebates
from tests import factories
from tests.api.client import Api, api_of

Vendor = Callable[[str], Api]
ACCOUNT = {"holder": "Nordwind GmbH", "country": "DE", "iban": "DE89 3704 0044 0532 0130 00", "bank_code": "COBADEFF"}


@pytest.fixture
def fund(db: None) -> Fund:
    return factories.make_fund()


def test_a_run_says_what_it_pays_by_kind_and_what_waits_for_which_reason(vendor: Vendor, fund: Fund) -> None:
    factories.make_approved_claim(fund, "300.00")
    small = factories.make_approved_claim(factories.make_fund(), "199.99")
    missing = factories.make_approved_claim(factories.make_fund(), "400.00")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE funds_enrollment SET payout_profile_complete = false WHERE id = %s", [missing.fund.enrollment_id]
        )
    run = vendor("finance").post("payment-runs/", {"cutoff": "2024-03-04"})
    assert run["totals"] == [{"currency": "USD", "kind": "claim", "amount": "300.00", "payments": "1"}]
    held = {row["code"]: row for row in run["held"]}
    assert held["below_minimum"]["partner"] == str(small.partner_id)
    assert (held["below_minimum"]["amount"], held["below_minimum"]["kind"]) == ("199.99", "claim")
    assert "200.00 USD" in held["below_minimum"]["reason"]
    assert held["payout_profile_incomplete"]["partner"] == str(missing.partner_id)
    assert held["payout_profile_incomplete"]["program"] == factories.RESELLER
    assert len(held) == 2


def test_a_run_of_held_things_alone_is_refused_with_the_list(vendor: Vendor, fund: Fund) -> None:
    factories.make_approved_claim(fund, "199.99")
    refused = vendor("finance").post("payment-runs/", {"cutoff": "2024-03-04"})
    assert refused.fields == {"cutoff": "nothing_to_pay", "held.0": "below_minimum"}
    assert "199.99 USD" in refused["detail"]


def test_a_run_of_a_day_to_come_is_refused(vendor: Vendor, fund: Fund) -> None:
    factories.make_approved_claim(fund, "300.00")
    assert vendor("finance").post("payment-runs/", {"cutoff": "2024-03-05"}).fields == {"cutoff": "in_future"}


def test_the_iso_file_is_finances_alone_and_says_whom_it_leaves_out(vendor: Vendor, fund: Fund) -> None:
    factories.make_approved_claim(fund, "300.00")
    other = factories.make_fund()
    factories.make_payout_account(other.partner)
    factories.make_approved_claim(other, "500.00")
    run = factories.make_approved_run()
    path = f"payment-runs/{run.pk}"
    finance = vendor("finance")
    file = finance.get(f"{path}/export/", format="pain001")
    assert file.status == 200
    assert b"DE89370400440532013000" in file.content
    assert b'<InstdAmt Ccy="USD">500.00</InstdAmt>' in file.content
    assert b"300.00" not in file.content
    (left_out,) = finance.get(f"{path}/")["left_out"]
    assert (left_out["partner"], left_out["amount"], left_out["code"]) == (
        str(fund.partner_id),
        "300.00",
        "no_bank_account",
    )
    auditor = vendor("auditor")
    assert auditor.get(f"{path}/export/", format="pain001").code == "not_allowed"
    assert auditor.get(f"{path}/export/", format="csv").status == 200


def test_a_draft_has_no_file_in_any_form(vendor: Vendor, fund: Fund) -> None:
    factories.make_approved_claim(fund, "300.00")
    run = factories.prepare()
    for form in ("csv", "pain001"):
        assert vendor("finance").get(f"payment-runs/{run.pk}/export/", format=form).code == "wrong_status"


def test_a_returned_payment_is_paid_again_and_the_claim_follows(vendor: Vendor, fund: Fund) -> None:
    claim = factories.make_approved_claim(fund, "300.00")
    payment = factories.pay_all().payments.get()
    finance, partner = vendor("finance"), api_of(factories.marketer_of(fund.partner))
    path = f"payments/{payment.pk}"
    assert partner.get(f"claims/{claim.pk}/")["status"] == "paid"
    assert partner.post(f"{path}/return/", {"returned_on": "2024-03-04", "reason": "x"}).code == "not_allowed"
    assert finance.post(f"{path}/return/", {"returned_on": "2024-03-05", "reason": "Closed"}).fields == {
        "returned_on": "invalid"
    }
    back = finance.post(f"{path}/return/", {"returned_on": "2024-03-04", "reason": "The account is closed"})
    assert (back["status"], back["returned_on"], back["reason"]) == ("reversed", "2024-03-04", "The account is closed")
    assert finance.post(f"{path}/return/", {"returned_on": "2024-03-04", "reason": "x"}).code == "wrong_status"
    shown = partner.get(f"claims/{claim.pk}/")
    assert (shown["status"], shown["paid_amount"]) == ("approved", "0.00")
    again = factories.pay_all().payments.get()
    assert again.pk != payment.pk
    assert partner.get(f"claims/{claim.pk}/")["status"] == "paid"
    assert partner.get(f"funds/{fund.pk}/")["paid"] == "300.00"


def test_results_take_returned_too_and_an_older_file_changes_nothing(vendor: Vendor, fund: Fund) -> None:
    factories.make_approved_claim(fund, "300.00")
    run = factories.make_approved_run()
    payment, path = str(run.payments.get().pk), f"payment-runs/{run.pk}/results/"
    finance = vendor("finance")
    sent = {"results": [{"payment": payment, "status": "sent", "sent_on": "2024-03-04"}]}
    returned = {
        "results": [
            {"payment": payment, "status": "returned", "returned_on": "2024-03-04", "reason": "Unknown account"}
        ]
    }
    assert finance.post(path, returned).fields == {"results.0.status": "conflict"}
    assert finance.post(path, sent)["status"] == "settled"
    assert finance.post(path, {"results": [{"payment": payment, "status": "failed", "reason": "No"}]}).fields == {
        "results.0.status": "conflict"
    }
    assert finance.post(path, {"results": [{"payment": payment, "status": "returned"}]}).fields == {
        "results.0.reason": "required"
    }
    for body in (returned, returned, sent):
        assert finance.post(path, body)["status"] == "settled"
        assert finance.get(f"payments/{payment}/")["status"] == "reversed"
    assert finance.get(f"funds/{fund.pk}/")["approved"] == "300.00"


def test_a_rebate_payment_names_its_month_and_no_claim(vendor: Vendor, db: None) -> None:
    fund = factories.make_fund("24999.98")  # below the threshold: what was co-op of it becomes rebate too
    factories.set_clock(factories.CLAIMING)
    assert gather_rebates(fund.partner_id, at=clock.now()) == 1
    run = factories.pay_all()
    payment = vendor("finance").get("payments/", kind="rebate", run=str(run.pk))["results"][0]
    assert (payment["amount"], payment["status"], payment["partner"]) == ("24999.98", "sent", str(fund.partner_id))
    assert payment["items"] == [{"claim": None, "month": "2024-02", "fund": None, "amount": "24999.98"}]


def test_the_remittance_advice_is_there_for_both_sides_from_the_approval_on(vendor: Vendor, fund: Fund) -> None:
    claim = factories.make_approved_claim(fund, "300.00")
    payment = factories.make_approved_run().payments.get()
    partner = api_of(factories.marketer_of(fund.partner))
    for reader in (partner, vendor("finance")):
        first = reader.get(f"payments/{payment.pk}/remittance/").content
        assert first.startswith(b"%PDF")
        assert first == reader.get(f"payments/{payment.pk}/remittance/", format="pdf").content
        assert claim.number in reader.get(f"payments/{payment.pk}/remittance/", format="csv").content.decode()
    stranger = api_of(factories.make_person(factories.make_partner()))
    assert stranger.get(f"payments/{payment.pk}/remittance/").code == "not_found"
    Payment.objects.filter(pk=payment.pk).update(status="failed")
    assert partner.get(f"payments/{payment.pk}/remittance/").code == "wrong_status"


# --- Payout accounts --------------------------------------------------------------------------------------------------


def test_a_partner_admin_puts_the_account_and_everybody_else_reads_four_characters(vendor: Vendor, fund: Fund) -> None:
    admin = api_of(factories.make_person(fund.partner, "partner_admin"))
    path = f"partners/{fund.partner_id}/payout-account/"
    assert admin.get(path).code == "not_found"
    saved = admin.put(path, ACCOUNT)
    assert (saved.status, saved["iban"], saved["ends_with"]) == (200, "DE89370400440532013000", "3000")
    for reader in (api_of(factories.marketer_of(fund.partner)), vendor("finance"), vendor("auditor")):
        shown = reader.get(path)
        assert (shown["iban"], shown["account"], shown["tax_id"], shown["ends_with"]) == (None, None, None, "3000")
        assert "DE8937" not in shown.content.decode()
        assert reader.put(path, ACCOUNT).code == "not_allowed"
    stranger = api_of(factories.make_person(factories.make_partner(), "partner_admin"))
    assert stranger.get(path).code == stranger.put(path, ACCOUNT).code == "not_found"


def test_what_is_wrong_with_an_account_is_said_at_its_fields(fund: Fund) -> None:
    admin = api_of(factories.make_person(fund.partner, "partner_admin"))
    path = f"partners/{fund.partner_id}/payout-account/"
    assert admin.put(path, {**ACCOUNT, "iban": "DE00"}).fields == {"iban": "invalid"}
    assert admin.put(path, {"country": "DE"}).fields == {"holder": "required"}
    assert admin.put(path, {**ACCOUNT, "number": "1"}).fields == {"number": "unknown_field"}


def test_an_account_is_written_once_for_a_key_not_at_all_in_a_dry_run_and_never_over_anothers(fund: Fund) -> None:
    admin = api_of(factories.make_person(fund.partner, "partner_admin"))
    path = f"partners/{fund.partner_id}/payout-account/"
    assert admin.put(path, ACCOUNT, dry_run="true").status == 200
    assert admin.get(path).code == "not_found"
    assert admin.put(path, ACCOUNT, headers={"If-Match": '"1"'}).code == "stale"
    admin.put(path, ACCOUNT)
    assert admin.put(path, {**ACCOUNT, "holder": "Nordwind AG"}, headers={"If-Match": '"1"'})["revision"] == 2
    assert admin.put(path, ACCOUNT, headers={"If-Match": '"1"'}).code == "stale"
