"""Pages, filters, and how many queries a list costs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funds.models import Fund
from tests import factories
from tests.api.client import Api, api_of


@pytest.fixture
def many(fund: Fund) -> Fund:
    """Five more claims, sent, beside the fund; and five more earnings."""
    factories.earn(fund.enrollment, *["10.00"] * 5)
    for _ in range(5):
        factories.make_sent_claim(fund, "10.00")
    return fund


def walk(api: Api, path: str, **query: str) -> tuple[list[list[str]], list[list[str]]]:
    """The ids of every page on the way forward, and of those on the way back."""
    forward, back = [], []
    page = api.get(path, **query)
    while True:
        assert page.status == 200, page
        forward.append([row["id"] for row in page["results"]])
        if page["next"] is None:
            break
        page = api.get(page["next"].removeprefix("http://testserver"))
    while page["previous"] is not None:
        page = api.get(page["previous"].removeprefix("http://testserver"))
        back.append([row["id"] for row in page["results"]])
    return forward, back


def test_pages_hold_every_row_once_forwards_and_back(many: Fund) -> None:
    api = api_of(factories.marketer_of(many.partner))
    for path in ("claims/", "earnings/", "events/", "activities/"):
        whole, _ = walk(api, path, page_size="200")
        pages, back = walk(api, path, page_size="2")
        assert [row for page in pages for row in page] == whole[0]
        assert len(set(whole[0])) == len(whole[0])
        assert all(len(page) == 2 for page in pages[:-1])
        assert back == pages[-2::-1]


def test_a_page_goes_on_where_it_stopped_though_rows_were_added(many: Fund) -> None:
    api = api_of(factories.marketer_of(many.partner))
    first = api.get("claims/", page_size="2")
    factories.make_draft(many)
    second = api.get(first["next"].removeprefix("http://testserver"))
    assert int(second["results"][0]["id"]) < int(first["results"][-1]["id"])


@pytest.mark.parametrize("size", ["0", "201", "-1", "1e1", "\u0665", "", "9999999999"])
def test_a_page_has_1_to_200_rows(finance: Api, size: str) -> None:
    assert finance.get("funds/", page_size=size).fields == {"page_size": "invalid"}


@pytest.mark.parametrize("cursor", ["", "x", "W10", "WzEsMl0", "bnVsbA", "W2ZhbHNlLCJ4Il0", "W2ZhbHNlLCAtMV0", "é"])
def test_a_cursor_that_no_list_gave_is_refused(finance: Api, cursor: str) -> None:
    assert finance.get("funds/", cursor=cursor).fields == {"cursor": "invalid"}


LISTS = (
    "programs/",
    "earning-periods/",
    "people/",
    "partners/",
    "locations/",
    "enrollments/",
    "earnings/",
    "imports/",
    "funds/",
    "funds/{fund}/entries/",
    "adjustments/",
    "activities/",
    "claims/",
    "claims/{claim}/lines/",
    "claims/{claim}/documents/",
    "payment-runs/",
    "payments/",
    "events/",
)


def test_a_list_of_many_rows_costs_as_few_queries_as_one_of_a_row(many: Fund) -> None:
    other = factories.make_partner()
    factories.make_person(other)
    factories.make_enrollment(factories.make_location(other))
    factories.make_person(None, "channel_manager", portfolio=[other.pk])
    api = api_of(factories.vendor("auditor"))
    claim = many.claims.order_by("id")[0]

    def queries(path: str, size: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.get(path, page_size=size).status == 200
        return len(captured)

    for path in (named.format(fund=many.pk, claim=claim.pk) for named in LISTS):
        assert queries(path, "200") <= queries(path, "1") <= 9, path


def test_claims_that_are_open_are_listed_without_a_query_each(fund: Fund) -> None:
    for _ in range(4):
        factories.make_claim(fund, "10.00")
        factories.make_claim(fund, "10.00", activity="spiff")  # whose limit counts the others
    api = api_of(factories.marketer_of(fund.partner))
    needed = []
    for size in ("2", "8"):
        with CaptureQueriesContext(connection) as captured:
            page = api.get("claims/", page_size=size)
        assert all(row["findings"] for row in page["results"])
        needed.append(len(captured))
    assert needed[0] == needed[1] <= 10


def found(api: Api, path: str, **query: str) -> list[Any]:
    page = api.get(path, **query)
    assert page.status == 200, page
    return list(page["results"])


def test_filters_are_named_as_the_fields(many: Fund) -> None:
    api = api_of(factories.vendor("auditor"))
    fund = found(api, "funds/")[0]
    for name in ("partner", "location", "program", "earning_period"):
        assert len(found(api, "funds/", **{name: fund[name]})) == 1
    assert found(api, "funds/", earning_period="FY24-H1") == [fund]
    assert found(api, "funds/", earning_period="FY24-H2") == []
    assert found(api, "funds/", partner="999999") == []
    assert len(found(api, "claims/", status="submitted", whose_turn="channel_manager")) == 5
    assert found(api, "claims/", whose_turn="partner") == []
    claim = found(api, "claims/")[0]
    story = found(api, "events/", subject_type="claim", subject=claim["id"])
    assert [event["verb"] for event in story][-1] == "claim.submitted"
    assert found(api, "events/", subject_type="claim", since="2030-01-01T00:00:00Z") == []
    assert {event["partner"] for event in found(api, "events/", partner=fund["partner"])} == {fund["partner"]}


def test_a_fund_shows_every_figure_as_a_string_with_its_currency(partner: Api, fund: Fund) -> None:
    shown = partner.get(f"funds/{fund.pk}/")
    assert shown["state"] == "claiming"
    assert (shown["earned"], shown["remaining"], shown["claimed"], shown["estimated"]) == (
        "10003.55",
        "10003.55",
        "0.00",
        "0.00",
    )
    entry = partner.get(f"funds/{fund.pk}/entries/")["results"][0]
    assert (entry["kind"], entry["from_bucket"], entry["to_bucket"], entry["amount"]) == (
        "earning",
        "program",
        "available",
        "10003.55",
    )
    assert entry["text"] == "Earned"


def test_a_fund_that_was_not_tested_is_an_estimate(db: None) -> None:
    fund = factories.make_fund(settled=False, now=factories.EARNING)
    shown = api_of(factories.marketer_of(fund.partner)).get(f"funds/{fund.pk}/")
    assert (shown["estimated"], shown["state"], shown["settled_at"]) == ("10003.55", "earning", None)


def test_activities_are_as_they_were_on_the_day(partner: Api) -> None:
    telemarketing = partner.get("activities/telemarketing/", on="2023-07-01")
    assert [proof["code"] for proof in telemarketing["proofs"]] == ["call-script", "call-log"]
    before = partner.get("activities/telemarketing/", on="2023-06-30")
    assert [proof["code"] for proof in before["proofs"]] == ["call-script"]
    assert partner.get("activities/trade-show/", on="2024-06-30")["category"] == "market-development"
    assert partner.get("activities/trade-show/", on="2024-07-01")["category"] == "demand-generation"
    offer = partner.get("activities/customer-offer/")
    assert offer["limits"]["rules"][0]["percent"] == "25"
    assert offer["share"] == "100"
    codes = {row["code"] for row in found(partner, "activities/", program="mci-csp-reseller", on="2024-03-01")}
    assert "tv-radio" not in codes
    assert "telemarketing" in codes
    assert "tv-radio" in {row["code"] for row in found(partner, "activities/", program="surface-add", country="US")}
