"""Imports over the API: a form in, its fate followed, what it does to each fund read, committed and taken back."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import Workbook

from coop import jobs
from coop.lib import clock
from funds.models import Earning, Fund, Import, ImportProgress
from tests import factories
from tests.api.client import Answer, Api

COLUMNS = ("external_id", "location", "program", "earned_on", "amount", "currency")
HEADER = ",".join(COLUMNS) + "\n"


def rows(fund: Fund, *lines: tuple[str, str], on: str = "2024-02-01") -> str:
    place = f"{fund.location.external_id},{fund.program.code},{on}"
    return "".join(f"{name},{place},{amount},USD\n" for name, amount in lines)


def checked(finance: Api, text: str | bytes, **more: Any) -> Answer:
    sent = finance.upload("imports/", text.encode() if isinstance(text, str) else text, "june.csv", **more)
    assert sent.status == 202, sent
    jobs.check_imports(clock.now())
    return finance.get(f"imports/{sent['id']}/")


def test_a_file_is_followed_from_its_upload_to_its_reversal(finance: Api, fund: Fund) -> None:
    sent = finance.upload("imports/", (HEADER + rows(fund, ("F-1", "100.00"), ("F-2", "1.005"))).encode(), "june.csv")
    assert (sent.status, sent["status"], sent["progress"], sent["format"]) == (202, "queued", 0, "incentives")
    ImportProgress.objects.create(import_id=int(sent["id"]), step="Reading", percent=12, at=clock.now())
    path = f"imports/{sent['id']}"
    shown = finance.get(f"{path}/")
    assert (shown["status"], shown["progress"], shown["step"]) == ("running", 12, "Reading")
    ImportProgress.objects.all().delete()
    assert finance.post(f"{path}/commit/").code == "wrong_status"

    jobs.check_imports(clock.now())
    ready = finance.get(f"{path}/")
    assert (ready["status"], ready["progress"]) == ("ready", 100)
    assert ready["counts"] == {"lines": 2, "new": 1, "changed": 0, "unchanged": 0, "rejected": 1}
    (effect,) = finance.get(f"{path}/effects/")["results"]
    assert (effect["fund"], effect["new_fund"], effect["before"], effect["change"]) == (None, True, "0.00", "40.00")
    done = finance.post(f"{path}/commit/", headers={"If-Match": ready.headers["ETag"]})
    assert (done["status"], done["totals"][0]["coop"], done["totals"][0]["amount"]) == ("committed", "40.00", "100.00")
    (effect,) = finance.get(f"{path}/effects/")["results"]
    assert (effect["fund"] is None, effect["after"], effect["new_fund"]) == (False, "40.00", True)
    assert finance.post(f"{path}/discard/").code == "wrong_status"

    assert finance.post(f"{path}/reverse/", {}).fields == {"reason": "required"}
    back = finance.post(f"{path}/reverse/", {"reason": "Wrong file"}, dry_run="true")
    assert (back.status, back["status"]) == (200, "reversed")
    back = finance.post(f"{path}/reverse/", {"reason": "Wrong file"}, headers={"If-Match": done.headers["ETag"]})
    assert (back["status"], back["reversal_reason"], back["reversed_at"] is None) == ("reversed", "Wrong file", False)
    assert finance.post(f"{path}/reverse/", {"reason": "Again"}).code == "wrong_status"
    assert Fund.objects.get(earning_period__code="FY24-H2").earned_minor == 0


def test_rejected_lines_come_back_as_csv_that_runs_nothing(finance: Api, fund: Fund) -> None:
    text = HEADER.replace("\n", ",comment\n") + rows(fund, ("F-2", "1.005")).replace("\n", ",=1+1\n")
    ready = checked(finance, text)
    errors = finance.get(f"imports/{ready['id']}/errors/")
    assert errors.headers["Content-Type"] == "text/csv; charset=utf-8"
    header, line = errors.content.decode().splitlines()
    assert header == "line,code,field,message,external_id,location,program,earned_on,amount,currency,comment"
    assert line.startswith("2,too_many_decimals,amount,")
    assert line.endswith(",'=1+1")


def workbook(fund: Fund) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(COLUMNS)
    sheet.append(("F-1", fund.location.external_id, fund.program.code, "2024-02-01", "100.00", "USD"))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "make",
    [lambda fund: gzip.compress((HEADER + rows(fund, ("F-1", "100.00"))).encode()), workbook],
    ids=["gzip", "xlsx"],
)
def test_packed_files_and_workbooks_are_taken(finance: Api, fund: Fund, make: Callable[[Fund], bytes]) -> None:
    ready = checked(finance, make(fund))
    assert (ready["status"], ready["counts"]["new"]) == ("ready", 1)


def test_columns_in_other_words_come_with_a_mapping_which_is_remembered(finance: Api, fund: Fund) -> None:
    text = "Ref,Site,Scheme,When,Sum,Money\n" + rows(fund, ("F-1", "100.00"))
    refused = finance.upload("imports/", text.encode(), "other.csv")
    assert refused.status == 400
    assert set(refused.fields.values()) == {"missing_column"}
    fields = ("external_id", "location_code", "program_code", "earned_text", "amount_text", "currency")
    mapping = dict(zip(fields, ("Ref", "Site", "Scheme", "When", "Sum", "Money"), strict=True))
    ready = checked(finance, text, mapping=json.dumps(mapping))
    assert (ready["status"], ready["mapping"], ready["counts"]["new"]) == ("ready", mapping, 1)
    assert checked(finance, text.replace("F-1", "F-2"))["counts"]["new"] == 1
    for wrong in ("{", "[]", '{"amount_text": 1}', "x" * 20_000):
        assert finance.upload("imports/", text.encode(), mapping=wrong).fields == {"mapping": "invalid"}
    wrong = finance.upload("imports/", text.encode(), mapping=json.dumps({**mapping, "amount_text": "Total"}))
    assert wrong.fields["mapping.amount_text"] == "unknown_column"


def test_effects_are_paged_and_can_be_limited_to_what_stands_out(finance: Api, fund: Fund) -> None:
    others = [factories.make_enrollment(factories.make_location(fund.partner)) for _ in range(4)]
    factories.set_clock(factories.CLAIMING)
    place = f"{fund.program.code},2024-02-01"
    lines = "".join(
        f"G-{number},{enrollment.location.external_id},{place},{10 * (number + 1)}.00,USD\n"
        for number, enrollment in enumerate(others)
    )
    ready = checked(finance, HEADER + lines + rows(fund, ("G-9", "-40000.00"), on="2023-08-15"))
    path = f"imports/{ready['id']}/effects/"
    (late,) = finance.get(path, only="late")["results"]
    assert (late["overdrawn"], late["crossing"], late["late"]) == (True, "down", True)
    assert (late["before"], late["change"], late["after"]) == ("10003.55", "-16000.00", "-5996.45")
    page, seen = finance.get(path, page_size="2"), []
    while True:
        seen += [row["change"] for row in page["results"]]
        if page["next"] is None:
            break
        page = finance.get(page["next"])
    assert seen == ["-16000.00", "16.00", "12.00", "8.00", "4.00"]
    assert finance.get(path, only="big").fields == {"only": "invalid"}
    assert finance.get(path, cursor="x").fields == {"cursor": "invalid"}
    assert finance.get(path, page_size="0").fields == {"page_size": "invalid"}


def test_a_commit_of_what_has_changed_is_a_412_and_shows_what_it_would_do_now(finance: Api, fund: Fund) -> None:
    ready = checked(finance, HEADER + rows(fund, ("F-1", "100.00"), ("F-2", "50.00")))
    other = checked(finance, HEADER + rows(fund, ("F-2", "50.00")))
    assert finance.post(f"imports/{other['id']}/commit/")["status"] == "committed"
    path = f"imports/{ready['id']}"
    refused = finance.post(f"{path}/commit/", headers={"If-Match": ready.headers["ETag"]})
    assert (refused.status, refused.code) == (412, "stale")
    now = finance.get(f"{path}/")
    assert (now["status"], now["counts"]["new"], now["counts"]["unchanged"]) == ("ready", 1, 1)
    assert "Look at it once more" in now["failure"]
    assert finance.post(f"{path}/commit/", headers={"If-Match": now.headers["ETag"]})["status"] == "committed"


def test_a_large_import_is_left_to_a_worker(finance: Api, fund: Fund, settings: Any) -> None:
    settings.IMPORT_LINES_AT_ONCE = 1
    ready = checked(finance, HEADER + rows(fund, ("F-1", "100.00"), ("F-2", "50.00")))
    path = f"imports/{ready['id']}"
    asked = finance.post(f"{path}/commit/")
    assert (asked["status"], asked["asked_for"]) == ("running", "commit")
    assert finance.post(f"{path}/commit/").code == "wrong_status"
    jobs.commit_imports(clock.now())
    assert finance.get(f"{path}/")["status"] == "committed"
    asked = finance.post(f"{path}/reverse/", {"reason": "Twice"})
    assert (asked["status"], asked["asked_for"]) == ("committed", "reverse")
    jobs.commit_imports(clock.now())
    assert finance.get(f"{path}/")["status"] == "reversed"


def test_lines_are_listed_by_what_holds_by_what_was_known_and_by_import(finance: Api, fund: Fund) -> None:
    first = checked(finance, HEADER + rows(fund, ("F-1", "100.00"), ("F-2", "50.00")))
    finance.post(f"imports/{first['id']}/commit/")
    known = clock.now()
    factories.set_clock(factories.CLAIMING.replace(hour=15))
    second = checked(finance, HEADER + rows(fund, ("F-1", "90.00")))
    assert second["counts"]["changed"] == 1
    finance.post(f"imports/{second['id']}/commit/")

    def listed(**query: str) -> list[tuple[str, int, str]]:
        found = finance.get("earnings/", program=fund.program.code, earning_period="FY24-H2", **query)["results"]
        return [(row["external_id"], row["version"], row["amount"]) for row in found]

    assert listed() == [("F-1", 2, "90.00"), ("F-2", 1, "50.00")]
    assert listed(known_at=known.isoformat().replace("+00:00", "Z")) == [("F-1", 1, "100.00"), ("F-2", 1, "50.00")]
    assert listed(**{"import": first["id"]}) == [("F-1", 1, "100.00"), ("F-2", 1, "50.00")]
    assert listed(external_id="F-1") == [("F-1", 2, "90.00")]
    assert finance.get("earnings/", known_at="2030-01-01T00:00:00Z").fields == {"known_at": "in_the_future"}
    finance.post(f"imports/{second['id']}/reverse/", {"reason": "It was right before"})
    assert listed() == [("F-1", 3, "100.00"), ("F-2", 1, "50.00")]
    finance.post(f"imports/{first['id']}/reverse/", {"reason": "All of it was wrong"})
    assert listed() == []
    assert Earning.objects.filter(external_id="F-1").count() == 4


def test_others_know_of_no_import(finance: Api, partner: Api, fund: Fund) -> None:
    delivery = Import.objects.get()
    assert partner.get("imports/")["results"] == []
    for path in ("", "effects/", "errors/"):
        assert partner.get(f"imports/{delivery.pk}/{path}").status == 404
    assert partner.post(f"imports/{delivery.pk}/reverse/", {"reason": "x"}).status == 404
