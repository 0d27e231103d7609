"""The partner looks into the past of its funds, and behind each figure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from coop.lib import clock
from coop.lib.dates import show_instant
from funds.models import Entry, Fund
from funds.operations.reversal import reverse_import
from partners.models import Person
from tests import factories as make
from tests.scenarios.world import approve, begin, deliver, draft, fund_of, partner_in, reach, send
from tests.web.partner.conftest import QUERIES, page, text_of

pytestmark = pytest.mark.django_db
SignIn = Callable[[Person], Client]


@pytest.fixture
def lived() -> Fund:
    """10,003.55 USD until 10 January; then 400.00 more and 200.00 less, a claim that was paid, and an expiry."""
    begin()
    enrollment = partner_in()
    deliver(enrollment, ("25000.00", "2023-08-15"), ("8.88", "2023-09-30"))
    reach("2024-01-12")
    deliver(enrollment, ("1000.00", "2023-12-15"), ("-500.00", "2023-10-01"))
    reach("2024-03-01")
    approve(send(draft(fund_of(enrollment), "4000.00")), (0, "3600.00"))
    make.pay_all()
    reach("2024-08-20")
    return fund_of(enrollment)


@pytest.fixture
def client(lived: Fund, sign_in: SignIn) -> Client:
    return sign_in(make.marketer_of(lived.partner))


def test_a_fund_as_it_was_says_so_and_leads_back(lived: Fund, client: Client) -> None:
    said = page(client, f"/funds/{lived.pk}/?as_of=2023-12-31&known_at=2024-01-10")
    assert "Balance on 31 Dec 2023 as known on 10 Jan 2024" in said
    assert "Back to today" in said
    assert "10,003.55 USD so far: an estimate" in said
    assert "Paid 0.00" in said
    corrected = page(client, f"/funds/{lived.pk}/?as_of=2023-12-31")
    assert "Balance on 31 Dec 2023 as known now" in corrected
    assert "10,203.55 USD so far" in corrected
    assert "Balance as known on 10 Jan 2024" in page(client, f"/funds/{lived.pk}/?known_at=2024-01-10")


def test_before_anything_was_known_the_page_says_since_when_the_fund_exists(lived: Fund, client: Client) -> None:
    said = page(client, f"/funds/{lived.pk}/?known_at=2023-06-30")
    assert f"It has existed since {show_instant(lived.created_at)}." in said


def test_figures_and_pages_of_the_past_lead_to_entries_of_the_past(lived: Fund, client: Client) -> None:
    html = client.get(f"/funds/{lived.pk}/?as_of=2023-12-31&known_at=2024-01-10").content.decode()
    links = re.findall(r'href="(/funds/\d+/\?[^"#]*bucket=[^"#]*)', html)
    assert len(links) == 9, "seven buckets, earned and adjustments"
    assert all("as_of=2023-12-31" in link and "known_at=2024-01-10" in link for link in links)
    said = page(client, f"/funds/{lived.pk}/?bucket=earned&as_of=2023-12-31&known_at=2024-01-10")
    assert "2 entries with these filters" in said


def test_before_the_first_entry_a_fund_says_from_when_on_there_is_something(lived: Fund, client: Client) -> None:
    said = page(client, f"/funds/{lived.pk}/?as_of=2023-08-14")
    assert "The first day that it has a balance for is 15 Aug 2023." in said
    assert "No entry counts on this day" in said


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("as_of=soon", "This day cannot be read"),
        ("as_of=1999-12-31", "Enter a day from 2000 to 2100"),
        ("known_at=2024-08-21", "has not come yet"),
        ("known_at=2024-08-20T00:00:00.000001Z", "has not come yet"),
        ("known_at=2024-02-30T00:00:00Z", "is not an instant"),
    ],
)
def test_days_that_cannot_be_read_or_known_are_refused_in_their_place(
    lived: Fund, client: Client, query: str, problem: str
) -> None:
    for path in (f"/funds/{lived.pk}/", "/funds/"):
        said = page(client, f"{path}?{query}", status=400)
        assert "There is a problem" in said
        assert problem in said


def test_what_is_known_today_is_what_is_known_now(lived: Fund, client: Client) -> None:
    assert "Paid 3,600.00" in page(client, f"/funds/{lived.pk}/?known_at=2024-08-20")


def test_the_list_of_funds_as_it_was(lived: Fund, client: Client) -> None:
    said = page(client, "/funds/?as_of=2023-12-31&known_at=2024-01-10")
    assert "Balance on 31 Dec 2023 as known on 10 Jan 2024" in said
    assert "10,003.55 USD so far" in said
    assert "None of these funds existed by then" in page(client, "/funds/?known_at=2023-06-30")


def test_the_balance_over_time_is_a_picture_a_sentence_and_a_table(lived: Fund, client: Client) -> None:
    response = client.get(f"/funds/{lived.pk}/")
    said = text_of(response)
    assert "Most was available on 15 Dec 2023: 10,203.55 USD. Since 14 Aug 2024 it is 0.00 USD." in said
    for mark in (
        "A 31 Dec 2023: last day of earning",
        "B 30 Jun 2024: last day to spend",
        "C 14 Aug 2024: last day to claim",
    ):
        assert mark in said
    assert "1 Oct 2023 9,803.55 15 Dec 2023 10,203.55 1 Mar 2024 6,603.55 14 Aug 2024 0.00" in said
    assert b"What was available, as a step line from" in response.content


def test_the_statement_opens_moves_closes_and_can_be_taken_away(lived: Fund, client: Client) -> None:
    path = f"/funds/{lived.pk}/statement/?from=2024-01-01&to=2024-06-30&known_at=2024-07-01"
    with CaptureQueriesContext(connection) as queries:
        said = text_of(client.get(path))
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) <= QUERIES
    for wanted in ("Earned 10,203.55 10,203.55", "Available 10,203.55 6,603.55", "Held for a claim", "4 movements"):
        assert wanted in said, wanted
    files = re.findall(rf'href="(/funds/{lived.pk}/statement\.(?:pdf|csv)[^"]*)"', client.get(path).content.decode())
    assert [client.get(file.replace("&amp;", "&")).headers["Content-Type"] for file in files] == [
        "application/pdf",
        "text/csv; charset=utf-8",
    ]
    api_csv = client.get(files[1].replace("&amp;", "&")).content
    reach("2024-09-29")
    assert client.get(files[1].replace("&amp;", "&")).content == api_csv


def test_a_statement_of_days_in_the_wrong_order_says_what_is_wrong(lived: Fund, client: Client) -> None:
    path = f"/funds/{lived.pk}/statement/"
    assert "is after" in page(client, f"{path}?from=2024-07-01&to=2024-06-30", status=400)
    assert "has existed since" in page(client, f"{path}?known_at=2023-06-30", status=400)
    assert client.get(f"/funds/{lived.pk}/statement.pdf?known_at=2099-01-01").status_code == 400
    assert client.get(f"/funds/{lived.pk}/statement.docx").status_code == 404


def test_what_changed_names_the_figures_and_the_entries(lived: Fund, client: Client) -> None:
    assert "Compare" in page(client, f"/funds/{lived.pk}/changes/")
    said = page(client, f"/funds/{lived.pk}/changes/?since=2024-01-10&until=2024-02-01")
    assert "2 entries were recorded in between. They changed earned by +200.00, available by +200.00." in said
    assert "Taken back by the vendor" in said
    assert "Nothing was recorded between" in page(client, f"/funds/{lived.pk}/changes/?since=2024-08-19")
    assert "Choose them in their order" in page(
        client, f"/funds/{lived.pk}/changes/?since=2024-02-01&until=2024-01-10", status=400
    )
    everywhere = page(client, "/funds/changes/?since=2024-01-10&until=2024-02-01")
    assert "Funds that changed" in everywhere
    assert "earned +200.00" in everywhere


def test_one_entry_says_everything_and_what_it_moved(lived: Fund, client: Client) -> None:
    paid = list(lived.entries.order_by("id")).index(lived.entries.get(kind="payment")) + 1
    said = page(client, f"/funds/{lived.pk}/entries/{paid}/")
    entry = Entry.objects.get(fund=lived, kind="payment")
    payment = entry.key.split(":")[1]
    for wanted in ("Paid", "3,600.00", f"Payment {payment}", "The vendor", "Claim CL-", "Download the proof"):
        assert wanted in said, wanted
    assert "Approved 3,600.00 -3,600.00 0.00" in said
    assert "Fiona" not in said, "partners do not read the names of the vendor's people here"
    assert client.get(f"/funds/{lived.pk}/entries/99/").status_code == 404
    assert client.get(f"/funds/{lived.pk}/entries/0/").status_code == 404


def test_a_line_leads_to_its_history(lived: Fund, client: Client) -> None:
    entry = lived.entries.order_by("id")[0]
    html = client.get(f"/funds/{lived.pk}/earnings/?import={entry.reference}").content.decode()
    [link] = re.findall(r'href="(/funds/\d+/earnings/line/[^"]*)"', html)
    said = page(client, link)
    assert "It was delivered once and never corrected." in said
    assert "Co-op 10,000.00 USD" in said
    assert client.get(f"/funds/{lived.pk}/earnings/line/?line=E-UNKNOWN").status_code == 404


def test_another_partners_past_is_not_found(lived: Fund, sign_in: SignIn) -> None:
    other = sign_in(make.marketer_of(make.make_partner("Other")))
    here = f"/funds/{lived.pk}"
    paths = ("/?as_of=2023-12-31", "/statement/", "/statement.csv", "/changes/?since=2024-01-10", "/entries/1/")
    for path in (*paths, "/earnings/line/?line=E-1"):
        assert other.get(f"{here}{path}").status_code == 404, path
    said = page(other, "/funds/changes/?since=2024-01-10")
    assert "There is no fund here" in said
    assert other.get("/finance/ledger/").status_code == 403
    assert clock.now() - lived.created_at > timedelta(0)


def test_a_corrected_and_reversed_line_shows_each_of_its_versions(sign_in: SignIn) -> None:
    """1,000.00 is delivered, corrected to 1,500.00, and the correction is reversed: 400.00, 200.00 more, 200.00 less."""
    begin()
    enrollment = partner_in()
    make.earn(enrollment, "1000.00", on="2023-08-15", external_id="E-1")
    correction = make.earn(enrollment, "1500.00", on="2023-08-15", external_id="E-1")
    reverse_import(correction.pk, reason="Sent by mistake.", by=make.vendor("finance"), at=clock.now())
    fund = fund_of(enrollment)
    client = sign_in(make.marketer_of(fund.partner))
    html = client.get(f"/funds/{fund.pk}/").content.decode()
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/funds/\d+/earnings/[^"]*)"', html)]
    reversal, corrected, first = (page(client, link) for link in links)
    assert "brought 400.00 USD of co-op" in first
    assert "brought 200.00 USD of co-op" in corrected
    assert "was 1,000.00 USD" in corrected
    assert "changed this fund's co-op by -200.00 USD" in reversal
    history = page(client, f"/funds/{fund.pk}/earnings/line/?line=E-1")
    assert "It has 3 versions" in history
    assert re.findall(r"Change of the fund (-?[\d.,]+)", history) == [
        "-200.00",
        "200.00",
        "400.00",
    ]
