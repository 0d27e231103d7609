"""The page of the ledger's proof: who sees it, what verifying says, and what can be taken away."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from funds.models import Fund, LedgerHead
from funds.operations.heads import record_head
from funds.web import proof
from tests import factories as make
from tests.api.client import api_of
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db

NIGHT = datetime(2024, 3, 5, 0, 5, tzinfo=UTC)


@pytest.fixture
def fund() -> Fund:
    fund = make.make_fund()
    record_head(date(2024, 3, 4), at=NIGHT)
    make.make_sent_claim(fund, "100.00")
    return fund


def head() -> str:
    return bytes(LedgerHead.objects.get().hash).hex()


@pytest.mark.parametrize("who", ["finance", "program", "auditor"])
def test_finance_program_admins_and_auditors_verify_the_ledger(enter: Enter, fund: Fund, who: str) -> None:
    client = enter(who)
    page = words(get_within_bound(client, reverse("ledger-proof")))
    assert "That what was entered was true" in page
    assert f"4 Mar 2024 recorded 5 Mar 2024, 00:05 UTC {head()} 1 1 Not mailed" in page
    found = words(client.post(reverse("ledger-proof"), {"head": head()}))
    assert "The ledger is what was recorded" in found
    assert f"2 entries match; head {head()[:12]}; anchored 4 Mar 2024, 1 entry is younger" in found
    assert "The head that you kept is among those recorded" in found
    assert words(client.get(reverse("finance"))).count("Proof of the ledger") == 1


@pytest.mark.parametrize("who", ["manager", "marketer"])
def test_nobody_else_sees_it(enter: Enter, fund: Fund, who: str) -> None:
    person = make.marketer_of(fund.partner) if who == "marketer" else who
    for name in ("ledger-proof", "ledger-proof-file"):
        assert enter(person).get(reverse(name)).status_code == 403
    assert Client().get(reverse("ledger-proof")).status_code == 302


def test_a_fault_is_shown_at_its_entry(enter: Enter, fund: Fund) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE funds_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE funds_entry SET note = 'nothing to see here' WHERE kind = 'hold'")
    page = words(enter("auditor").post(reverse("ledger-proof")))
    assert "The ledger is not what was recorded" in page
    assert f"Fund {fund.id} Changed entry Entry" in page


def test_a_head_that_was_not_recorded_is_a_fault_and_one_that_is_none_is_told_at_its_field(
    enter: Enter, fund: Fund
) -> None:
    client = enter("finance")
    assert "Kept head is gone" in words(client.post(reverse("ledger-proof"), {"head": "ab" * 32}))
    refused = client.post(reverse("ledger-proof"), {"head": "my head"})
    assert refused.status_code == 400
    assert "A head has 64 digits and letters from a to f" in words(refused)


def test_a_ledger_that_is_too_large_for_a_page_is_verified_by_a_command(
    enter: Enter, fund: Fund, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "AT_ONCE", 1)
    client = enter("finance")
    page = words(client.post(reverse("ledger-proof")))
    assert "manage.py verify_ledger" in page
    assert "entries match" not in page
    assert "manage.py export_proof --all FILE" in words(client.get(reverse("ledger-proof-file")))


def test_before_the_first_head_the_page_says_when_it_comes(enter: Enter) -> None:
    page = words(enter("finance").get(reverse("ledger-proof")))
    assert "No head has been recorded yet" in page


def test_the_proof_is_downloaded_whole_by_finance_and_of_its_fund_by_a_partner(enter: Enter, fund: Fund) -> None:
    other = make.make_fund("90000.00", enrollment=make.make_enrollment(make.make_location()))
    whole = enter("auditor").get(reverse("ledger-proof-file"))
    assert whole["Content-Disposition"].endswith('.jsonl"')
    lines = [json.loads(line) for line in b"".join(whole.streaming_content).splitlines()]  # type: ignore[attr-defined]
    assert {line["fund"] for line in lines if "entry" in line} == {fund.id, other.id}
    own = enter(make.marketer_of(fund.partner)).get(reverse("fund-proof", args=[fund.id]))
    lines = [json.loads(line) for line in b"".join(own.streaming_content).splitlines()]  # type: ignore[attr-defined]
    assert {line["fund"] for line in lines if "entry" in line} == {fund.id}
    assert not [line for line in lines if "anchor" in line and line["anchor"]["fund"] != fund.id]
    foreign = enter(make.marketer_of(other.partner)).get(reverse("fund-proof", args=[fund.id]))
    assert foreign.status_code == 404


def test_the_heads_are_listed_over_the_api_for_those_who_see_the_page(fund: Fund) -> None:
    for who in ("finance", "program", "auditor"):
        (row,) = api_of(make.vendor(who)).get("ledger-heads/")["results"]
        assert (row["day"], row["hash"], row["previous"], row["entries"]) == ("2024-03-04", head(), None, 1)
    for person in (make.vendor("manager"), make.marketer_of(fund.partner)):
        assert api_of(person).get("ledger-heads/")["results"] == []
