"""The pages of finance: its home, payment runs, payments."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from claims.models import Claim
from coop.lib import clock
from funds.bank.table import export_csv
from funds.models import PaymentRun
from funds.operations.results import Result, read_results
from tests.factories import (
    make_approved_claim,
    make_approved_run,
    make_enrollment,
    make_fund,
    make_location,
    make_partner,
    make_person,
    pay_all,
    prepare,
    vendor,
)
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def claim() -> Claim:
    return make_approved_claim(make_fund(), "4000.00")


def test_the_home_of_finance_tells_what_waits_and_what_is_owed(enter: Enter, claim: Claim) -> None:
    page = words(get_within_bound(enter("finance"), reverse("finance")))
    for said in (
        "4,000.00 USD 1 amount in no run yet",
        "10,003.55 USD may still have to be paid",
        "FY24-H1",
        "Nothing is in progress",
    ):
        assert said in page, said


def test_an_empty_house_owes_nothing(enter: Enter) -> None:
    page = words(enter("finance").get(reverse("finance")))
    assert "No liability" in page
    assert "Nothing is in progress" in page


def test_the_ledger_is_checked_on_demand(enter: Enter, claim: Claim) -> None:
    for who in ("finance", "auditor"):
        page = words(enter(who).post(reverse("ledger-check")))
        assert "The ledger agrees" in page
        assert "All totals of 1 fund were computed anew from" in page
    assert enter("manager").post(reverse("ledger-check")).status_code == 403


def test_a_run_goes_from_one_person_to_another_to_the_bank_and_back(enter: Enter, claim: Claim) -> None:
    first, second = enter("finance"), enter("finance2")
    assert "4,000.00 USD of 1 approved claim waits to be paid" in words(first.get(reverse("payment-runs")))
    response = first.post(reverse("payment-runs"), {"cutoff": "2024-03-04"})
    run = PaymentRun.objects.get()
    url = reverse("payment-run", args=[run.pk])
    assert response["Location"] == url
    own = words(get_within_bound(first, url))
    assert "You prepared this run, so somebody else approves it" in own
    assert "Approve 4,000.00 USD" not in own

    assert "Approve 4,000.00 USD to 1 partner" in words(get_within_bound(second, url))
    second.post(reverse("payment-run-approve", args=[run.pk]), {"revision": run.revision})
    sent = first.post(reverse("payment-run-export", args=[run.pk]), follow=True)
    assert "With the bank" in words(sent), "the page that follows says so, without being loaded anew"
    assert f"payment-run-{run.pk}.csv" in words(sent)
    exported = first.get(reverse("payment-run-csv", args=[run.pk]))
    assert exported["Content-Type"].startswith("text/csv")
    assert "4000.00" in exported.content.decode()
    run.refresh_from_db()
    assert (run.status, run.approved_by) == ("exported", vendor("finance2"))

    filled = exported.content.decode().replace("4000.00,,,,", "4000.00,sent,2024-03-04,BANK-1,")
    first.post(
        reverse("payment-run-results", args=[run.pk]),
        {"act": "file", "file": SimpleUploadedFile("run.csv", filled.encode())},
    )
    done = words(get_within_bound(first, url))
    assert "Results read: 1 sent, 0 failed. The run is settled." in done
    assert "BANK-1" in done
    claim.refresh_from_db()
    assert claim.status == "paid"


def test_who_prepared_a_run_cannot_approve_it_by_hand_either(enter: Enter, claim: Claim) -> None:
    run = prepare()
    response = enter("finance").post(reverse("payment-run-approve", args=[run.pk]))
    assert response.status_code == 403
    assert "You prepared this run. Another person of finance must look at it" in words(response)


def test_a_run_of_nothing_is_refused_at_its_day(enter: Enter, claim: Claim) -> None:
    response = enter("finance").post(reverse("payment-runs"), {"cutoff": "2024-03-01"})
    assert response.status_code == 400
    assert "Nothing that was approved until 1 Mar 2024 can be paid now" in words(response)
    assert "Enter the last day of approvals" in words(enter("finance").post(reverse("payment-runs"), {"cutoff": ""}))


def test_a_cancelled_run_frees_its_claims(enter: Enter, claim: Claim) -> None:
    run = prepare()
    client = enter("finance")
    client.post(reverse("payment-run-cancel", args=[run.pk]), {"revision": run.revision})
    assert "Cancelled" in words(client.get(reverse("payment-run", args=[run.pk])))
    assert "1 approved claim waits to be paid" in words(client.get(reverse("payment-runs")))


def test_a_partner_without_payout_profile_is_held_with_the_reason(enter: Enter, claim: Claim) -> None:
    make_approved_claim(
        make_fund(enrollment=make_enrollment(make_location(make_partner("Tidewater")), payout_profile_complete=None)),
        "500.00",
    )
    waiting = make_enrollment(make_location(make_partner("Harbor")), payout_profile_complete=None)
    held = make_approved_claim(make_fund(enrollment=waiting), "700.00")
    held.fund.enrollment.payout_profile_complete = False
    held.fund.enrollment.save()
    run = prepare()
    page = words(get_within_bound(enter("finance"), reverse("payment-run", args=[run.pk])))
    assert "2 payments to 2 partners 4,500.00 USD" in page
    assert "The bank and tax profile is not complete. 700.00 USD" in page


def test_results_by_hand_are_taken_and_a_failure_needs_its_reason(enter: Enter, claim: Claim) -> None:
    run = make_approved_run()
    payment = run.payments.get()
    client, url = enter("finance"), reverse("payment-run-results", args=[run.pk])
    get_within_bound(client, url)
    field = f"payment-{payment.pk}"
    response = client.post(url, {"act": "hand", f"{field}-status": "failed", f"{field}-reason": ""})
    assert response.status_code == 400
    assert "Say why the payment failed" in words(response)
    assert "no result in this" in words(client.post(url, {"act": "hand", f"{field}-status": ""}))
    client.post(url, {"act": "hand", f"{field}-status": "failed", f"{field}-reason": "Account closed"})
    home = words(client.get(reverse("finance")))
    assert "Account closed" in home
    assert "4,000.00 USD 1 amount in no run yet" in home
    assert "No payment waits for a result" in words(client.get(url))


def test_faults_of_a_results_file_are_listed_row_by_row(enter: Enter, claim: Claim) -> None:
    run = make_approved_run()
    text = export_csv(run).replace("4000.00,,,,", "4000.00,paid,15.03.2024,,")
    response = enter("finance").post(
        reverse("payment-run-results", args=[run.pk]),
        {"act": "file", "file": SimpleUploadedFile("run.csv", text.encode())},
    )
    assert response.status_code == 400
    page = words(response)
    assert "Line 2: “paid” is not a result. Write sent, failed or returned" in page
    assert "Line 2: “15.03.2024” is not a day" in page


@pytest.mark.parametrize("who", ["program", "auditor"])
def test_readers_look_at_runs_and_change_nothing(enter: Enter, claim: Claim, who: str) -> None:
    run = prepare()
    client = enter(who)
    page = words(client.get(reverse("payment-run", args=[run.pk])))
    assert "Approve" not in page.replace("Waits for approval", "")
    assert "Cancel this run" not in page
    assert client.post(reverse("payment-run-approve", args=[run.pk])).status_code == 403
    assert client.post(reverse("payment-runs"), {"cutoff": "2024-03-04"}).status_code == 403
    assert client.get(reverse("payment-run-results", args=[run.pk])).status_code == 403


def test_runs_are_finances_alone(enter: Enter, claim: Claim) -> None:
    run = prepare()
    for person in ("manager", claim.submitted_by):
        assert person
        assert enter(person).get(reverse("payment-run", args=[run.pk])).status_code == 403
        assert enter(person).get(reverse("payment-runs")).status_code == 403
    assert enter("finance").get(reverse("payment-run", args=[run.pk + 999])).status_code == 404


def test_partners_read_their_own_payments_once_the_run_is_approved(enter: Enter, claim: Claim) -> None:
    assert claim.submitted_by
    client, stranger = enter(claim.submitted_by), enter(make_person(make_partner("Elsewhere")))
    assert "No payments yet" in words(client.get(reverse("payments")))
    run = pay_all()
    payment = run.payments.get()
    page = words(get_within_bound(client, reverse("payments")))
    for said in (f"Claim {claim.number}", "Sent", "4 Mar 2024", "4,000.00 USD"):
        assert said in page
    own = words(get_within_bound(client, reverse("payment", args=[payment.pk])))
    assert f"BANK-{payment.pk}" in own
    assert "Payment run" not in own
    assert "No payments yet" in words(stranger.get(reverse("payments")))
    assert stranger.get(reverse("payment", args=[payment.pk])).status_code == 404


def test_a_failed_payment_tells_the_partner_what_to_do(enter: Enter, claim: Claim) -> None:
    run = make_approved_run()
    payment = run.payments.get()
    results = [Result(payment.pk, "failed", failure="Account closed")]
    read_results(run.pk, results, by=vendor("finance"), at=clock.now())
    assert claim.submitted_by
    page = words(enter(claim.submitted_by).get(reverse("payment", args=[payment.pk])))
    assert "This payment could not be made: Account closed" in page
    assert "Nothing is lost: it is paid with another run" in page


def test_what_failed_twice_waits_once(enter: Enter, claim: Claim) -> None:
    for failure in ("Account closed", "Account closed still"):
        run = make_approved_run()
        results = [Result(run.payments.get().pk, "failed", failure=failure)]
        read_results(run.pk, results, by=vendor("finance"), at=clock.now())
    page = words(enter("finance").get(reverse("finance")))
    assert "Failed payments 1 They wait for another run" in page
    assert "Account closed still" in page
    prepare()
    assert "Failed payments 0" in words(enter("finance").get(reverse("finance")))


def test_a_channel_manager_sees_the_payments_of_the_portfolio_only(enter: Enter, claim: Claim) -> None:
    payment = pay_all().payments.get()
    client = enter(make_person(role="channel_manager", portfolio=[make_partner("Mine").pk]))
    assert "No payments yet" in words(client.get(reverse("payments")))
    assert client.get(reverse("payment", args=[payment.pk])).status_code == 404
    assert payment.sent_on == date(2024, 3, 4)
