"""Where a partner's money goes: what is an account, who may change it, and that nobody reads it in passing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coop.lib.errors import Invalid, NotAllowed, NotFound, Stale
from partners.accounts import masked, read_account
from partners.models import Event, PayoutAccount
from partners.operations import set_payout_account
from tests.factories import make_partner, make_person, vendor

AT = datetime(2024, 3, 4, 9, tzinfo=UTC)
GERMAN = {"holder": "Nordwind GmbH", "country": "DE", "iban": "DE89 3704 0044 0532 0130 00"}
AMERICAN = {
    "holder": "Northwind Traders Inc.",
    "country": "US",
    "account": "1234 5678 9",
    "bank_code_kind": "USABA",
    "bank_code": "021000021",
}


def faults(**changes: str) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        read_account({**GERMAN, **changes})
    return [(error.field, error.code) for error in refused.value.errors]


def test_spaces_and_small_letters_in_an_iban_are_read_away() -> None:
    assert read_account({**GERMAN, "iban": "de89 3704 0044 0532 0130 00"})["iban"] == "DE89370400440532013000"


def test_an_american_account_needs_the_number_of_its_bank() -> None:
    assert read_account(AMERICAN)["account"] == "123456789"
    with pytest.raises(Invalid, match="does not say at which bank"):
        read_account({**AMERICAN, "bank_code": ""})


@pytest.mark.parametrize(
    "number",
    [
        "DE89370400440532013001",  # one digit is another
        "DE8937040044053201300",  # one is missing
        "DE98370400440532013000",  # two have changed places
        "XX89370400440532013000",
        "0532013000",
    ],
)
def test_a_number_that_was_copied_wrongly_is_no_iban(number: str) -> None:
    assert faults(iban=number)[0][0] == "iban"


@pytest.mark.parametrize(
    ("kind", "code"),
    [("USABA", "021000022"), ("bic", "DEUTDEF"), ("GBDSC", "12345"), ("INFSC", "HDFC1000001"), ("JPZGN", "x")],
)
def test_a_bank_code_has_the_form_of_its_country(kind: str, code: str) -> None:
    given = {**AMERICAN, "bank_code_kind": kind, "bank_code": code}
    with pytest.raises(Invalid) as refused:
        read_account(given)
    assert refused.value.errors[0].field == "bank_code"


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert faults(holder=" ", country="Germany", iban="12", tax_id="x" * 36) == [
        ("holder", "required"),
        ("tax_id", "too_long"),
        ("country", "invalid"),
        ("iban", "invalid"),
    ]
    assert faults(account="123456") == [("account", "invalid")]
    assert faults(country="FR") == [("country", "invalid")]


def test_others_see_the_last_four_characters_at_most() -> None:
    assert masked("DE89370400440532013000") == "•••• 3000"
    assert masked("12345") == "•••• 45"
    assert masked("") == ""


@pytest.mark.django_db
def test_a_partner_admin_sets_the_account_and_the_event_names_the_fields_alone() -> None:
    partner = make_partner()
    admin = make_person(partner, "partner_admin")
    account = set_payout_account(partner.id, GERMAN, by=admin, at=AT)
    assert (account.masked, account.revision, account.updated_by) == ("•••• 3000", 1, admin)
    again = set_payout_account(partner.id, {**GERMAN, "holder": "Nordwind AG"}, revision=1, by=admin, at=AT)
    assert again.revision == 2
    first, second = Event.objects.filter(subject_type="payout_account").order_by("id")
    assert (first.verb, first.partner_id) == ("payout_account.added", partner.id)
    assert (second.verb, second.data) == ("payout_account.changed", {"fields": ["holder"]})
    assert "3000" not in str(first.data)


@pytest.mark.django_db
def test_saying_the_same_again_changes_nothing() -> None:
    partner = make_partner()
    admin = make_person(partner, "partner_admin")
    set_payout_account(partner.id, GERMAN, by=admin, at=AT)
    assert set_payout_account(partner.id, GERMAN, by=admin, at=AT.replace(day=5)).updated_at == AT
    assert Event.objects.filter(subject_type="payout_account").count() == 1


@pytest.mark.django_db
def test_nobody_but_the_partners_own_admin_says_where_its_money_goes() -> None:
    partner = make_partner()
    for person in (make_person(partner), vendor("finance"), vendor("program")):
        with pytest.raises(NotAllowed):
            set_payout_account(partner.id, GERMAN, by=person, at=AT)
    with pytest.raises(NotFound):
        set_payout_account(partner.id, GERMAN, by=make_person(make_partner(), "partner_admin"), at=AT)
    assert not PayoutAccount.objects.exists()


@pytest.mark.django_db
def test_an_account_that_somebody_else_changed_meanwhile_is_not_overwritten() -> None:
    partner = make_partner()
    admin = make_person(partner, "partner_admin")
    set_payout_account(partner.id, GERMAN, revision=0, by=admin, at=AT)
    with pytest.raises(Stale):
        set_payout_account(partner.id, AMERICAN, revision=0, by=admin, at=AT)
