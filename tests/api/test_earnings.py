"""Earnings by lines and by file, payment runs and their files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coop import jobs
from coop.lib import clock
from funds.models import Earning, Fund
from tests import factories
from tests.api.client import Api, api_of


@pytest.fixture
def line(fund: Fund) -> dict[str, Any]:
    """A line that is as it should be."""
    return {
        "external_id": "E-new",
        "location": fund.location.external_id,
        "program": fund.program.code,
        "earned_on": "2024-03-01",
        "amount": "100.00",
        "currency": "USD",
    }


FAULTS: list[tuple[Any, str, str]] = [
    ("text", "", "invalid"),
    (None, "", "invalid"),
    ({"colour": "red"}, "colour", "unknown_field"),
    ({"amount": 100.0}, "amount", "amount_format"),
    ({"amount": 100}, "amount", "amount_format"),
    ({"amount": "1.005"}, "amount", "too_many_decimals"),
    ({"amount": "1e3"}, "amount", "amount_format"),
    ({"amount": "\uff11\uff10\uff10"}, "amount", "amount_format"),
    ({"amount": "0"}, "amount", "must_not_be_zero"),
    ({"amount": None}, "amount", "required"),
    ({"currency": "EUR"}, "currency", "currency_mismatch"),
    ({"currency": "usd"}, "currency", "unknown_currency"),
    ({"earned_on": "2024-02-30"}, "earned_on", "date_format"),
    ({"earned_on": "20240301"}, "earned_on", "date_format"),
    ({"earned_on": "2024-03-01T00:00:00Z"}, "earned_on", "date_format"),
    ({"earned_on": "1999-01-01"}, "earned_on", "date_format"),
    ({"earned_on": "2035-01-01"}, "earned_on", "no_period"),
    ({"location": "nowhere"}, "location", "unknown_location"),
    ({"program": "nothing"}, "program", "unknown_program"),
    ({"kind": "gift"}, "kind", "invalid"),
    ({"external_id": ""}, "external_id", "required"),
    ({"external_id": "x" * 81}, "external_id", "too_long"),
    ({"external_id": "x" * 300}, "external_id", "too_long"),
    ({"external_id": "a\x00b"}, "external_id", "invalid"),
    ({"lever": "\ud800"}, "lever", "invalid"),
    ({"lever": ["x"]}, "lever", "not_text"),
]


def test_a_bad_line_never_loses_the_good_ones(finance: Api, line: dict[str, Any]) -> None:
    bad = [
        fault if not isinstance(fault, dict) else {**line, "external_id": f"F-{n}", **fault}
        for n, (fault, _, _) in enumerate(FAULTS)
    ]
    lines = [{**line, "external_id": "first"}, *bad, {**line, "external_id": "last"}]
    answer = finance.post("earnings/", {"lines": lines})
    assert (answer.status, answer["created"], answer["unchanged"]) == (201, 2, 0), answer
    found = [(row["index"], row["field"], row["code"]) for row in answer["rejected"]]
    assert found == [(index, field, code) for index, (_, field, code) in enumerate(FAULTS, start=1)]
    assert all(row["message"] for row in answer["rejected"])


def test_the_same_line_is_unchanged_and_another_content_corrects_it(finance: Api, line: dict[str, Any]) -> None:
    assert finance.post("earnings/", {"lines": [line]}).status == 201
    again = finance.post("earnings/", {"lines": [line]})
    assert (again.status, again["created"], again["unchanged"]) == (200, 0, 1)
    other = finance.post("earnings/", {"lines": [{**line, "amount": "101.00"}]})
    assert (other["rejected"], Earning.objects.filter(external_id="E-new").count()) == ([], 2)
    twice = finance.post("earnings/", {"lines": [{**line, "external_id": "D"}, 7, {**line, "external_id": "D"}]})
    assert [(row["index"], row["code"]) for row in twice["rejected"]] == [
        (0, "duplicate_in_file"),
        (1, "invalid"),
        (2, "duplicate_in_file"),
    ]


def test_what_is_no_list_of_lines_is_refused_as_a_whole(finance: Api, line: dict[str, Any]) -> None:
    for body in ({}, {"lines": []}, {"lines": line}, {"lines": None}, {"lines": [line], "dry": True}):
        assert finance.post("earnings/", body).status == 400
    assert finance.post("earnings/", {"lines": [line] * 5_001}).code == "too_large"
    before = Earning.objects.count()
    assert finance.post("earnings/", {"lines": [line]}, dry_run="true")["created"] == 1
    assert Earning.objects.count() == before


def test_a_line_shows_its_shares(finance: Api, partner: Api, line: dict[str, Any]) -> None:
    finance.post("earnings/", {"lines": [{**line, "amount": "33.33", "reason_code": "x"}]})
    shown = partner.get("earnings/", external_id="E-new")["results"][0]
    assert (shown["coop_amount"], shown["rebate_amount"], shown["amount"]) == ("13.33", "20.00", "33.33")
    assert (shown["program"], shown["earning_period_code"]) == ("mci-csp-reseller", "FY24-H2")


# --- Files ------------------------------------------------------------------------------------------------------------

HEADER = "external_id,location,program,earned_on,amount,currency,comment\n"


def file_of(line: dict[str, Any], *rows: tuple[str, str]) -> bytes:
    cells = (line["location"], line["program"], line["earned_on"])
    return (HEADER + "".join(f"{name},{','.join(cells)},{amount},USD,=1+1\n" for name, amount in rows)).encode()


def test_a_file_is_checked_then_committed(finance: Api, line: dict[str, Any], fund: Fund) -> None:
    sent = finance.upload("imports/", file_of(line, ("F-1", "100.00"), ("F-2", "1.005")), "june.csv")
    assert (sent.status, sent["status"], sent["format"]) == (202, "queued", "incentives")
    path = f"imports/{sent['id']}"
    assert finance.post(f"{path}/commit/").code == "wrong_status"
    jobs.check_imports(clock.now())
    ready = finance.get(f"{path}/")
    assert (ready["status"], ready["progress"]) == ("ready", 100)
    assert ready["counts"] == {"lines": 2, "new": 1, "changed": 0, "unchanged": 0, "rejected": 1}
    effect = finance.get(f"{path}/effects/")["results"]
    assert [(row["fund"], row["coop_amount"], row["earning_period_code"]) for row in effect] == [
        (None, "40.00", "FY24-H2")
    ]
    errors = finance.get(f"{path}/errors/")
    assert errors.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert errors.content.decode().splitlines()[1].startswith("3,too_many_decimals,amount,")
    assert ",'=1+1" in errors.content.decode()
    done = finance.post(f"{path}/commit/", headers={"If-Match": ready.headers["ETag"]})
    assert (done["status"], done["totals"][0]["coop"]) == ("committed", "40.00")
    after = finance.get(f"{path}/effects/")["results"][0]
    assert (after["coop_amount"], after["fund"] is None) == ("40.00", False)
    assert finance.post(f"{path}/discard/").code == "wrong_status"


def test_a_file_that_is_none_is_refused(finance: Api, line: dict[str, Any]) -> None:
    cases = [(b"", "no_rows"), (b"PK\x03\x04", "not_a_table"), (b"a\x00", "not_a_table"), (b"\xff\xfe", "no_rows")]
    for data, code in cases:
        assert finance.upload("imports/", data, "x.csv").fields == {"file": code}
    assert finance.upload("imports/", b"a|b|c\n1|2|3\n", "x.csv").fields["file"] == "one_column"
    assert "missing_column" in finance.upload("imports/", b"amount,b\n1,2\n", "x.csv").fields.values()
    assert finance.upload("imports/", None).fields == {"file": "required"}
    sent = finance.upload("imports/", file_of(line, ("F-1", "1.00")), "x.csv")
    assert finance.post(f"imports/{sent['id']}/discard/")["status"] == "discarded"


# --- Payment runs -------------------------------------------------------------------------------------------------------


def test_results_are_taken_whole_or_not_at_all(vendor: Callable[[str], Api], fund: Fund) -> None:
    factories.make_approved_claim(fund, "300.00")
    run = factories.make_approved_run()
    finance, path = vendor("finance"), f"payment-runs/{run.pk}"
    payment = str(run.payments.get().pk)
    wrong = finance.post(
        f"{path}/results/",
        {"results": [{"payment": payment, "status": "lost"}, {"payment": "999", "status": "sent"}]},
    )
    assert wrong.fields == {"results.0.status": "invalid", "results.1.payment": "not_found"}
    assert finance.post(f"{path}/results/", {}).fields == {"results": "required"}
    assert finance.post(f"{path}/results/", {"results": [{"payment": 1}]}).fields == {
        "results.0.payment": "not_text",
        "results.0.status": "required",
    }
    failed = {"payment": payment, "status": "failed", "reason": "The account is closed."}
    settled = finance.post(f"{path}/results/", {"results": [failed]})
    assert (settled.status, settled["status"]) == (200, "settled"), settled
    partner = api_of(factories.marketer_of(fund.partner))
    shown = partner.get(f"payments/{payment}/")
    assert (shown["status"], shown["reason"], shown["rate"]) == ("failed", "The account is closed.", None)
    assert [(item["amount"]) for item in shown["items"]] == ["300.00"]


def test_the_export_is_safe_to_open_and_comes_back_as_results(vendor: Callable[[str], Api], fund: Fund) -> None:
    fund.partner.name = "=HYPERLINK(1)"
    fund.partner.save()
    factories.make_approved_claim(fund, "300.00")
    run = factories.make_approved_run()
    finance, path = vendor("finance"), f"payment-runs/{run.pk}"
    assert finance.get(f"{path}/export/", format="xlsx").fields == {"format": "invalid"}
    file = finance.get(f"{path}/export/").content.decode()
    assert "'=HYPERLINK(1)" in file
    wrong = finance.upload(f"{path}/results/", file.replace("300.00,,,,", "300.00,lost,2024-99-01,,").encode(), "r.csv")
    assert set(wrong.fields) == {"rows.2.status", "rows.2.sent_on"}
    filled = file.replace("300.00,,,,", "300.00,sent,2024-03-04,BANK-1,").encode()
    assert finance.upload(f"{path}/results/", filled, "r.csv")["status"] == "settled"
    assert finance.upload(f"{path}/results/", filled, "r.csv")["status"] == "settled"
