"""The partner's payments: what waits, remittance, what came back, and where the money goes."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.test import Client
from pypdf import PdfReader

from coop.lib import clock
from funds.models import Fund
from funds.operations.results import Result, read_results
from partners.models import Event, PayoutAccount, Person
from tests.factories import (
    make_approved_claim,
    make_approved_run,
    make_fund,
    make_partner,
    make_payout_account,
    make_person,
    marketer_of,
    pay_all,
    prepare,
    vendor,
)
from tests.web.partner.conftest import page, text_of

pytestmark = pytest.mark.django_db
SignIn = Callable[[Person], Client]
ACCOUNT = {"holder": "Nordwind GmbH", "country": "de", "iban": "DE89 3704 0044 0532 0130 00", "revision": "0"}


@pytest.fixture
def fund() -> Fund:
    return make_fund()


def test_what_waits_to_be_paid_is_told_with_its_reason(sign_in: SignIn, fund: Fund) -> None:
    make_approved_claim(fund, "199.99")
    said = page(sign_in(marketer_of(fund.partner)), "/payments/")
    assert "Waits to be paid" in said
    assert "It is below 200.00 USD, the smallest payment of this program, and waits until it reaches that." in said
    assert "199.99 USD" in said
    make_approved_claim(fund, "0.01")
    assert "With a payment run by 6 May 2024." in page(sign_in(marketer_of(fund.partner)), "/payments/")


def test_what_is_in_a_draft_of_a_run_still_waits_for_its_partner(sign_in: SignIn, fund: Fund) -> None:
    make_approved_claim(fund, "4000.00")
    reader = sign_in(marketer_of(fund.partner))
    before = page(reader, "/payments/")
    prepare()
    assert page(reader, "/payments/") == before
    assert "4,000.00 USD" in before
    assert "No payments yet" in before


def test_converted_co_op_is_announced_before_its_month_is_over(sign_in: SignIn) -> None:
    fund = make_fund("24999.98")
    said = page(sign_in(marketer_of(fund.partner)), "/payments/")
    assert "9,999.99 USD" in said or "24,999.98 USD" in said
    assert "Gathered on 1 Apr 2024 for the run after it." in said


def test_a_payment_has_its_remittance_advice_on_paper_and_as_a_table(sign_in: SignIn, fund: Fund) -> None:
    claim = make_approved_claim(fund, "4000.00")
    make_payout_account(fund.partner)
    payment = pay_all().payments.get()
    reader = sign_in(marketer_of(fund.partner))
    said = page(reader, f"/payments/{payment.pk}/")
    for words in ("Download remittance", "4,000.00 USD", f"Claim {claim.number}", "no exchange rate", "•••• 3000"):
        assert words in said
    paper = reader.get(f"/payments/{payment.pk}/remittance.pdf")
    printed = PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()
    for words in ("Remittance advice", "Northwind Traders", claim.number, "4,000.00 USD", f"BANK-{payment.pk}"):
        assert words in printed
    assert "DE8937" not in printed
    table = reader.get(f"/payments/{payment.pk}/remittance.csv").content.decode()
    assert table.splitlines()[1].endswith(f"sent,2024-03-04,BANK-{payment.pk},Claim {claim.number},USD,4000.00")
    assert sign_in(make_person(make_partner())).get(f"/payments/{payment.pk}/remittance.pdf").status_code == 404


def test_a_failed_payment_has_no_advice_and_leads_its_admin_to_the_bank_details(sign_in: SignIn, fund: Fund) -> None:
    make_approved_claim(fund, "4000.00")
    run = make_approved_run()
    payment = run.payments.get()
    read_results(run.pk, [Result(payment.pk, "failed", failure="Account closed")], by=vendor("finance"), at=clock.now())
    said = page(sign_in(make_person(fund.partner, "partner_admin")), f"/payments/{payment.pk}/")
    assert "This payment could not be made: Account closed" in said
    assert "Update bank details" in said
    assert "Download remittance" not in said
    assert sign_in(marketer_of(fund.partner)).get(f"/payments/{payment.pk}/remittance.pdf").status_code == 409


# --- Payout account ---------------------------------------------------------------------------------------------------


def test_an_admin_enters_the_account_and_a_marketer_sees_its_end(sign_in: SignIn, fund: Fund) -> None:
    admin = sign_in(make_person(fund.partner, "partner_admin"))
    assert "No payout account is known" in page(admin, "/payments/")
    saved = admin.post("/account/payout/", ACCOUNT, follow=True)
    assert "The payout account is saved." in text_of(saved)
    assert PayoutAccount.objects.get().iban == "DE89370400440532013000"
    reader = sign_in(marketer_of(fund.partner))
    said = page(reader, "/account/payout/")
    assert "•••• 3000" in said
    assert "DE8937" not in reader.get("/account/payout/").content.decode()
    assert "Save payout account" not in said
    assert reader.post("/account/payout/", ACCOUNT).status_code == 403


def test_faults_of_an_account_are_shown_at_their_fields_and_nothing_is_kept(sign_in: SignIn, fund: Fund) -> None:
    admin = sign_in(make_person(fund.partner, "partner_admin"))
    answer = admin.post("/account/payout/", {**ACCOUNT, "iban": "DE12"})
    assert answer.status_code == 400
    assert "its check digits are wrong" in text_of(answer)
    assert not PayoutAccount.objects.exists()
    assert not Event.objects.filter(subject_type="payout_account").exists()


def test_the_page_of_the_account_is_the_partners_own(sign_in: SignIn, fund: Fund) -> None:
    for person, status in ((vendor("finance"), 403), (make_person(fund.partner, "agency"), 404)):
        assert sign_in(person).get("/account/payout/").status_code == status
