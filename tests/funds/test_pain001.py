"""The ISO 20022 file of a payment run, held against the published schema and read back."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import sepaxml
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from coop.lib import clock
from coop.lib.errors import WrongStatus
from funds.bank.pain001 import FOREIGN, NAMESPACE, export_pain001, sort_out, swift
from funds.models import Fund, PaymentRun
from funds.operations.payments import export_run
from funds.operations.results import Result, read_results
from funds.operations.settlement import settle_period
from partners.models import Partner
from partners.operations import set_payout_account
from tests.factories import (
    CLAIMING,
    EARNING,
    earn,
    load_catalog,
    make_approved_claim,
    make_approved_run,
    make_enrollment,
    make_fund,
    make_location,
    make_partner,
    make_person,
    period,
    set_clock,
    vendor,
)

IBAN = {"holder": "Nørdwind Łódź GmbH & Co", "country": "DE", "iban": "DE89370400440532013000", "bank_code": "COBADEFF"}
ROUTING = {
    "holder": "Northwind Traders Inc.",
    "country": "US",
    "account": "123456789",
    "bank_code_kind": "USABA",
    "bank_code": "021000021",
}


@cache
def schema() -> xmlschema.XMLSchema:
    """pain.001.001.09 as ISO 20022 publishes it."""
    return xmlschema.XMLSchema(Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd")


def read(data: bytes) -> dict[str, Any]:
    """The message as nested values. Fails with what the schema says against it."""
    text = data.decode()
    schema().validate(text)
    found: Any = schema().to_dict(text)
    return dict(found["CstmrCdtTrfInitn"])


def account_of(partner: Partner, values: dict[str, str]) -> None:
    admin = partner.people.filter(role="partner_admin").first() or make_person(partner, "partner_admin")
    set_payout_account(partner.id, values, by=admin, at=clock.now())


def approved_fund(amount: str, partner: Partner, program: str = "mci-csp-reseller") -> Fund:
    fund = make_fund(enrollment=make_enrollment(make_location(partner), program))
    make_approved_claim(fund, amount)
    return fund


@pytest.fixture
def run(db: None) -> PaymentRun:
    """Two payments of 4,000.00 and 1,250.50 USD with accounts, and one without."""
    german, american, nowhere = (
        make_partner("Nordwind", country="DE"),
        make_partner("Northwind"),
        make_partner("Nowhere"),
    )
    account_of(german, IBAN)
    account_of(american, ROUTING)
    for partner, amount in ((german, "4000.00"), (american, "1250.50"), (nowhere, "300.00")):
        approved_fund(amount, partner)
    set_clock(datetime(2024, 3, 15, 10, 30, tzinfo=UTC))
    return make_approved_run()


def test_the_message_is_valid_by_the_published_schema_and_its_sums_are_right(run: PaymentRun) -> None:
    message = read(export_pain001(run))
    header, (instruction,) = message["GrpHdr"], message["PmtInf"]
    assert (header["MsgId"], header["NbOfTxs"], str(header["CtrlSum"])) == (f"COOP-RUN-{run.pk}", "2", "5250.50")
    assert (instruction["NbOfTxs"], str(instruction["CtrlSum"])) == ("2", "5250.50")
    assert header["CreDtTm"] == "2024-03-15T10:30:00Z"
    assert instruction["ReqdExctnDt"] == {"Dt": "2024-03-15"}
    assert instruction["DbtrAcct"] == {"Id": {"IBAN": "GB33BUKB20201555555555"}}


def test_each_transfer_names_payment_amount_bank_and_account(run: PaymentRun) -> None:
    german, american = read(export_pain001(run))["PmtInf"][0]["CdtTrfTxInf"]
    first, second = run.payments.order_by("id")[:2]
    assert german["PmtId"] == {"EndToEndId": f"PAYMENT-{first.pk}"}
    assert german["Amt"]["InstdAmt"] == {"@Ccy": "USD", "$": pytest.approx(4000)}
    assert german["CdtrAgt"] == {"FinInstnId": {"BICFI": "COBADEFF"}}
    assert german["Cdtr"] == {"Nm": "Nordwind Lodz GmbH + Co", "PstlAdr": {"Ctry": "DE"}}
    assert german["CdtrAcct"] == {"Id": {"IBAN": "DE89370400440532013000"}}
    assert american["PmtId"] == {"EndToEndId": f"PAYMENT-{second.pk}"}
    assert american["CdtrAgt"]["FinInstnId"]["ClrSysMmbId"] == {"ClrSysId": {"Cd": "USABA"}, "MmbId": "021000021"}
    assert american["CdtrAcct"] == {"Id": {"Othr": {"Id": "123456789"}}}


def test_a_payment_without_an_account_is_left_out_and_named(run: PaymentRun) -> None:
    (left_out,) = sort_out(run)[1]
    assert (left_out.payment.partner.name, left_out.code) == ("Nowhere", "no_bank_account")
    assert f"PAYMENT-{left_out.payment.pk}".encode() not in export_pain001(run)


def test_every_currency_has_an_instruction_of_its_own_with_its_own_decimals(db: None) -> None:
    load_catalog("mci-csp-reseller")
    load_catalog("hosting", currency="JPY", thresholds=[])
    partner = make_partner()
    account_of(partner, IBAN)
    approved_fund("4000.00", partner)
    set_clock(EARNING)
    enrollment = make_enrollment(make_location(partner), "hosting")
    earn(enrollment, "100000", currency="JPY")
    half = period(program="hosting")
    settle_period(half.id, at=set_clock(half.settle_at))
    set_clock(CLAIMING)
    make_approved_claim(Fund.objects.get(enrollment=enrollment), "40000")
    message = read(export_pain001(make_approved_run()))
    assert [part["PmtInfId"].rpartition("-")[2] for part in message["PmtInf"]] == ["JPY", "USD"]
    assert [str(part["CtrlSum"]) for part in message["PmtInf"]] == ["40000", "4000.00"]
    assert str(message["GrpHdr"]["CtrlSum"]) == "44000.00"


def test_the_file_is_the_same_bytes_each_time_and_never_changes_after_the_export(run: PaymentRun) -> None:
    partner = run.payments.order_by("id")[0].partner
    before = export_pain001(run)
    assert before == export_pain001(PaymentRun.objects.get(id=run.pk))
    account_of(partner, {**IBAN, "iban": "DE75512108001245126199"})
    assert export_pain001(run) == before, "the account that was approved is the one that is paid"
    set_clock(datetime(2024, 3, 18, 8, tzinfo=UTC))
    run = export_run(run.pk, by=vendor("finance"), at=clock.now())
    exported = export_pain001(run)
    account_of(Partner.objects.get(name="Nowhere"), ROUTING)
    assert export_pain001(PaymentRun.objects.get(id=run.pk)) == exported


def test_an_account_that_comes_between_approval_and_export_still_counts(run: PaymentRun) -> None:
    account_of(Partner.objects.get(name="Nowhere"), ROUTING)
    assert read(export_pain001(run))["GrpHdr"]["NbOfTxs"] == "3"
    export_run(run.pk, by=vendor("finance"), at=clock.now())
    run = PaymentRun.objects.get(id=run.pk)
    assert sort_out(run)[1] == []
    assert read(export_pain001(run))["GrpHdr"]["NbOfTxs"] == "3"


def test_results_of_a_run_that_nobody_marked_as_exported_keep_the_accounts_of_its_file(db: None) -> None:
    partner = make_partner()
    approved_fund("400.00", partner)
    run = make_approved_run()
    account_of(partner, IBAN)
    read_results(run.pk, [Result(run.payments.get().pk, "sent")], by=vendor("finance"), at=clock.now())
    account_of(partner, ROUTING)
    found, left_out = sort_out(PaymentRun.objects.get(id=run.pk))
    assert ([payee["iban"] for _, payee in found], left_out) == ([IBAN["iban"]], [])


def test_without_the_payers_account_the_message_is_refused_with_what_to_set(run: PaymentRun, settings: Any) -> None:
    settings.PAYER_ACCOUNT = settings.PAYER_BIC = ""
    with pytest.raises(WrongStatus, match="PAYER_ACCOUNT, PAYER_BIC"):
        export_pain001(run)
    settings.PAYER_ACCOUNT, settings.PAYER_BIC = "4711", "NOBIC"
    with pytest.raises(WrongStatus, match="not a BIC"):
        export_pain001(run)


def test_a_run_of_partners_without_accounts_has_no_message(db: None) -> None:
    approved_fund("4000.00", make_partner())
    with pytest.raises(WrongStatus, match="has a bank account"):
        export_pain001(make_approved_run())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Łódź Żółć & Søn_Ltd", "Lodz Zolc + Son-Ltd"),
        ("Жуков и сыновья", "Zhukov i synov'ya"),
        ("東京商事", "DongJingShangShi"),
        ("Straße “5” €", "Strasse 5 EUR"),
        ("//a\tb//", "a b"),
        ("\u0000\u200b", "?"),
    ],
)
def test_names_are_written_in_letters_that_every_bank_takes(text: str, said: str) -> None:
    assert swift(text, 140) == said


@given(st.text(max_size=300))
def test_whatever_a_name_holds_what_the_bank_reads_is_plain_and_short(text: str) -> None:
    said = swift(text, 140)
    assert 1 <= len(said) <= 140
    assert not FOREIGN.search(said)
    assert said == said.strip()


def test_the_namespace_is_that_of_the_schema() -> None:
    assert schema().target_namespace == NAMESPACE
    assert ET.QName(NAMESPACE, "Document").text == f"{{{NAMESPACE}}}Document"
