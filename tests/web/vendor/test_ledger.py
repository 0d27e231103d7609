"""Finance explores the whole ledger."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import pytest

from funds.models import Entry
from tests import factories as make
from tests.scenarios.world import begin, deliver, partner_in, reach
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_partners() -> tuple[Any, Any]:
    """25,000.00 and 50,000.00 of incentives until 10 January, and 1,000.00 taken back from the second after it."""
    begin()
    one = partner_in()
    two = make.make_enrollment(make.make_location(make.make_partner("=Fabrikam")))
    deliver(one, ("25000.00", "2023-08-15"))
    deliver(two, ("50000.00", "2023-09-15"))
    reach("2024-01-12")
    deliver(two, ("-1000.00", "2023-10-01"))
    return one, two


def test_the_trial_balance_is_that_of_the_moment_that_is_asked_for(enter: Enter, two_partners: Any) -> None:
    client = enter("finance")
    now = words(get_within_bound(client, "/finance/ledger/"))
    assert "Earned 29,600.00 Adjustments 0.00 Available 29,600.00" in now
    then = words(get_within_bound(client, "/finance/ledger/?known_at=2024-01-11"))
    assert "Earned 30,000.00" in then
    assert "Taken back" not in then.split("Entries")[-1]
    day = words(client.get("/finance/ledger/?as_of=2023-08-31"))
    assert "Earned 10,000.00" in day


def test_entries_are_found_by_partner_kind_and_figure(enter: Enter, two_partners: Any) -> None:
    client = enter("auditor")
    found = client.get("/finance/ledger/?partner=fabri&kind=clawback").context["entries"]
    assert [(row["what"], row["amount"]) for row in found] == [("Taken back by the vendor", "400.00 USD")]
    assert len(client.get("/finance/ledger/?bucket=earned").context["entries"]) == Entry.objects.count()
    assert client.get("/finance/ledger/?bucket=paid").context["entries"] == []
    assert client.get("/finance/ledger/?known_at=2099-01-01").status_code == 400


def test_each_figure_of_what_is_owed_leads_to_its_entries(enter: Enter, two_partners: Any) -> None:
    reach("2024-02-16")
    client = enter("finance")
    html = get_within_bound(client, "/finance/").content.decode()
    [link] = re.findall(r'href="(/finance/ledger/[^"]*bucket=available[^"]*)"', html)
    entries = client.get(unescape(link)).context["entries"]
    assert [row["amount"] for row in entries] == ["400.00 USD", "20,000.00 USD", "10,000.00 USD"]
    assert client.get("/finance/ledger/?period=FY23-H2").context["entries"] == []


def test_the_export_holds_what_is_shown_as_plain_decimals(enter: Enter, two_partners: Any) -> None:
    client = enter("finance")
    answer = client.get("/finance/ledger.csv?partner=fabri")
    content = b"".join(answer.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [(row["kind"], row["amount"], row["partner_name"]) for row in rows] == [
        ("earning", "20000.00", "'=Fabrikam"),
        ("clawback", "400.00", "'=Fabrikam"),
    ]


def test_channel_managers_and_partners_have_no_ledger(enter: Enter, two_partners: Any) -> None:
    for path in ("/finance/ledger/", "/finance/ledger.csv"):
        assert enter("manager").get(path).status_code == 403
        assert enter(make.marketer_of(two_partners[0].partner)).get(path).status_code == 403
